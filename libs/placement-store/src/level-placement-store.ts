/**
 * The placement state in LevelDB.
 *
 * ```text
 *  entries ─► commands ─► PendingRecords ─► batches with the applied index ─► LevelDB
 *                  └────► events ─────────► listeners, then the results are told
 * ```
 *
 * While one batch is written, the next commands are applied to what is pending.
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
  type Entry,
  flushLogs,
  openDatabase,
  scan,
} from './level-database.ts';
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

/** So much goes to the database while the next commands are applied. */
const CHUNK_BYTES = 64 * 1024;

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
  #appliedIndex: LogIndex;
  /** The batch on its way to the database. */
  #writing: Promise<void> = Promise.resolve();
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
      await this.#writeOut(through);
      if (revisions.length > 0) for (const listener of this.#appliedListeners) listener(revisions);
      return results;
    } catch (error) {
      // What is pending now is not known: a later batch must not be applied on it.
      this.#failure = databaseFault(error);
      throw this.#failure;
    }
  }

  async #applyAll(
    entries: readonly DataEntry[],
  ): Promise<readonly [results: CommandResult[], revisions: RevisionEvents[]]> {
    const results: CommandResult[] = [];
    const revisions: RevisionEvents[] = [];
    let before = this.#appliedIndex;
    for (const entry of entries) {
      const command = commandOf(entry);
      const ranges = rangesOf(command);
      if (ranges.length > 0) await this.#load(ranges, before);
      else if (this.#pending.bytes > CHUNK_BYTES) await this.#startWriting(before);
      const applied = applyCommand(this.#pending, command, this.#limits);
      this.#pending.write(applied.writes);
      this.#appliedCommands += 1;
      results.push(applied.result);
      if (applied.events.length > 0) revisions.push(applied);
      before = entry.index;
    }
    return [results, revisions];
  }

  /** @param before  the last entry applied */
  async #load(ranges: ReturnType<typeof rangesOf>, before: LogIndex): Promise<void> {
    if (this.#pending.size > 0) await this.#startWriting(before);
    await this.#writing;
    const loaded: [(typeof ranges)[number], Entry[]][] = [];
    for (const range of ranges) loaded.push([range, await this.#loadRange(range)]);
    this.#pending.load(loaded);
  }

  async #loadRange(range: ReturnType<typeof rangesOf>[number]): Promise<Entry[]> {
    const loaded: Entry[] = [];
    const options = { snapshot: undefined, recordsMax: range.recordsMax };
    for await (const entries of scan(this.#database, range, options)) {
      for (const entry of entries) loaded.push(entry);
    }
    return loaded;
  }

  /** Waits for the batch before, then lets what is pending go to the database. */
  async #startWriting(applied: LogIndex): Promise<void> {
    await this.#writing;
    const writes = this.#pending.leave();
    const writing = writeBatch(this.#database, writes, { applied, flush: 'async' });
    this.#writing = writing.then(() => {
      this.#pending.arrived();
      this.#appliedIndex = applied;
      this.#writtenBatches += 1;
    });
    // A failure is told to whoever waits for it, who may come later.
    this.#writing.catch(() => undefined);
  }

  async #writeOut(applied: LogIndex): Promise<void> {
    await this.#writing;
    if (this.#pending.size === 0 && applied === this.#appliedIndex) return;
    await this.#startWriting(applied);
    await this.#writing;
    this.#meta = storedMeta(this.#database);
    this.#sweepHistory();
  }

  /** Removes forgotten history behind the commands; one removal at a time. */
  #sweepHistory(): void {
    const meta = this.#meta;
    if (meta.compactedRevision <= this.#sweptRevision) return;
    this.#sweptRevision = meta.compactedRevision;
    const database = this.#database;
    const { first, after } = deadRange(meta);
    this.#sweep = this.#sweep
      .then(() => database.clear({ gte: first, lt: after as string }))
      // A removal that failed is made up for by a later one; writes tell that the disk fails.
      .catch(() => undefined);
  }

  async flush(): Promise<LogIndex> {
    this.#assertOpen();
    const index = this.#appliedIndex;
    await writeBatch(this.#database, [], { applied: index, flush: 'sync' });
    await flushLogs(this.#fileSystem, this.#directory.path);
    return index;
  }

  async openSnapshot(): Promise<StoreSnapshot> {
    this.#assertOpen();
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
    const path = await this.#directory.prepareNext();
    const database = await openDatabase(path, 'new');
    try {
      await fillDatabase(database, content, index);
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
    this.#sweptRevision = this.#meta.compactedRevision;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#settleReads();
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
