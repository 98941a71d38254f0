/**
 * LevelDB as the journal uses it, loaded when the first journal is opened.
 *
 * Durability: a synchronous write flushes the write-ahead log that it goes to. Writes before it can stand
 * in the log before, which is not flushed until it has become a table; and no directory is flushed for a
 * new log. `write` does both when the log has changed, so that "flushed" covers all that was written before.
 */
import { fileErrorCode } from '@robustmq/environment';
import type { FileSystem, OpenFile } from '@robustmq/environment';
import { JournalError } from '@robustmq/journal';
import type { Level } from 'level';
import type { KeyRange } from './level-keys.ts';

type Database = Level<string, Uint8Array>;
export type Entry = [key: string, value: Uint8Array];
export type Change =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: string };

const CACHE_BYTES = 16 * 1024 * 1024;
/** Up to two are in memory; the log that is read back at a start is at most as long. */
const WRITE_BUFFER_BYTES = 16 * 1024 * 1024;
const TABLE_BYTES_MAX = 32 * 1024 * 1024;
/** What one step of a walk brings at most. */
const STEP_BYTES = 1024 * 1024;
const STEP_ENTRIES = 256;

export class LevelDatabase {
  readonly path: string;
  readonly #database: Database;
  readonly #fileSystem: FileSystem;
  /** The newest log that is known to be flushed, its directory entry too. */
  #flushedLog = '';
  #hasFailed = false;

  private constructor(path: string, database: Database, fileSystem: FileSystem) {
    this.path = path;
    this.#database = database;
    this.#fileSystem = fileSystem;
  }

  /** @throws JournalError JOURNAL_IO_FAILED  in use, damaged or not accessible */
  static async open(path: string, fileSystem: FileSystem): Promise<LevelDatabase> {
    const level = await import('level');
    await fileSystem.makeDirectory(path);
    const database: Database = new level.Level(path, {
      keyEncoding: 'utf8',
      valueEncoding: 'view',
      cacheSize: CACHE_BYTES,
      writeBufferSize: WRITE_BUFFER_BYTES,
      maxFileSize: TABLE_BYTES_MAX,
      compression: false,
    });
    const opened = new LevelDatabase(path, database, fileSystem);
    await opened.#open();
    return opened;
  }

  async get(key: string): Promise<Uint8Array | null> {
    return (await this.#database.get(key)) ?? null;
  }

  async getMany(keys: readonly string[]): Promise<readonly (Uint8Array | null)[]> {
    const values = await this.#database.getMany([...keys]);
    return values.map((value) => value ?? null);
  }

  /** The entries of a range in order, in steps of bounded size. */
  async *entries(range: KeyRange): AsyncGenerator<Entry> {
    const iterator = this.#database.iterator({ ...range, highWaterMarkBytes: STEP_BYTES });
    try {
      for (;;) {
        const step = await iterator.nextv(STEP_ENTRIES);
        if (step.length === 0) return;
        yield* step;
      }
    } finally {
      await iterator.close();
    }
  }

  /** The keys of a range in order; at most `limit` of them, null: all. */
  async keys(range: KeyRange, limit: number | null = null): Promise<readonly string[]> {
    return this.#database.keys({ ...range, limit: limit ?? -1 }).all();
  }

  /** Writes all or, when the process dies, none. `sync`: and everything before it is flushed. */
  async write(changes: readonly Change[], flush: 'sync' | 'async'): Promise<void> {
    try {
      await this.#database.batch([...changes], { sync: flush === 'sync' });
      if (flush === 'sync') await this.#flushNewLogs();
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    }
  }

  /** Removes a range; bounded by what the caller knows to stand there. */
  async clear(range: KeyRange): Promise<void> {
    await this.#database.clear(range);
  }

  /** After a failed write LevelDB takes no more until it is opened again, which reads its log back. */
  async reviveIfFailed(): Promise<void> {
    if (!this.#hasFailed) return;
    await this.#database.close();
    await this.#open();
    this.#hasFailed = false;
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  async #open(): Promise<void> {
    try {
      await this.#database.open();
      this.#flushedLog = '';
    } catch (error) {
      throw openFault(this.path, error);
    }
  }

  async #flushNewLogs(): Promise<void> {
    const names = await this.#fileSystem.list(this.path);
    const logs = names.filter((name) => name.endsWith('.log'));
    const newest = logs.at(-1) ?? '';
    if (newest === this.#flushedLog) return;
    for (const name of logs) await this.#flushLog(`${this.path}/${name}`);
    await this.#fileSystem.syncDirectory(this.path);
    this.#flushedLog = newest;
  }

  async #flushLog(path: string): Promise<void> {
    const file = await this.#openUnlessGone(path);
    // A log that is gone has become a table, and tables are flushed before.
    if (file === null) return;
    try {
      await file.syncData();
    } finally {
      await file.close();
    }
  }

  async #openUnlessGone(path: string): Promise<OpenFile | null> {
    try {
      return await this.#fileSystem.open(path, 'write');
    } catch (error) {
      if (fileErrorCode(error) === 'ENOENT') return null;
      throw error;
    }
  }
}

function openFault(path: string, error: unknown): JournalError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const text = cause instanceof Error ? cause.message : String(cause);
  const why =
    fileErrorCode(cause) === 'LEVEL_LOCKED'
      ? 'is in use by another process: stop it first'
      : `can't be opened: ${text}`;
  const detail = `the journal in ${path} ${why}`;
  return new JournalError({ code: 'JOURNAL_IO_FAILED', operation: 'open', detail }, { cause });
}
