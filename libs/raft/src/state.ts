import type { Configuration } from './configuration.ts';
import type { LogIndex, NodeId, PersistNumber, Term } from './identifiers.ts';
import type { RaftLog } from './log.ts';
import type { RaftMessage, SnapshotMetadata } from './message.ts';
import type { RaftOptions } from './options.ts';
import type { OutputDraft } from './output.ts';
import type { Progress } from './progress.ts';
import type { RandomState } from './random.ts';
import type { PlacedConfiguration, RaftRules } from './rules.ts';

/** The role of a node and what only that role needs (Raft Figure 4; pre-candidate: thesis §9.6). */
export type Role = FollowerRole | PreCandidateRole | CandidateRole | LeaderRole;

export interface FollowerRole {
  readonly kind: 'follower';
  /** null until a leader of this term is heard. */
  leader: NodeId | null;
}

export interface PreCandidateRole {
  readonly kind: 'preCandidate';
  readonly votes: Map<NodeId, boolean>;
}

export interface CandidateRole {
  readonly kind: 'candidate';
  readonly votes: Map<NodeId, boolean>;
  /** The persist that makes the own vote durable. */
  readonly ownVoteIn: PersistNumber;
}

export interface LeaderRole {
  readonly kind: 'leader';
  readonly progress: Map<NodeId, Progress>;
  /** Ticks since the election, the clock of leases; it stands still while quiescent. */
  ticks: number;
  /** Heartbeat rounds so far; when those not answered by a quorum yet were sent. */
  round: number;
  readonly roundsSent: { readonly round: number; readonly tick: number }[];
  /** Rounds up to this one give no lease: the clock stood still since. */
  leaseFloorRound: number;
  /** A TimeoutNow of this term is on its way for ever: no lease any more (Raft thesis §6.4.1). */
  leaseForfeited: boolean;
  readonly reads: PendingRead[];
  transfer: { readonly to: NodeId; ticks: number; sent: boolean } | null;
  uncommittedBytes: number;
  idleTicks: number;
}

/** A read that waits for the leader's first commit or for a heartbeat round. */
export interface PendingRead {
  /** Who asked: this node or a follower. */
  readonly origin: NodeId;
  readonly requestId: number;
  /** null until the leader committed in its own term (Raft thesis §6.4, step 1). */
  place: { readonly index: LogIndex; readonly round: number } | null;
}

/** A persist that is not known to be durable yet. */
export interface PendingPersist {
  readonly number: PersistNumber;
  /** The log up to here is durable once it is; clipped when the log is truncated. */
  lastIndex: LogIndex;
}

/** A snapshot on its way in. */
export interface IncomingSnapshot {
  readonly from: NodeId;
  readonly snapshot: SnapshotMetadata;
  nextOffset: number;
  phase: 'receiving' | 'installing';
}

/** Everything a node knows. Owned by whoever calls `step`; read it through `statusOf`. */
export interface RaftState extends RandomState {
  readonly id: NodeId;
  readonly options: RaftOptions;
  readonly rules: RaftRules;

  term: Term;
  votedFor: NodeId | null;
  role: Role;

  readonly log: RaftLog;
  /** Ascending; the first is at or before the log's base. Never empty. */
  configurations: PlacedConfiguration[];
  /** The one in force, kept beside `configurations` because every decision asks for it. */
  configuration: Configuration;
  snapshot: SnapshotMetadata;
  incoming: IncomingSnapshot | null;

  /** Invariant: deliveredIndex <= commitIndex <= log.lastIndex, durableIndex <= log.lastIndex. */
  commitIndex: LogIndex;
  /** Handed over in `committed`. */
  deliveredIndex: LogIndex;
  durableIndex: LogIndex;
  pendingPersists: PendingPersist[];
  lastPersist: PersistNumber;
  persistedThrough: PersistNumber;
  /** The persist that holds the current term and vote. */
  hardStateIn: PersistNumber;

  electionElapsedTicks: number;
  electionAfterTicks: number;
  /** Votes are refused for so long because a leader was heard (Raft thesis §4.2.3). */
  leaderHeardTicksLeft: number;
  heartbeatElapsedTicks: number;
  quiescent: boolean;
  /** Reads forwarded to the leader of this term, and for how long they have waited. */
  forwardedReads: { readonly requestId: number; ticks: number }[];

  draft: OutputDraft;
}

/** The leader as far as this node knows, itself included. */
export function leaderOf(state: RaftState): NodeId | null {
  switch (state.role.kind) {
    case 'leader':
      return state.id;
    case 'follower':
      return state.role.leader;
    case 'preCandidate':
    case 'candidate':
      return null;
  }
}

/** Sends at once: the message promises nothing that a restart could break. */
export function send(state: RaftState, message: RaftMessage): void {
  state.draft.messages.push(message);
}

/** Sends once everything this node knows now is durable. */
export function sendAfterPersist(state: RaftState, message: RaftMessage): void {
  state.draft.messagesAfterPersist.push(message);
}

/** Sends a message that promises the current term and vote, but nothing of the log. */
export function sendPromisingTerm(state: RaftState, message: RaftMessage): void {
  if (isHardStateDurable(state)) send(state, message);
  else sendAfterPersist(state, message);
}

export function isHardStateDurable(state: RaftState): boolean {
  return !state.draft.hardStateChanged && state.hardStateIn <= state.persistedThrough;
}

/** Term and vote change together or not at all (Raft Figure 2, "Persistent state"). */
export function setHardState(state: RaftState, term: Term, votedFor: NodeId | null): void {
  if (state.term === term && state.votedFor === votedFor) return;
  state.term = term;
  state.votedFor = votedFor;
  state.draft.hardStateChanged = true;
}
