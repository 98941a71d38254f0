/**
 * The state of a replicated state machine: a database that lags behind what was applied, and catches
 * up before anything reads it.
 *
 * ```text
 *  commands ─► pending ─► batches with the applied index ─► LevelDB ─► reads, snapshots
 * ```
 *
 * A batch is not flushed: after a crash the Raft log is replayed from the applied index, which is in
 * the same batch. Records that are written again and again arrive in the database once.
 */
import type { FileSystem } from '@robustmq/environment';
import type { LogIndex } from '@robustmq/raft';
import type { DataFormat } from '@robustmq/record-log';
import { readAppliedIndex, writeBatch } from './batch-writer.ts';
import { checkDatabase } from './check-database.ts';
import {
  closedFault,
  type Database,
  databaseFault,
  type DatabaseMemory,
  type DatabaseSnapshot,
  flushLogs,
  openDatabase,
} from './level-database.ts';
import { PendingWrites } from './pending-writes.ts';
import { openStateDirectory, type StateDirectory } from './state-directory.ts';

/** So much is pending before it goes to the database, and a crash leaves so much to be replayed. */
const CHUNK_BYTES = 256 * 1024;
/** LIMIT: levelPendingBytesMax. With so much pending nothing is applied until the database has it. */
const PENDING_BYTES_MAX: number = 4 * 1024 * 1024;

export interface LevelStateOptions {
  /** Created when absent; one process at a time. */
  readonly directory: string;
  readonly format: DataFormat;
  /** For the pointer to the state, the lock and flushes; the database opens its own files. */
  readonly fileSystem: FileSystem;
  readonly memory: DatabaseMemory;
}

/** What a reader sees: one moment of the state. */
export interface StateView {
  readonly database: Database;
  readonly snapshot: DatabaseSnapshot;
  readonly appliedIndex: LogIndex;
}

/** `applied`, `flush`, `openView`, `replace` and `close` are called one at a time; `read` may overlap. */
export interface LevelState {
  /** Of what is written, pending or not. */
  readonly appliedIndex: LogIndex;
  /** What commands read and write. Another one after `replace`. */
  readonly records: PendingWrites;
  /** Batches that the database took. */
  readonly writtenBatches: number;

  /** Waits while too much is pending. Call it before commands are applied. @throws LevelStateError */
  makeRoom(): Promise<void>;
  /** What is in `records` leads up to this index. */
  applied(index: LogIndex): void;
  /** What is in `records` is not known: nothing more is written, and everything throws this. */
  poison(error: unknown): Error;
  /** Makes everything applied durable. @returns the index reached */
  flush(): Promise<LogIndex>;
  /** The state as it stands, until it is closed. The database may be replaced meanwhile: it ends then. */
  openView(): Promise<StateView & { close(): Promise<void> }>;
  /** Runs `read` on one moment of the state, which stays open until it settles. */
  read<Value>(read: (view: StateView) => Promise<Value>): Promise<Value>;
  /**
   * Fills an empty database and puts it in the place of the state: after a crash the old content or
   * the new one is there. `fill` writes what it has, its applied index and all, and need not flush.
   */
  replace(fill: (database: Database) => Promise<void>): Promise<void>;
  /** Waits for reads under way. Idempotent. */
  close(): Promise<void>;
}

/** Opens the state in the directory, an empty one when there is none. @throws LevelStateError */
export async function openLevelState(options: LevelStateOptions): Promise<LevelState> {
  const { fileSystem, format, memory } = options;
  const directory = await openStateDirectory(fileSystem, options.directory, format);
  try {
    const database = await openCurrent(directory, options);
    return new WrittenBehind({ fileSystem, directory, database, memory });
  } catch (error) {
    await directory.release();
    throw error;
  }
}

async function openCurrent(
  directory: StateDirectory,
  { fileSystem, memory }: LevelStateOptions,
): Promise<Database> {
  if (!directory.isNew) {
    await directory.removeOthers();
    await checkDatabase(fileSystem, directory.path);
    return openDatabase(directory.path, 'existing', memory);
  }
  const database = await openDatabase(await directory.prepareNext(), 'new', memory);
  await directory.switchToNext();
  return database;
}

interface Parts {
  readonly fileSystem: FileSystem;
  readonly directory: StateDirectory;
  readonly database: Database;
  readonly memory: DatabaseMemory;
}

class WrittenBehind implements LevelState {
  readonly #fileSystem: FileSystem;
  readonly #directory: StateDirectory;
  readonly #memory: DatabaseMemory;
  readonly #reads = new Set<Promise<unknown>>();
  #database: Database;
  #records: PendingWrites;
  /** What the records that are pending lead up to. */
  #appliedIndex: LogIndex;
  /** What the database has. */
  #writtenIndex: LogIndex;
  /** The batch on its way to the database; null when there is none. */
  #writing: Promise<void> | null = null;
  #failure: Error | null = null;
  #closing: Promise<void> | null = null;
  #writtenBatches = 0;

  constructor(parts: Parts) {
    this.#fileSystem = parts.fileSystem;
    this.#directory = parts.directory;
    this.#memory = parts.memory;
    this.#database = parts.database;
    this.#records = new PendingWrites(parts.database);
    this.#appliedIndex = readAppliedIndex(parts.database);
    this.#writtenIndex = this.#appliedIndex;
  }

  get appliedIndex(): LogIndex {
    return this.#appliedIndex;
  }

  get records(): PendingWrites {
    return this.#records;
  }

  get writtenBatches(): number {
    return this.#writtenBatches;
  }

  async makeRoom(): Promise<void> {
    this.#assertOpen();
    if (this.#records.bytes > PENDING_BYTES_MAX) await this.#writeAll();
  }

  applied(index: LogIndex): void {
    this.#appliedIndex = index;
    if (this.#writing !== null || this.#records.bytes < CHUNK_BYTES) return;
    // A failure is told by whatever comes next.
    this.#startWriting().catch(() => undefined);
  }

  poison(error: unknown): Error {
    this.#failure ??= databaseFault(error);
    return this.#failure;
  }

  async flush(): Promise<LogIndex> {
    this.#assertOpen();
    await this.#writeAll();
    const index = this.#writtenIndex;
    await writeBatch(this.#database, [], { applied: index, flush: 'sync' });
    await flushLogs(this.#fileSystem, this.#directory.path);
    return index;
  }

  async openView(): Promise<StateView & { close(): Promise<void> }> {
    this.#assertOpen();
    await this.#writeAll();
    const database = this.#database;
    const snapshot = database.snapshot();
    // From the snapshot itself: a batch may have arrived that is not counted here yet.
    const appliedIndex = readAppliedIndex(database, snapshot);
    return { database, snapshot, appliedIndex, close: () => snapshot.close() };
  }

  read<Value>(read: (view: StateView) => Promise<Value>): Promise<Value> {
    const reading = this.#readOnce(read);
    this.#reads.add(reading);
    const forget = (): boolean => this.#reads.delete(reading);
    reading.then(forget, forget);
    return reading;
  }

  async replace(fill: (database: Database) => Promise<void>): Promise<void> {
    this.#assertOpen();
    // Nothing is on its way to the old database when the new one takes over.
    await this.#writeAll();
    const path = await this.#directory.prepareNext();
    const database = await openDatabase(path, 'new', this.#memory);
    try {
      await fill(database);
      // The one that is flushed is the last of a log; those before became tables or are flushed here.
      const applied = readAppliedIndex(database);
      await writeBatch(database, [], { applied, flush: 'sync' });
      await flushLogs(this.#fileSystem, path);
      await this.#directory.switchToNext();
    } catch (error) {
      await database.close();
      throw error;
    }
    const old = this.#database;
    this.#takeOver(database);
    await this.#settleReads();
    await old.close();
    await this.#directory.removeOthers();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#settleReads();
    // Spares the next start the replay; after a failure the log is all there is to go by.
    await this.#writeAll().catch(() => undefined);
    await this.#database.close();
    await this.#directory.release();
  }

  async #readOnce<Value>(read: (view: StateView) => Promise<Value>): Promise<Value> {
    const view = await this.openView();
    try {
      return await read(view);
    } catch (error) {
      throw databaseFault(error);
    } finally {
      await view.close();
    }
  }

  #takeOver(database: Database): void {
    this.#database = database;
    this.#records = new PendingWrites(database);
    this.#appliedIndex = readAppliedIndex(database);
    this.#writtenIndex = this.#appliedIndex;
  }

  /** What is pending goes to the database; none must be on its way. */
  #startWriting(): Promise<void> {
    const applied = this.#appliedIndex;
    const records = this.#records;
    const options = { applied, flush: 'async' } as const;
    this.#writing = writeBatch(this.#database, records.leave(), options).then(
      () => {
        records.arrived();
        this.#writtenIndex = applied;
        this.#writtenBatches += 1;
        this.#writing = null;
      },
      (error: unknown) => {
        this.#writing = null;
        throw this.poison(error);
      },
    );
    return this.#writing;
  }

  /** The database has everything that was applied before this call. */
  async #writeAll(): Promise<void> {
    const through = this.#appliedIndex;
    while (this.#writtenIndex < through) {
      if (this.#failure !== null) throw this.#failure;
      await (this.#writing ?? this.#startWriting());
    }
  }

  async #settleReads(): Promise<void> {
    await Promise.allSettled([...this.#reads, this.#writing]);
  }

  #assertOpen(): void {
    if (this.#closing !== null) throw closedFault();
    if (this.#failure !== null) throw this.#failure;
  }
}
