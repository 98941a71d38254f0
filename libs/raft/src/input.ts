import type { MembershipChange } from './configuration.ts';
import type { Entry } from './entry.ts';
import type { LogIndex, NodeId, PersistNumber } from './identifiers.ts';
import type { RaftMessage, SnapshotMetadata } from './message.ts';

/** Everything that can happen to a Raft node. Time is an input, never a lookup. */
export type RaftInput =
  /** One tick of a monotonic clock passed. Not needed while the node is quiescent. */
  | { readonly kind: 'tick' }
  | { readonly kind: 'receive'; readonly message: RaftMessage }
  /** Appends one entry per payload, all or none. The payloads belong to the log from now on. */
  | { readonly kind: 'propose'; readonly payloads: readonly Uint8Array[] }
  | { readonly kind: 'proposeMembership'; readonly changes: readonly MembershipChange[] }
  | { readonly kind: 'transferLeadership'; readonly to: NodeId }
  /** Asks for an index at which a read is linearizable (Raft thesis §6.4). */
  | { readonly kind: 'readIndex'; readonly requestId: number }
  /** Every persist up to and including this one is durable. */
  | { readonly kind: 'persisted'; readonly through: PersistNumber }
  /** The answer to a `LogRead`: consecutive entries, the first at the index asked for. */
  | { readonly kind: 'logRead'; readonly to: NodeId; readonly entries: readonly Entry[] }
  /** The answer to a `SnapshotRead`. */
  | ({ readonly kind: 'snapshotRead'; readonly to: NodeId } & SnapshotPiece)
  /** The snapshot to be read no longer exists: the newest one is sent instead. */
  | { readonly kind: 'snapshotGone'; readonly to: NodeId; readonly snapshotIndex: LogIndex }
  /** The state machine's own snapshot is durable; see `snapshotMetadataAt`. */
  | { readonly kind: 'snapshotTaken'; readonly snapshot: SnapshotMetadata }
  /** The received snapshot is durable and the state machine holds its content. */
  | { readonly kind: 'snapshotInstalled'; readonly snapshot: SnapshotMetadata }
  /** The received snapshot could not be stored; nothing was changed. */
  | { readonly kind: 'snapshotInstallFailed' }
  /** Forgets the log up to `through`, which the newest snapshot covers. */
  | { readonly kind: 'compact'; readonly through: LogIndex }
  /** Node-level liveness lost `node`: whoever sleeps in its shelter wakes. */
  | { readonly kind: 'nodeSuspected'; readonly node: NodeId };

/** Bytes of the snapshot whose last included index is `snapshotIndex`, from `offset` on. */
export interface SnapshotPiece {
  readonly snapshotIndex: LogIndex;
  readonly offset: number;
  readonly data: Uint8Array;
  readonly done: boolean;
}
