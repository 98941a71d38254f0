import { fail, succeed } from '@robustmq/errors';
import type { Result } from '@robustmq/errors';
import { parse, TomlError } from 'smol-toml';
import { keyLinesOf } from './key-lines.ts';
import type { KeyLines } from './key-lines.ts';
import type { Problem } from './problem.ts';

/** A parsed file: its values, and the line of each key. */
export interface TomlDocument {
  readonly file: string;
  readonly root: Readonly<Record<string, unknown>>;
  readonly lines: KeyLines;
}

/** A file's name, as it is told to the operator, and its text. */
export interface ConfigurationText {
  readonly name: string;
  readonly text: string;
}

/** Parses TOML 1.0. A syntax fault names the line and what the parser met. */
export function parseToml(file: ConfigurationText): Result<TomlDocument, Problem> {
  try {
    const root = parse(file.text);
    return succeed({ file: file.name, root, lines: keyLinesOf(file.text) });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [sentence = 'the file is not valid TOML'] = error.message.split('\n');
    return fail({
      severity: 'error',
      code: 'CONFIG_SYNTAX',
      origin: { kind: 'file', file: file.name, line: error.line },
      key: '',
      message: `column ${String(error.column)}: ${sentence}`,
    });
  }
}

/** Whether a TOML value is a table, not a list, a date or a plain value. */
export function isTable(raw: unknown): raw is Readonly<Record<string, unknown>> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw) && !(raw instanceof Date);
}
