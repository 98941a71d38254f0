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
import type { Database, DatabaseSnapshot, LevelState } from '@robustmq/level-state';
import {
  applyCommand,
  assertSameLimits,
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
import { loadRanges } from './load-ranges.ts';
import { PendingRecords } from './pending-records.ts';
import type {
  PlacementStore,
  PlacementStoreStats,
  StoredLease,
  StoreSnapshot,
} from './placement-store.ts';
import { PlacementStoreError, placementStoreFault } from './placement-store-error.ts';
import { fillFromSnapshot, snapshotContent } from './store-snapshot.ts';
import {
  deadRange,
  readDigest,
  readHistory,
  readLeases,
  readRange,
  readStoredLease,
} from './stored-reads.ts';

type Listener<Value> = (value: Value) => void;

export class LevelPlacementStore implements PlacementStore {
  readonly #state: LevelState;
  readonly #records: PendingRecords;
  readonly #limits: StateMachineLimits;
  readonly #appliedListeners = new Set<Listener<readonly RevisionEvents[]>>();
  readonly #installedListeners = new Set<Listener<Revision>>();
  #meta: StoreMeta;
  /** Of the last call of `apply` that is over. */
  #appliedIndex: LogIndex;
  #sweep: Promise<void> = Promise.resolve();
  #sweptRevision: Revision = 0 as Revision;
  #appliedCommands = 0;

  /** The state belongs to the store from now on, unless this throws. */
  constructor(state: LevelState, limits: StateMachineLimits) {
    this.#state = state;
    this.#limits = limits;
    this.#records = new PendingRecords(state);
    this.#meta = metaOf(this.#records);
    assertSameLimits(this.#meta, limits);
    this.#appliedIndex = state.appliedIndex;
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
      writtenBatches: this.#state.writtenBatches,
    };
  }

  async apply(entries: readonly DataEntry[], through: LogIndex): Promise<readonly CommandResult[]> {
    await this.#state.makeRoom().catch(rethrow);
    try {
      const [results, revisions] = await this.#applyAll(entries);
      if (entries.length > 0) this.#meta = metaOf(this.#records);
      this.#state.applied(through);
      this.#appliedIndex = through;
      this.#sweepHistory();
      if (revisions.length > 0) for (const listener of this.#appliedListeners) listener(revisions);
      return results;
    } catch (error) {
      // What is pending now is not known: a later batch must not be applied on it.
      throw placementStoreFault(this.#state.poison(error));
    }
  }

  async #applyAll(
    entries: readonly DataEntry[],
  ): Promise<readonly [results: CommandResult[], revisions: RevisionEvents[]]> {
    const results: CommandResult[] = [];
    const revisions: RevisionEvents[] = [];
    for (const entry of entries) {
      const command = commandOf(entry);
      await this.#state.makeRoom();
      const ranges = rangesOf(command);
      if (ranges.length > 0) await this.#load(ranges);
      const applied = applyCommand(this.#records, command, this.#limits);
      this.#records.write(applied.writes);
      this.#state.applied(entry.index);
      this.#appliedCommands += 1;
      results.push(applied.result);
      if (applied.events.length > 0) revisions.push(applied);
    }
    return [results, revisions];
  }

  async #load(ranges: ReturnType<typeof rangesOf>): Promise<void> {
    // A read waits until the database has what is pending.
    const limits = this.#limits;
    this.#records.load(
      await this.#state.read(({ database }) => loadRanges(database, ranges, limits)),
    );
  }

  /** Removes forgotten history behind the commands; one removal at a time. */
  #sweepHistory(): void {
    const meta = this.#meta;
    if (meta.compactedRevision <= this.#sweptRevision) return;
    this.#sweptRevision = meta.compactedRevision;
    const { first, after } = deadRange(meta);
    this.#sweep = this.#sweep
      // Some of it may be pending still: a read waits for it.
      .then(() =>
        this.#state.read(({ database }) => database.clear({ gte: first, lt: after as string })),
      )
      // A removal that failed is made up for by a later one; writes tell that the disk fails.
      .catch(() => undefined);
  }

  async flush(): Promise<LogIndex> {
    return this.#state.flush().catch(rethrow);
  }

  async openSnapshot(): Promise<StoreSnapshot> {
    const view = await this.#state.openView().catch(rethrow);
    const content = snapshotContent(view.database, view.snapshot);
    return { index: view.appliedIndex, content, close: () => view.close() };
  }

  async install(index: LogIndex, content: AsyncIterable<Uint8Array>): Promise<void> {
    const limits = this.#limits;
    const fill = (database: Database): Promise<void> =>
      fillFromSnapshot(database, content, { index, limits });
    await this.#state.replace(fill).catch(rethrow);
    this.#meta = metaOf(this.#records);
    this.#appliedIndex = this.#state.appliedIndex;
    this.#sweptRevision = this.#meta.compactedRevision;
    for (const listener of this.#installedListeners) listener(this.#meta.revision);
  }

  async close(): Promise<void> {
    await this.#sweep;
    await this.#state.close();
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
    const view = await this.#state.openView().catch(rethrow);
    try {
      yield* readLeases(view.database, view.snapshot);
    } catch (error) {
      throw placementStoreFault(error);
    } finally {
      await view.close();
    }
  }

  #read<Value>(
    read: (database: Database, snapshot: DatabaseSnapshot) => Promise<Value>,
  ): Promise<Value> {
    return this.#state.read(({ database, snapshot }) => read(database, snapshot)).catch(rethrow);
  }
}

function rethrow(error: unknown): never {
  throw placementStoreFault(error);
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
