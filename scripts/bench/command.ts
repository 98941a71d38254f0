/** Runs programs, each with a time limit. */

import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

export interface CommandResult {
  readonly output: string;
  readonly errors: string;
  /** null when a signal ended it, the limit's included. */
  readonly exitCode: number | null;
}

export interface CommandOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly limitMs: number;
  /** Aborting kills the program. */
  readonly signal: AbortSignal | null;
}

/** Collects both outputs. The program is out of reach of the terminal's Ctrl-C. */
export function runCommand(
  command: readonly string[],
  { environment, limitMs, signal }: CommandOptions,
): Promise<CommandResult> {
  const [program = '', ...rest] = command;
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
    detached: true,
    timeout: limitMs,
    killSignal: 'SIGKILL',
    ...(signal === null ? {} : { signal }),
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.once('error', (error) => (errors += error.message));
  return new Promise((resolve) => {
    child.once('close', (exitCode) => resolve({ output, errors, exitCode }));
  });
}

/** Whether a program of that name is on the path. */
export function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
