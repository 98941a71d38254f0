import { fail, type Result, succeed } from '@robustmq/errors';
import { type LineFault, meaningfulLines } from './access-fault.ts';
import { type PasswordHash, parsePasswordHash } from './password-hash.ts';

/** One user of a password file. */
export interface PasswordEntry {
  readonly username: string;
  readonly hash: PasswordHash;
  /** The hash as the file spells it. */
  readonly hashText: string;
}

/**
 * Reads lines of the form `user:hash`; see `PasswordHash`. A user name ends at the first colon.
 *
 * A line that is not understood, also one with a plain password, fails the whole text: a file that
 * lets fewer people in than it says is a mistake to be told. The fault never quotes the line.
 */
export function parsePasswordFile(
  text: string,
): Result<ReadonlyMap<string, PasswordEntry>, LineFault> {
  const entries = new Map<string, PasswordEntry>();
  for (const each of meaningfulLines(text)) {
    const colon = each.text.indexOf(':');
    if (colon < 1) return fail({ line: each.line, detail: 'expected "user:hash"' });
    const username = each.text.slice(0, colon);
    const hashText = each.text.slice(colon + 1);
    const hash = parsePasswordHash(hashText);
    if (hash === null) {
      return fail({
        line: each.line,
        detail: 'what follows the colon is not a $6$, $7$ or $scrypt$ hash',
      });
    }
    if (entries.has(username)) {
      return fail({ line: each.line, detail: 'the user stands in the file twice' });
    }
    entries.set(username, { username, hash, hashText });
  }
  return succeed(entries);
}
