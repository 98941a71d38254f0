/**
 * LevelDB as the store uses it: text keys in the order of their UTF-8, bytes as values, and every
 * failure as a `LevelStateError`.
 *
 * Durability: a synchronous write of LevelDB flushes the write-ahead log that it goes to. Writes
 * before it can stand in the log before, which is not flushed until it has become a table; and no
 * directory is flushed for a new log. `flushLogs` does both, so that "flushed" covers all that was
 * written before.
 */
import { fileErrorCode, type FileSystem, type OpenFile } from '@robustmq/environment';
import { Level } from 'level';
import { LevelStateError } from './level-state-error.ts';

export type Database = Level<string, Uint8Array>;
export type DatabaseSnapshot = ReturnType<Database['snapshot']>;
export type Entry = [key: string, value: Uint8Array];

/** Records from `first` to before `after`; null: to the last. */
export interface RecordRange {
  readonly first: string;
  readonly after: string | null;
}

/** What a database takes of memory. */
export interface DatabaseMemory {
  /** Of uncompressed blocks. */
  readonly cacheBytes: number;
  /** Up to two are in memory; the log that is read back at a start is at most as long as one. */
  readonly writeBufferBytes: number;
}

/** For a process with one database. */
export const DEFAULT_DATABASE_MEMORY: DatabaseMemory = {
  cacheBytes: 32 * 1024 * 1024,
  writeBufferBytes: 32 * 1024 * 1024,
};

const TABLE_BYTES_MAX = 8 * 1024 * 1024;
/** What one step of an iterator brings at most. */
const STEP_BYTES = 256 * 1024;
const STEP_RECORDS = 1000;
/** Longer than any record's key, see `openDatabase`. */
const LONGEST_KEY_BYTES = 70_000;
/** What the codes of LevelDB's failures begin with. */
const LEVEL = 'LEVEL_';

/** @param mode  `existing`: a missing database is a fault, not an empty one */
export async function openDatabase(
  path: string,
  mode: 'existing' | 'new',
  memory: DatabaseMemory = DEFAULT_DATABASE_MEMORY,
): Promise<Database> {
  const database: Database = new Level(path, {
    keyEncoding: 'utf8',
    valueEncoding: 'view',
    createIfMissing: mode === 'new',
    errorIfExists: mode === 'new',
    cacheSize: memory.cacheBytes,
    writeBufferSize: memory.writeBufferBytes,
    maxFileSize: TABLE_BYTES_MAX,
    compression: false, // so that `checkTable` can read the list of blocks
  });
  try {
    await database.open();
    // The binding copies keys of point reads to a buffer that grows with the longest seen; how it
    // notices that one did not fit can miss a key that ends in a character of several bytes. A long
    // key of one-byte characters makes the buffer large enough for every key, once.
    database.getSync('!'.repeat(LONGEST_KEY_BYTES));
  } catch (error) {
    throw openFault(path, error);
  }
  return database;
}

function openFault(path: string, error: unknown): LevelStateError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const text = cause instanceof Error ? cause.message : String(cause);
  const code = fileErrorCode(cause);
  if (code === `${LEVEL}LOCKED`) {
    const detail = `the state in ${path} is in use by another process: stop it first`;
    return new LevelStateError({ code: 'LEVEL_STATE_IN_USE', detail }, { cause });
  }
  if (code === `${LEVEL}IO_ERROR` && !/no such file/i.test(text)) {
    const detail = `the state in ${path} can't be read: ${text}`;
    return new LevelStateError({ code: 'LEVEL_STATE_IO_FAILED', detail }, { cause });
  }
  const detail = `the state in ${path} is damaged (${text}): move the directory away and let this member join anew`;
  return new LevelStateError({ code: 'LEVEL_STATE_CORRUPT', detail }, { cause });
}

/** A failure of a read or a write, as the store tells it. */
export function databaseFault(error: unknown): Error {
  if (error instanceof LevelStateError) return error;
  const code = fileErrorCode(error);
  const text = error instanceof Error ? error.message : String(error);
  if (!code.startsWith(LEVEL)) return error instanceof Error ? error : new Error(text);
  if (code.endsWith('_NOT_OPEN')) return closedFault();
  if (code === `${LEVEL}CORRUPTION`) {
    const detail = `the state in LevelDB is damaged (${text}): move the directory away and let this member join anew`;
    return new LevelStateError({ code: 'LEVEL_STATE_CORRUPT', detail }, { cause: error });
  }
  const detail = `the disk of the state failed: ${text}`;
  return new LevelStateError({ code: 'LEVEL_STATE_IO_FAILED', detail }, { cause: error });
}

export function closedFault(): LevelStateError {
  const detail = 'the state is closed';
  return new LevelStateError({ code: 'LEVEL_STATE_CLOSED', detail });
}

/** What of a database is read. */
export interface ScanOptions {
  /** undefined: as the database stands. */
  readonly snapshot: DatabaseSnapshot | undefined;
  /** Only the first so many records; null: all. */
  readonly recordsMax: number | null;
}

/** The records of a range, in order, in steps of bounded size. */
export async function* scan(
  database: Database,
  range: RecordRange,
  options: ScanOptions,
): AsyncGenerator<readonly Entry[]> {
  const bounds =
    range.after === null ? { gte: range.first } : { gte: range.first, lt: range.after };
  const view = options.snapshot === undefined ? {} : { snapshot: options.snapshot };
  const limit = options.recordsMax ?? -1; // none
  const iterator = database.iterator({ ...bounds, ...view, limit, highWaterMarkBytes: STEP_BYTES });
  try {
    for (;;) {
      const entries = await iterator.nextv(STEP_RECORDS);
      if (entries.length === 0) return;
      yield entries;
    }
  } catch (error) {
    throw databaseFault(error);
  } finally {
    await iterator.close();
  }
}

/** How many records the range has; their contents are not read. */
export async function countRecords(
  database: Database,
  range: RecordRange,
  snapshot: DatabaseSnapshot,
): Promise<number> {
  const bounds =
    range.after === null ? { gte: range.first } : { gte: range.first, lt: range.after };
  const iterator = database.keys({ ...bounds, snapshot, highWaterMarkBytes: STEP_BYTES });
  let count = 0;
  try {
    for (;;) {
      const { length } = await iterator.nextv(STEP_RECORDS);
      if (length === 0) return count;
      count += length;
    }
  } catch (error) {
    throw databaseFault(error);
  } finally {
    await iterator.close();
  }
}

/** Makes what the write-ahead logs hold durable. */
export async function flushLogs(fileSystem: FileSystem, path: string): Promise<void> {
  for (const name of await fileSystem.list(path)) {
    if (!name.endsWith('.log')) continue;
    // A log that is gone has become a table, and tables are flushed before.
    const file = await openUnlessGone(fileSystem, `${path}/${name}`);
    if (file === null) continue;
    try {
      await file.syncData();
    } finally {
      await file.close();
    }
  }
  await fileSystem.syncDirectory(path);
}

async function openUnlessGone(fileSystem: FileSystem, path: string): Promise<OpenFile | null> {
  try {
    return await fileSystem.open(path, 'write');
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
