/** Runs command lines in this process, and keeps what they print. */

import { vi } from 'vitest';
import { createProgram } from '../program.ts';

export interface Printed {
  readonly output: string;
  readonly errors: string;
  /** What the command failed with; null: it did not. */
  readonly failure: Error | null;
}

/** What `robustctl` prints and throws for these words. */
export async function robustctl(...words: readonly string[]): Promise<Printed> {
  let output = '';
  let errors = '';
  const keep = (take: (text: string) => void) => (text: string | Uint8Array) => {
    take(String(text));
    return true;
  };
  const out = vi
    .spyOn(process.stdout, 'write')
    .mockImplementation(keep((text) => (output += text)));
  const err = vi
    .spyOn(process.stderr, 'write')
    .mockImplementation(keep((text) => (errors += text)));
  let failure: Error | null = null;
  try {
    await createProgram().parseAsync(['node', 'robustctl', ...words]);
  } catch (error) {
    failure = error as Error;
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
  return { output, errors, failure };
}
