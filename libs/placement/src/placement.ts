import type { LeaseId, Revision } from './identifiers.ts';
import type { KeyEvent, KeyRange } from './key-value.ts';
import type { RangeOperation, RangeResult, Transaction, TransactionResult } from './transaction.ts';

/**
 * The placement store as everything above it sees it: the same in process (`libs/placement-node`),
 * over gRPC and on etcd (`libs/placement-client`). `libs/placement-conformance` is what they share.
 *
 * Every method throws `PlacementError`. One that changes something rejects with
 * `PLACEMENT_OUTCOME_UNKNOWN` when the change may have happened; any other code means that it did not.
 */
export interface Placement {
  range(request: RangeRequest, options: CallOptions): Promise<RangeReply>;
  transact(transaction: Transaction, options: CallOptions): Promise<TransactionResult>;

  /** Changes from `from` on, each once, in order; see {@link Watch}. */
  watch(request: WatchRequest): Watch;

  /** @param ttlSeconds  how long it lives without being kept alive, 1 to 9,000,000,000 */
  grantLease(ttlSeconds: number, options: CallOptions): Promise<Lease>;
  /** Lets the lease live for its whole time from now. @throws PLACEMENT_LEASE_NOT_FOUND when it ended */
  keepLease(id: LeaseId, options: CallOptions): Promise<Lease>;
  revokeLease(id: LeaseId, options: CallOptions): Promise<void>;
  readLease(id: LeaseId, options: CallOptions): Promise<LeaseStatus>;

  /** Forgets the history up to `revision`: a watch can't begin there any more. */
  compact(revision: Revision, options: CallOptions): Promise<void>;

  /** Ends watches and waits for calls under way. Idempotent. */
  close(): Promise<void>;
}

export interface CallOptions {
  /** The call rejects after this long, whatever happens. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal | null;
}

export interface RangeRequest extends Omit<RangeOperation, 'kind'> {
  /** `linearizable` sees every change acknowledged before the call; `serializable` may lag. */
  readonly consistency: 'linearizable' | 'serializable';
}

export interface RangeReply extends RangeResult {
  /** The store at the moment of the read: watch from `revision + 1` and nothing is missed. */
  readonly revision: Revision;
}

export interface Lease {
  readonly id: LeaseId;
  readonly ttlSeconds: number;
}

export interface LeaseStatus extends Lease {
  /** Before it ends unless kept alive. */
  readonly remainingSeconds: number;
  readonly keys: readonly string[];
}

export interface WatchRequest {
  readonly range: KeyRange;
  /** The first revision wanted; null: the first after the watch began. */
  readonly from: Revision | null;
  /** A batch without events tells at least this often how far the watch has come; null: never. */
  readonly progressEveryMs: number | null;
}

/**
 * Batches in order, without a gap, over any number of changed leaders and lost connections. The
 * events of one revision are never split. Ends without an error after `cancel`, and with
 * `PLACEMENT_REVISION_COMPACTED` when it fell behind what is kept: then read again, and watch on.
 *
 * A consumer that does not ask for the next batch costs bounded memory: it is fed from the history
 * when it returns.
 */
export interface Watch extends AsyncIterable<WatchBatch> {
  cancel(): void;
}

export interface WatchBatch {
  /** Every event of the range up to and including this revision was delivered. */
  readonly revision: Revision;
  readonly events: readonly KeyEvent[];
}
