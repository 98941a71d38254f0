/**
 * The placement state in LevelDB.
 *
 * ```text
 *  entries ─► commands ─► PendingRecords ─► batches with the applied index ─► LevelDB
 *                  └────► events ─────────► listeners, then the results are told
 * ```
 *
 * What is pending goes to the database when it is much, and before whatever reads the database itself:
 * ranges, snapshots, history. Counters and keys that are written again and again arrive there once.
 *
 * A batch is not flushed: after a crash the Raft log is replayed from the applied index, which is in
 * the same batch. History that commands forgot is removed in the background; a start removes what was
 * left.
 */
import type { FileSystem } from '@robustmq/environment';
import {
  applyCommand,
  type Command,
  type CommandResult,
  decodeCommand,
  type Lease,
  type LeaseId,
  metaOf,
  type RangeReply,
  type RangeRequest,
  rangesOf,
  type Revision,
  type RevisionEvents,
  type StateMachineLimits,
  type StoreMeta,
  storedBytes,
} from '@robustmq/placement';
import type { DataEntry, LogIndex } from '@robustmq/raft';
import { readAppliedIndex, writeBatch } from './batch-writer.ts';
import {
  closedFault,
  type Database,
  databaseFault,
  type DatabaseSnapshot,
  flushLogs,
  openDatabase,
} from './level-database.ts';
import { loadRanges } from './load-ranges.ts';
import { PendingRecords } from './pending-records.ts';
import type {
  PlacementStore,
  PlacementStoreStats,
  StoredLease,
  StoreSnapshot,
} from './placement-store.ts';
import { PlacementStoreError } from './placement-store-error.ts';
import type { StateDirectory } from './state-directory.ts';
import { fillDatabase, snapshotContent } from './store-snapshot.ts';
import {
  deadRange,
  readDigest,
  readHistory,
  readLeases,
  readRange,
  readStoredLease,
  storedMeta,
} from './stored-reads.ts';

/** So much is pending before it goes to the database, and a crash leaves so much to be replayed. */
const CHUNK_BYTES = 256 * 1024;
/** LIMIT: placementPendingBytesMax. With so much pending no command is applied until the database has it. */
const PENDING_BYTES_MAX: number = 4 * 1024 * 1024;

export interface StoreParts {
  readonly fileSystem: FileSystem;
  readonly directory: StateDirectory;
  readonly database: Database;
  readonly limits: StateMachineLimits;
}

type Listener<Value> = (value: Value) => void;

export class LevelPlacementStore implements PlacementStore {
  readonly #fileSystem: FileSystem;
  readonly #directory: StateDirectory;
  readonly #limits: StateMachineLimits;
  readonly #appliedListeners = new Set<Listener<readonly RevisionEvents[]>>();
  readonly #installedListeners = new Set<Listener<Revision>>();
  readonly #reads = new Set<Promise<unknown>>();
  #database: Database;
  #pending: PendingRecords;
  #meta: StoreMeta;
  /** Of the last call of `apply` that is over. */
  #appliedIndex: LogIndex;
  /** What the records that are pending lead up to. */
  #pendingIndex: LogIndex;
  /** What the database has. */
  #writtenIndex: LogIndex;
  /** The batch on its way to the database; null when there is none. */
  #writing: Promise<void> | null = null;
  #failure: Error | null = null;
  #sweep: Promise<void> = Promise.resolve();
  #sweptRevision: Revision = 0 as Revision;
  #closing: Promise<void> | null = null;
  #appliedCommands = 0;
  #writtenBatches = 0;

  constructor(parts: StoreParts) {
    this.#fileSystem = parts.fileSystem;
    this.#directory = parts.directory;
    this.#limits = parts.limits;
    this.#database = parts.database;
    this.#pending = new PendingRecords(parts.database);
    this.#meta = storedMeta(parts.database);
    this.#appliedIndex = readAppliedIndex(parts.database);
    this.#pendingIndex = this.#appliedIndex;
    this.#writtenIndex = this.#appliedIndex;
    this.#sweepHistory();
  }

  get appliedIndex(): LogIndex {
    return this.#appliedIndex;
  }

  get revision(): Revision {
    return this.#meta.revision;
  }

  get compactedRevision(): Revision {
    return this.#meta.compactedRevision;
  }

  get stats(): PlacementStoreStats {
    return {
      keys: this.#meta.keys,
      leases: this.#meta.leases,
      storedBytes: storedBytes(this.#meta),
      storedBytesMax: this.#limits.storedBytesMax,
      appliedCommands: this.#appliedCommands,
      writtenBatches: this.#writtenBatches,
    };
  }

  async apply(entries: readonly DataEntry[], through: LogIndex): Promise<readonly CommandResult[]> {
    this.#assertOpen();
    try {
      const [results, revisions] = await this.#applyAll(entries);
      this.#pendingIndex = through;
      this.#appliedIndex = through;
      if (entries.length > 0) this.#meta = metaOf(this.#pending);
      this.#sweepHistory();
      this.#writeWhenMuch();
      if (revisions.length > 0) for (const listener of this.#appliedListeners) listener(revisions);
      return results;
    } catch (error) {
      // What is pending now is not known: a later batch must not be applied on it.
      this.#failure ??= databaseFault(error);
      throw this.#failure;
    }
  }

  async #applyAll(
    entries: readonly DataEntry[],
  ): Promise<readonly [results: CommandResult[], revisions: RevisionEvents[]]> {
    const results: CommandResult[] = [];
    const revisions: RevisionEvents[] = [];
    for (const entry of entries) {
      const command = commandOf(entry);
      const ranges = rangesOf(command);
      if (ranges.length > 0) await this.#load(ranges);
      else if (this.#pending.bytes > PENDING_BYTES_MAX) await this.#writeAll();
      const applied = applyCommand(this.#pending, command, this.#limits);
      this.#pending.write(applied.writes);
      this.#pendingIndex = entry.index;
      this.#appliedCommands += 1;
      results.push(applied.result);
      if (applied.events.length > 0) revisions.push(applied);
    }
    return [results, revisions];
  }

  async #load(ranges: ReturnType<typeof rangesOf>): Promise<void> {
    await this.#writeAll();
    this.#pending.load(await loadRanges(this.#database, ranges, this.#limits));
  }

  #writeWhenMuch(): void {
    if (this.#writing !== null || this.#pending.bytes < CHUNK_BYTES) return;
    // A failure is told by whatever comes next.
    this.#startWriting().catch(() => undefined);
  }

  /** What is pending goes to the database; none must be on its way. */
  #startWriting(): Promise<void> {
    const applied = this.#pendingIndex;
    const writes = this.#pending.leave();
    this.#writing = writeBatch(this.#database, writes, { applied, flush: 'async' }).then(
      () => {
        this.#pending.arrived();
        this.#writtenIndex = applied;
        this.#writtenBatches += 1;
        this.#writing = null;
      },
      (error: unknown) => {
        this.#failure ??= databaseFault(error);
        this.#writing = null;
        throw this.#failure;
      },
    );
    return this.#writing;
  }

  /** The database has everything that was applied before this call. */
  async #writeAll(): Promise<void> {
    const through = this.#pendingIndex;
    while (this.#writtenIndex < through) {
      if (this.#failure !== null) throw this.#failure;
      await (this.#writing ?? this.#startWriting());
    }
  }

  /** Removes forgotten history behind the commands; one removal at a time. */
  #sweepHistory(): void {
    const meta = this.#meta;
    if (meta.compactedRevision <= this.#sweptRevision) return;
    this.#sweptRevision = meta.compactedRevision;
    const database = this.#database;
    const { first, after } = deadRange(meta);
    this.#sweep = this.#sweep
      // Some of it may be pending still.
      .then(() => this.#writeAll())
      .then(() => database.clear({ gte: first, lt: after as string }))
      // A removal that failed is made up for by a later one; writes tell that the disk fails.
      .catch(() => undefined);
  }

  async flush(): Promise<LogIndex> {
    this.#assertOpen();
    await this.#writeAll();
    const index = this.#writtenIndex;
    await writeBatch(this.#database, [], { applied: index, flush: 'sync' });
    await flushLogs(this.#fileSystem, this.#directory.path);
    return index;
  }

  async openSnapshot(): Promise<StoreSnapshot> {
    this.#assertOpen();
    await this.#writeAll();
    const database = this.#database;
    const snapshot = database.snapshot();
    return {
      // From the snapshot itself: a batch may have arrived that is not counted here yet.
      index: readAppliedIndex(database, snapshot),
      content: snapshotContent(database, snapshot),
      close: () => snapshot.close(),
    };
  }

  async install(index: LogIndex, content: AsyncIterable<Uint8Array>): Promise<void> {
    this.#assertOpen();
    // Nothing is on its way to the old database when the new one takes over.
    await this.#writeAll();
    const path = await this.#directory.prepareNext();
    const database = await openDatabase(path, 'new');
    try {
      await fillDatabase(database, content, { index, limits: this.#limits });
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
    for (const listener of this.#installedListeners) listener(this.#meta.revision);
  }

  #takeOver(database: Database): void {
    this.#database = database;
    this.#pending = new PendingRecords(database);
    this.#meta = storedMeta(database);
    this.#appliedIndex = readAppliedIndex(database);
    this.#pendingIndex = this.#appliedIndex;
    this.#writtenIndex = this.#appliedIndex;
    this.#sweptRevision = this.#meta.compactedRevision;
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

  async #settleReads(): Promise<void> {
    await Promise.allSettled([...this.#reads, this.#writing, this.#sweep]);
  }

  #assertOpen(): void {
    if (this.#closing !== null) throw closedFault();
    if (this.#failure !== null) throw this.#failure;
  }

  onApplied(listener: (revisions: readonly RevisionEvents[]) => void): { stop(): void } {
    return registration(this.#appliedListeners, listener);
  }

  onInstalled(listener: (revision: Revision) => void): { stop(): void } {
    return registration(this.#installedListeners, listener);
  }

  range(request: Omit<RangeRequest, 'consistency'>): Promise<RangeReply> {
    return this.#read((database, snapshot) => readRange(database, snapshot, request));
  }

  history(from: Revision, bytesMax: number): Promise<readonly RevisionEvents[]> {
    return this.#read((database, snapshot) => readHistory(database, snapshot, { from, bytesMax }));
  }

  readLease(id: LeaseId): Promise<StoredLease | null> {
    return this.#read((database, snapshot) => readStoredLease(database, snapshot, id));
  }

  digest(): Promise<string> {
    return this.#read(readDigest);
  }

  async *leases(): AsyncGenerator<Lease> {
    this.#assertOpen();
    await this.#writeAll();
    const snapshot = this.#database.snapshot();
    try {
      yield* readLeases(this.#database, snapshot);
    } finally {
      await snapshot.close();
    }
  }

  #read<Value>(
    read: (database: Database, snapshot: DatabaseSnapshot) => Promise<Value>,
  ): Promise<Value> {
    const reading = this.#readOnce(read);
    this.#reads.add(reading);
    const forget = (): boolean => this.#reads.delete(reading);
    reading.then(forget, forget);
    return reading;
  }

  async #readOnce<Value>(
    read: (database: Database, snapshot: DatabaseSnapshot) => Promise<Value>,
  ): Promise<Value> {
    this.#assertOpen();
    await this.#writeAll();
    const snapshot = this.#database.snapshot();
    try {
      return await read(this.#database, snapshot);
    } finally {
      await snapshot.close();
    }
  }
}

function commandOf(entry: DataEntry): Command {
  const decoded = decodeCommand(entry.data);
  if (decoded.ok) return decoded.value;
  const detail = `entry ${entry.index} of the placement log is not understood (${decoded.fault.detail}): run the version that wrote it`;
  throw new PlacementStoreError({ code: 'PLACEMENT_STORE_UNKNOWN_COMMAND', detail });
}

function registration<Value>(
  listeners: Set<Listener<Value>>,
  listener: Listener<Value>,
): { stop(): void } {
  listeners.add(listener);
  return { stop: () => listeners.delete(listener) };
}
