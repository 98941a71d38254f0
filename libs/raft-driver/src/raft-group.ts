import type { EntryId, LogIndex, MembershipChange, NodeId, RaftStatus } from '@robustmq/raft';

/**
 * One member of one Raft group, running. Opened by a `RaftHost`.
 *
 * Every `deadlineMs` says how long to wait from the call on, in steps of a tick.
 */
export interface RaftGroup<Result> {
  readonly name: string;
  /** A fresh copy at each look. */
  readonly status: RaftStatus;

  /**
   * Appends a command, waits until a majority has it on disk and this node has applied it.
   *
   * @throws RaftError RAFT_REFUSED          nothing was appended; `leader` says where to try
   * @throws RaftError RAFT_OUTCOME_UNKNOWN  leadership was lost, the deadline passed, or the group closed
   *   before the entry's fate was known
   */
  propose(data: Uint8Array, deadlineMs: number, stages?: ProposalStages): Promise<Proposed<Result>>;

  /**
   * Waits until this node's state machine shows everything acknowledged before the call
   * (read index; with leases without a message).
   *
   * @throws RaftError RAFT_UNAVAILABLE  nobody confirmed it before the deadline
   */
  readBarrier(deadlineMs: number): Promise<LogIndex>;

  /** Settles once the final configuration is committed. Throws as `propose` does. */
  changeMembership(changes: readonly MembershipChange[], deadlineMs: number): Promise<EntryId>;

  /** Settles once this node has heard of the new leader. Throws as `propose` does. */
  transferLeadership(to: NodeId, deadlineMs: number): Promise<void>;

  /** Called after each change of the leader, the term or the role; `stop` ends it. */
  onLeadership(listener: (status: RaftStatus) => void): { stop(): void };

  /** Writes a snapshot file now and forgets the log before it. */
  takeSnapshot(): Promise<LogIndex>;

  /**
   * Forgets the log up to the index that the machine's `flush` names, in whole files; a follower
   * that needs more gets the machine's snapshot, which must end at that index.
   *
   * @returns the index after which the log begins now
   */
  forgetLog(): Promise<LogIndex>;

  /** Ends the group on this node; what it has on disk stays. Idempotent. */
  close(): Promise<void>;
}

/** What a proposal comes to before it is committed; it may be lost with the leader at each. */
export interface ProposalStages {
  /** It is in the log of this leader, in memory. Called in the order of the log. */
  readonly appended: (id: EntryId) => void;
  /** It is on this leader's disk; not called once its fate is known to be another. null: nobody asks. */
  readonly durable: (() => void) | null;
}

export interface Proposed<Result> {
  readonly id: EntryId;
  readonly result: Result;
}

/** Why a group did not do what it was asked to. Codes are API. */
export type RaftFault =
  | {
      readonly code: 'RAFT_REFUSED';
      readonly reason: string;
      readonly leader: NodeId | null;
    }
  | { readonly code: 'RAFT_OUTCOME_UNKNOWN'; readonly detail: string }
  | { readonly code: 'RAFT_UNAVAILABLE'; readonly detail: string }
  /** The log can't be trusted; the process must not go on as this member. */
  | {
      readonly code: 'RAFT_LOG_CORRUPT';
      readonly file: string;
      readonly position: number;
      readonly detail: string;
    }
  | { readonly code: 'RAFT_IO_FAILED'; readonly detail: string }
  | { readonly code: 'RAFT_FULL'; readonly detail: string };
