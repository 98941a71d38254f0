/**
 * Raft as a state machine: `step` advances one node by one input.
 *
 * This file checks terms and dispatches, nothing else. Each chapter has its own file: election,
 * replication, commit, membership, snapshot, read-index, lease, transfer, quiescence. The safety
 * rules they ask are in rules.ts. "Raft" is the extended paper, "Raft thesis" Ongaro's dissertation.
 */
import { onPersisted } from './commit.ts';
import {
  becomeFollower,
  onPreVoteRequest,
  onPreVoteResponse,
  onVoteRequest,
  onVoteResponse,
} from './election.ts';
import { onAppendRequest, onHeartbeat } from './follower.ts';
import type { RaftInput } from './input.ts';
import { onAppendAccepted, onAppendRejected, onHeartbeatResponse, propose } from './leader.ts';
import { proposeMembership } from './membership.ts';
import type { RaftMessage } from './message.ts';
import type { RaftOutput } from './output.ts';
import { onNodeSuspected, wake } from './quiescence.ts';
import { onReadIndexRequest, onReadIndexResponse, readIndex } from './read-index.ts';
import { onLogRead } from './replication.ts';
import {
  compact,
  onSnapshotChunk,
  onSnapshotChunkResponse,
  onSnapshotGone,
  onSnapshotInstalled,
  onSnapshotInstallFailed,
  onSnapshotRead,
  onSnapshotTaken,
} from './snapshot.ts';
import { type RaftState, sendPromisingTerm } from './state.ts';
import { takeOutput } from './take-output.ts';
import { tick } from './tick.ts';
import { onTimeoutNow, transferLeadership } from './transfer.ts';

/**
 * Advances one Raft node by one input.
 *
 * Deterministic: equal `state` and equal `input` give equal output. No clock, socket, disk, logger
 * or global random source is reachable from this package; election jitter comes from the seeded
 * generator inside `state`.
 *
 * Mutates `state` and runs to completion. Messages and entries in the output are shared with the
 * state: read them, never write to them.
 */
export function step(state: RaftState, input: RaftInput): RaftOutput {
  dispatch(state, input);
  return takeOutput(state);
}

function dispatch(state: RaftState, input: RaftInput): void {
  switch (input.kind) {
    case 'tick':
      return tick(state);
    case 'receive':
      return receive(state, input.message);
    case 'propose':
      return propose(state, input.payloads);
    case 'proposeMembership':
      return proposeMembership(state, input.changes);
    case 'transferLeadership':
      return transferLeadership(state, input.to);
    case 'readIndex':
      return readIndex(state, input.requestId);
    case 'persisted':
      return onPersisted(state, input.through);
    case 'logRead':
      return onLogRead(state, input.to, input.entries);
    case 'snapshotRead':
      return onSnapshotRead(state, input.to, input);
    case 'snapshotGone':
      return onSnapshotGone(state, input.to, input.snapshotIndex);
    case 'snapshotTaken':
      return onSnapshotTaken(state, input.snapshot);
    case 'snapshotInstalled':
      return onSnapshotInstalled(state, input.snapshot);
    case 'snapshotInstallFailed':
      return onSnapshotInstallFailed(state);
    case 'compact':
      return compact(state, input.through);
    case 'nodeSuspected':
      return onNodeSuspected(state, input.node);
  }
}

/** Requests for votes judge the term themselves: they may be refused without adopting it. */
function receive(state: RaftState, message: RaftMessage): void {
  // The answer to the heartbeat that put the group to sleep must not wake it.
  if (message.kind !== 'heartbeatResponse') wake(state);
  switch (message.kind) {
    case 'preVoteRequest':
      return onPreVoteRequest(state, message);
    case 'preVoteResponse':
      return onPreVoteResponse(state, message);
    case 'voteRequest':
      return onVoteRequest(state, message);
    default:
      // Raft §5.1: a higher term is adopted, whoever brings it.
      if (message.term > state.term) becomeFollower(state, message.term, null);
      receiveInTerm(state, message);
  }
}

type TermedMessage = Exclude<
  RaftMessage,
  { kind: 'preVoteRequest' | 'preVoteResponse' | 'voteRequest' }
>;

function receiveInTerm(state: RaftState, message: TermedMessage): void {
  switch (message.kind) {
    case 'appendRequest':
    case 'heartbeat':
    case 'snapshotChunk':
    case 'timeoutNow':
      if (message.term < state.term) return answerDeposedLeader(state, message);
      return receiveFromLeader(state, message);
    default:
      if (!state.rules.isCurrent(message.term, state.term)) return;
      return receiveAnswer(state, message);
  }
}

type LeaderMessage = Extract<
  RaftMessage,
  { kind: 'appendRequest' | 'heartbeat' | 'snapshotChunk' | 'timeoutNow' }
>;

function receiveFromLeader(state: RaftState, message: LeaderMessage): void {
  switch (message.kind) {
    case 'appendRequest':
      return onAppendRequest(state, message);
    case 'heartbeat':
      return onHeartbeat(state, message);
    case 'snapshotChunk':
      return onSnapshotChunk(state, message);
    case 'timeoutNow':
      return onTimeoutNow(state);
  }
}

function receiveAnswer(state: RaftState, message: Exclude<TermedMessage, LeaderMessage>): void {
  switch (message.kind) {
    case 'voteResponse':
      return onVoteResponse(state, message);
    case 'appendAccepted':
      return onAppendAccepted(state, message);
    case 'appendRejected':
      return onAppendRejected(state, message);
    case 'heartbeatResponse':
      return onHeartbeatResponse(state, message);
    case 'snapshotChunkResponse':
      return onSnapshotChunkResponse(state, message);
    case 'readIndexRequest':
      return onReadIndexRequest(state, message);
    case 'readIndexResponse':
      return onReadIndexResponse(state, message);
  }
}

/**
 * A leader of an earlier term learns of this one and steps down (Raft §5.1). Without an answer a
 * node whose term ran ahead while it was cut off could never rejoin: it refuses the leader, and
 * the leader's lease refuses its candidacy (Raft thesis §9.6).
 */
function answerDeposedLeader(state: RaftState, message: LeaderMessage): void {
  const { id: from, term } = state;
  sendPromisingTerm(state, { kind: 'heartbeatResponse', from, to: message.from, term, round: 0 });
}
