import { readFile } from 'node:fs/promises';
import { fail, type Result, succeed, unreachable } from '@robustmq/errors';

/** Why a password or rules file cannot be used. No fault carries a password or a hash. */
export type AccessFault =
  | { readonly code: 'ACCESS_FILE_UNREADABLE'; readonly file: string; readonly detail: string }
  /** `line` counts from 1. */
  | {
      readonly code: 'ACCESS_FILE_MALFORMED';
      readonly file: string;
      readonly line: number;
      readonly detail: string;
    }
  /** Known outcome: the file is as before. */
  | { readonly code: 'ACCESS_FILE_UNWRITABLE'; readonly file: string; readonly detail: string }
  | { readonly code: 'ACCESS_USERNAME_INVALID'; readonly detail: string };

/** One sentence for an operator, with `file:line` in front where there is one. */
export function describeAccessFault(fault: AccessFault): string {
  switch (fault.code) {
    case 'ACCESS_FILE_UNREADABLE':
      return `${fault.file} cannot be read: ${fault.detail}`;
    case 'ACCESS_FILE_MALFORMED':
      return `${fault.file}:${fault.line}: ${fault.detail}`;
    case 'ACCESS_FILE_UNWRITABLE':
      return `${fault.file} cannot be written: ${fault.detail}`;
    case 'ACCESS_USERNAME_INVALID':
      return `the user name is not usable: ${fault.detail}`;
    default:
      return unreachable(fault);
  }
}

/** What is wrong with one line; the reader of the file adds the file's name. */
export interface LineFault {
  readonly line: number;
  readonly detail: string;
}

export function malformed(file: string, fault: LineFault): AccessFault {
  return { code: 'ACCESS_FILE_MALFORMED', file, line: fault.line, detail: fault.detail };
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The text of a small UTF-8 file, without a byte order mark. */
export async function readAccessFile(file: string): Promise<Result<string, AccessFault>> {
  try {
    const bytes = await readFile(file);
    return succeed(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return fail({ code: 'ACCESS_FILE_UNREADABLE', file, detail: reasonOf(error) });
  }
}

/** A line that says something, with its number from 1 on. */
export interface NumberedLine {
  readonly line: number;
  readonly text: string;
}

/** The lines that are neither blank nor comments: a comment has `#` as its first non-blank character. */
export function meaningfulLines(text: string): NumberedLine[] {
  return text
    .split('\n')
    .map((each, index) => ({ line: index + 1, text: each.trim() }))
    .filter((each) => each.text !== '' && !each.text.startsWith('#'));
}
