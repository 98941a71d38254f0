import type { Entry } from './entry.ts';
import type { EntryId, LogIndex, NodeId, PersistNumber, Term } from './identifiers.ts';
import type { RaftMessage, SnapshotMetadata } from './message.ts';

/** What must survive a restart beside the log (Raft Figure 2, "Persistent state"). */
export interface HardState {
  readonly term: Term;
  readonly votedFor: NodeId | null;
}

/**
 * What to write, in the order of `number`, each atomically with respect to a crash or not at all.
 * Several may share one flush.
 */
export interface Persist {
  readonly number: PersistNumber;
  /** null when unchanged. */
  readonly hardState: HardState | null;
  /** Not null: the whole log is dropped and restarts after this entry, before `entries`. */
  readonly resetTo: EntryId | null;
  /** Consecutive; whatever the log holds from the index of the first one on is replaced. */
  readonly entries: readonly Entry[];
}

/** What became of a proposal, a membership change or a transfer; its commitment comes later. */
export type ProposalOutcome =
  | { readonly kind: 'appended'; readonly first: EntryId; readonly count: number }
  | { readonly kind: 'transferring'; readonly to: NodeId }
  | ProposalRefused;

/** Nothing was appended. */
export interface ProposalRefused {
  readonly kind: 'refused';
  readonly reason: ProposalRefusal;
  /** The leader as far as known: where to try again. */
  readonly leader: NodeId | null;
}

export type ProposalRefusal =
  | 'notLeader'
  /** Leadership is being handed over: wait, or ask the new leader. */
  | 'transferring'
  /** LIMIT: uncommittedBytesMax is reached: slow down. */
  | 'overloaded'
  /** An earlier membership change is not finished. */
  | 'membershipPending'
  /** The change changes nothing, leaves no voter, or names a node of the wrong kind. */
  | 'membershipInvalid'
  /** The learner to be promoted is too far behind (Raft thesis §4.2.1). */
  | 'learnerBehind';

/** A read is linearizable once the state machine has applied `index` (Raft thesis §6.4). */
export interface ReadReady {
  readonly requestId: number;
  readonly index: LogIndex;
}

/** Entries that left memory: read them from the log and feed `logRead`. */
export interface LogRead {
  readonly to: NodeId;
  readonly from: LogIndex;
  /** At most these bytes, yet at least one entry. */
  readonly bytesMax: number;
}

/** A piece of the own snapshot is wanted: read it and feed `snapshotRead`, or `snapshotGone`. */
export interface SnapshotRead {
  readonly to: NodeId;
  readonly snapshotIndex: LogIndex;
  readonly offset: number;
  readonly bytesMax: number;
}

/**
 * A received piece of a snapshot; pieces come in order, offset 0 starts anew. After `done` make it
 * durable, replace the state machine's content, and feed `snapshotInstalled`; nothing is handed
 * over to be applied in between.
 */
export interface SnapshotWrite {
  readonly snapshot: SnapshotMetadata;
  readonly offset: number;
  readonly data: Uint8Array;
  readonly done: boolean;
}

/**
 * What the driver must now do, in this order:
 *
 * 1. send `messages` at once;
 * 2. make `persist` durable, feed `persisted`, and send `messagesAfterPersist` once this persist
 *    *and every earlier one* is durable: they promise state that must survive a restart
 *    (Raft Figure 2, "Persistent state"; thesis §3.8). They wait for earlier persists even when
 *    this output has none of its own;
 * 3. apply `committed` to the replicated state machine, by ascending log index. They are durable
 *    on this node already;
 * 4. carry out the reads and writes, in any order, and feed their results back.
 */
export interface RaftOutput {
  readonly messages: readonly RaftMessage[];
  readonly persist: Persist | null;
  readonly messagesAfterPersist: readonly RaftMessage[];
  readonly committed: readonly Entry[];
  /** Set exactly for `propose`, `proposeMembership` and `transferLeadership`. */
  readonly proposal: ProposalOutcome | null;
  readonly readsReady: readonly ReadReady[];
  /** Requests that will never be answered: ask again, perhaps another node. */
  readonly readsRefused: readonly number[];
  readonly logReads: readonly LogRead[];
  readonly snapshotReads: readonly SnapshotRead[];
  readonly snapshotWrite: SnapshotWrite | null;
  /** While `quiescent` the node needs no tick: any other input wakes it when necessary. */
  readonly activity: 'active' | 'quiescent';
}

/** An output under construction. */
export interface OutputDraft {
  messages: RaftMessage[];
  messagesAfterPersist: RaftMessage[];
  entries: Entry[];
  resetTo: EntryId | null;
  hardStateChanged: boolean;
  proposal: ProposalOutcome | null;
  readsReady: ReadReady[];
  readsRefused: number[];
  logReads: LogRead[];
  snapshotReads: SnapshotRead[];
  snapshotWrite: SnapshotWrite | null;
}

export function newOutputDraft(): OutputDraft {
  return {
    messages: [],
    messagesAfterPersist: [],
    entries: [],
    resetTo: null,
    hardStateChanged: false,
    proposal: null,
    readsReady: [],
    readsRefused: [],
    logReads: [],
    snapshotReads: [],
    snapshotWrite: null,
  };
}
