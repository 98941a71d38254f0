import type {
  CommandResult,
  Lease,
  LeaseId,
  RangeReply,
  RangeRequest,
  Revision,
  RevisionEvents,
} from '@robustmq/placement';
import type { DataEntry, LogIndex } from '@robustmq/raft';

/**
 * The placement state on disk, of the shape that a Raft group drives.
 *
 * `apply`, `flush`, `openSnapshot`, `install` and `close` are called one at a time. Reads may overlap
 * them and each other: each sees the store as it stood between two batches. Everything throws
 * `PlacementStoreError` when the disk fails, except where another error is named.
 */
export interface PlacementStore {
  readonly appliedIndex: LogIndex;
  /** Of the newest change. */
  readonly revision: Revision;
  /** History up to and including this revision is gone. */
  readonly compactedRevision: Revision;
  /** A fresh copy at each look. */
  readonly stats: PlacementStoreStats;

  /** Applies committed entries in order, as one batch. @returns one result per entry */
  apply(entries: readonly DataEntry[], through: LogIndex): Promise<readonly CommandResult[]>;
  /** Makes everything applied durable. @returns the index reached */
  flush(): Promise<LogIndex>;
  openSnapshot(): Promise<StoreSnapshot>;
  /** Replaces the whole content; after a crash in between the old or the new one is there. */
  install(index: LogIndex, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** Waits for reads under way. Idempotent. */
  close(): Promise<void>;

  /** Called after each batch that changed keys, in order, before the results of `apply` are told. */
  onApplied(listener: (revisions: readonly RevisionEvents[]) => void): { stop(): void };
  /** Called after `install`: what was between the old revision and the new one is not told. */
  onInstalled(listener: (revision: Revision) => void): { stop(): void };

  /** @throws PlacementStoreError only; `consistency` is the caller's concern */
  range(request: Omit<RangeRequest, 'consistency'>): Promise<RangeReply>;
  /**
   * Whole revisions from `from` on, at least one if there is one, until about `bytesMax`.
   *
   * @throws PlacementError PLACEMENT_REVISION_COMPACTED
   */
  history(from: Revision, bytesMax: number): Promise<readonly RevisionEvents[]>;
  /** Every lease, ascending by id; one that has ended while keys are left has no time to live: 0. */
  leases(): AsyncIterable<Lease>;
  /** null when there is no such lease or it has ended. `keys` are ascending. */
  readLease(id: LeaseId): Promise<StoredLease | null>;
  /** Equal on members that applied the same commands. Reads everything: for tests and diagnosis. */
  digest(): Promise<string>;
}

export interface StoredLease extends Lease {
  readonly keys: readonly string[];
}

/** The whole content at one moment. */
export interface StoreSnapshot {
  readonly index: LogIndex;
  /** Pieces of about 128 KiB, read once. */
  readonly content: AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

export interface PlacementStoreStats {
  readonly keys: number;
  readonly leases: number;
  /** What counts against the limit of the state machine. */
  readonly storedBytes: number;
  readonly storedBytesMax: number;
  readonly appliedCommands: number;
  readonly writtenBatches: number;
}
