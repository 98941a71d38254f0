import { randomBytes } from 'node:crypto';
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fail, type Result, succeed } from '@robustmq/errors';
import { type AccessFault, malformed, readAccessFile, reasonOf } from './access-fault.ts';
import { parsePasswordFile } from './password-file.ts';
import { hashPassword } from './password-hash.ts';

/**
 * Changes to a password file, for `robustctl passwd`. Each replaces the file as a whole: a reader
 * sees the old or the new one, also after a loss of power. Other lines stay as they are. Two
 * concurrent changes are not coordinated: the later rename wins.
 */

/**
 * Adds the user, or gives it a new password. A missing file is made, with mode 0600.
 * A file that is malformed is left alone.
 */
export async function setPassword(
  file: string,
  user: { readonly username: string; readonly password: Uint8Array },
): Promise<Result<'added' | 'changed', AccessFault>> {
  const objection = objectionTo(user.username);
  if (objection !== null) return fail({ code: 'ACCESS_USERNAME_INVALID', detail: objection });
  const lines = await linesOf(file, 'madeWhenMissing');
  if (!lines.ok) return lines;
  const line = `${user.username}:${await hashPassword(user.password)}`;
  const index = lines.value.findIndex((each) => isLineOf(each, user.username));
  const changed = index === -1 ? [...lines.value, line] : lines.value.with(index, line);
  const replaced = await replaceFile(file, changed);
  return replaced.ok ? succeed(index === -1 ? 'added' : 'changed') : replaced;
}

/** Takes the user out; `absent` when there was none, and then the file is not touched. */
export async function deletePassword(
  file: string,
  username: string,
): Promise<Result<'deleted' | 'absent', AccessFault>> {
  const lines = await linesOf(file, 'required');
  if (!lines.ok) return lines;
  const remaining = lines.value.filter((each) => !isLineOf(each, username));
  if (remaining.length === lines.value.length) return succeed('absent');
  const replaced = await replaceFile(file, remaining);
  return replaced.ok ? succeed('deleted') : replaced;
}

function isLineOf(line: string, username: string): boolean {
  const text = line.trim();
  return !text.startsWith('#') && text.startsWith(`${username}:`);
}

function objectionTo(username: string): string | null {
  if (username === '') return 'it is empty';
  if (username.includes(':')) return 'it has a colon, which ends the name in the file';
  if (username.startsWith('#')) return 'it starts with #, which makes a comment of the line';
  if (username.trim() !== username) return 'it starts or ends with a blank';
  for (let index = 0; index < username.length; index += 1) {
    const unit = username.charCodeAt(index);
    if (unit < 0x20 || unit === 0x7f) return 'it has a control character';
  }
  return null;
}

async function linesOf(
  file: string,
  presence: 'required' | 'madeWhenMissing',
): Promise<Result<string[], AccessFault>> {
  if (presence === 'madeWhenMissing' && (await isMissing(file))) return succeed([]);
  const text = await readAccessFile(file);
  if (!text.ok) return text;
  const entries = parsePasswordFile(text.value);
  if (!entries.ok) return fail(malformed(file, entries.fault));
  const lines = text.value.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return succeed(lines);
}

async function isMissing(file: string): Promise<boolean> {
  try {
    await stat(file);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
}

/** Writes beside the file, flushes, renames over it and flushes the folder. */
async function replaceFile(
  file: string,
  lines: readonly string[],
): Promise<Result<null, AccessFault>> {
  let temporary: string | null = null;
  try {
    const missing = await isMissing(file);
    // A symbolic link stays; what it points to is replaced.
    const target = missing ? file : await realpath(file);
    temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`);
    await writeFlushed(
      temporary,
      lines.map((line) => `${line}\n`).join(''),
      missing ? null : target,
    );
    await rename(temporary, target);
    temporary = null;
    await flushFolder(dirname(target));
    return succeed(null);
  } catch (error) {
    if (temporary !== null) await rm(temporary, { force: true });
    return fail({ code: 'ACCESS_FILE_UNWRITABLE', file, detail: reasonOf(error) });
  }
}

/** The new file keeps the owner of the old one: the broker must still be able to read it. */
async function writeFlushed(path: string, text: string, ownerFrom: string | null): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    if (ownerFrom !== null) {
      const before = await stat(ownerFrom);
      const now = await handle.stat();
      if (before.uid !== now.uid || before.gid !== now.gid) {
        await handle.chown(before.uid, before.gid);
      }
    }
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
