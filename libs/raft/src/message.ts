import type { Configuration } from './configuration.ts';
import type { Entry } from './entry.ts';
import type { EntryId, LogIndex, NodeId, Term } from './identifiers.ts';

/** What every message says: who speaks to whom, and in which term. */
interface Addressed {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly term: Term;
}

/**
 * Everything one node tells another. Any of them may be lost, repeated, delayed or overtaken;
 * a driver never needs to order them.
 */
export type RaftMessage =
  | PreVoteRequest
  | PreVoteResponse
  | VoteRequest
  | VoteResponse
  | AppendRequest
  | AppendAccepted
  | AppendRejected
  | Heartbeat
  | HeartbeatResponse
  | SnapshotChunk
  | SnapshotChunkResponse
  | TimeoutNow
  | ReadIndexRequest
  | ReadIndexResponse;

/** "Would you vote for me?" `term` is the one the sender would campaign in (Raft thesis §9.6). */
export interface PreVoteRequest extends Addressed {
  readonly kind: 'preVoteRequest';
  readonly last: EntryId;
}

/** `term` echoes the request when granted, else it is the responder's own. */
export interface PreVoteResponse extends Addressed {
  readonly kind: 'preVoteResponse';
  readonly granted: boolean;
}

/** RequestVote (Raft Figure 2). `transfer` overrides the lease of the leader (Raft thesis §4.2.3). */
export interface VoteRequest extends Addressed {
  readonly kind: 'voteRequest';
  readonly last: EntryId;
  readonly transfer: boolean;
}

export interface VoteResponse extends Addressed {
  readonly kind: 'voteResponse';
  readonly granted: boolean;
}

/** AppendEntries (Raft Figure 2); without entries it carries the commit index or probes. */
export interface AppendRequest extends Addressed {
  readonly kind: 'appendRequest';
  readonly previous: EntryId;
  readonly entries: readonly Entry[];
  readonly commitIndex: LogIndex;
}

/** The log equals the leader's, durably, up to and including `matchIndex`. */
export interface AppendAccepted extends Addressed {
  readonly kind: 'appendAccepted';
  readonly matchIndex: LogIndex;
}

/**
 * The consistency check failed at `previousIndex`. `conflict` is the term found there and its first
 * index, or term 0 and the index after the end of a shorter log (Raft §5.3, last paragraphs).
 */
export interface AppendRejected extends Addressed {
  readonly kind: 'appendRejected';
  readonly previousIndex: LogIndex;
  readonly conflict: EntryId;
}

/** A sign of life. A driver may pack those of all groups between two nodes into one frame. */
export interface Heartbeat extends Addressed {
  readonly kind: 'heartbeat';
  /** Never beyond what the receiver is known to hold. */
  readonly commitIndex: LogIndex;
  /** Counts the leader's rounds; the answer repeats it (Raft thesis §6.4). */
  readonly round: number;
  /** The group falls asleep: the receiver stops its election timer if it agrees. */
  readonly quiesce: boolean;
}

export interface HeartbeatResponse extends Addressed {
  readonly kind: 'heartbeatResponse';
  readonly round: number;
}

/** Names a snapshot and says what a node must know of the log it replaces (Raft §7). */
export interface SnapshotMetadata {
  readonly last: EntryId;
  /** The configuration in force at `last.index` (Raft §7). */
  readonly configuration: Configuration;
}

/** InstallSnapshot (Raft Figure 13). `offset` counts bytes; `data` is owned by the receiver. */
export interface SnapshotChunk extends Addressed {
  readonly kind: 'snapshotChunk';
  readonly snapshot: SnapshotMetadata;
  readonly offset: number;
  readonly data: Uint8Array;
  readonly done: boolean;
}

/** All bytes before `nextOffset` arrived. Arrival is no promise: only `appendAccepted` is. */
export interface SnapshotChunkResponse extends Addressed {
  readonly kind: 'snapshotChunkResponse';
  readonly snapshotIndex: LogIndex;
  readonly nextOffset: number;
}

/** "Campaign now": leadership is handed over (Raft thesis §3.10). */
export interface TimeoutNow extends Addressed {
  readonly kind: 'timeoutNow';
}

/** A follower asks for a read index on behalf of its own readers (Raft thesis §6.4). */
export interface ReadIndexRequest extends Addressed {
  readonly kind: 'readIndexRequest';
  readonly requestId: number;
}

export interface ReadIndexResponse extends Addressed {
  readonly kind: 'readIndexResponse';
  readonly requestId: number;
  readonly index: LogIndex;
}
