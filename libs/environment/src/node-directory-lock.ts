/**
 * One process per directory, by a file `LOCK` that names its holder.
 *
 * Node.js offers no `flock`, so a lock outlives a process that is killed. The holder is named by
 * process id, its start time and the machine's boot, so a process id that was given to someone
 * else is not taken for the holder. Where `/proc` is missing the process id alone decides.
 */
import { open, readFile, realpath, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileSystemError, fileErrorCode } from './file-system.ts';
import type { DirectoryLock } from './file-system.ts';

const LOCK_NAME = 'LOCK';
/** A killed process holds its lock until the system has taken it down: that long is waited for it. */
const PATIENCE_MS = 3000;
const RETRY_MS = 50;
/** Directories that this process holds. */
const held = new Set<string>();

export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const place = await realpath(directory);
  if (held.has(place)) throw lockedError(place, 'this process');
  held.add(place);
  const path = join(place, LOCK_NAME);
  try {
    await writeLock(path, place);
  } catch (error) {
    held.delete(place);
    throw error;
  }
  return {
    async release(): Promise<void> {
      if (!held.delete(place)) return;
      await unlink(path).catch(ignoreMissing);
    },
  };
}

async function writeLock(path: string, directory: string): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      const file = await open(path, 'wx', 0o600);
      await file.writeFile(await identityOf(process.pid));
      await file.close();
      return;
    } catch (error) {
      if (fileErrorCode(error) !== 'EEXIST') throw error;
    }
    const holder = await readFile(path, 'utf8').catch(() => '');
    const [pidText = ''] = holder.split(' ');
    if (!(await isAlive(holder))) await unlink(path).catch(ignoreMissing);
    else if (performance.now() > deadlineMs) throw lockedError(directory, `process ${pidText}`);
    else await sleep(RETRY_MS);
  }
}

/** Whether the holder named in the file still runs. Its own identity is a leftover: see `held`. */
async function isAlive(holder: string): Promise<boolean> {
  const pid = Number(holder.split(' ')[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (fileErrorCode(error) === 'ESRCH') return false;
  }
  return (await identityOf(pid)) === holder;
}

/** Process id, start time in clock ticks, and boot, as far as the system tells. */
async function identityOf(pid: number): Promise<string> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  // The command name in parentheses may contain blanks; the start time is the 20th field after it.
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended; only its parent has not looked yet.
  if (fields[0] === 'Z' || fields[0] === 'X') return '';
  return `${pid} ${fields[19] ?? ''} ${boot.trim()}`;
}

function lockedError(directory: string, holder: string): FileSystemError {
  return new FileSystemError('ELOCKED', `${directory} is in use by ${holder}`);
}

function ignoreMissing(error: unknown): void {
  if (fileErrorCode(error) !== 'ENOENT') throw error;
}
