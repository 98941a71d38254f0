import { readFileSync } from 'node:fs';
import { fail } from '@robustmq/errors';
import type { Result } from '@robustmq/errors';
import type { Problem } from './problem.ts';
import { resolveConfiguration } from './resolve.ts';
import type { Configuration } from './resolve.ts';
import type { Schema } from './schema.ts';

/**
 * Reads a file and resolves it with the environment.
 *
 * @param path  null when there is no file: every default holds
 * @returns the configuration, or every problem at once; a file that cannot be read is a problem
 */
export function loadConfiguration<Values>(
  schema: Schema<Values>,
  path: string | null,
  environment: Readonly<Record<string, string | undefined>>,
): Result<Configuration<Values>, readonly Problem[]> {
  if (path === null) return resolveConfiguration(schema, { file: null, environment });
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return fail([
      {
        severity: 'error',
        code: 'CONFIG_FILE_UNREADABLE',
        origin: { kind: 'file', file: path, line: 1 },
        key: '',
        message: `cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      },
    ]);
  }
  return resolveConfiguration(schema, { file: { name: path, text }, environment });
}
