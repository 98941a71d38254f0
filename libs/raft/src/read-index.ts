/**
 * Linearizable reads without a log entry (Raft thesis §6.4).
 *
 *      1  wait until the leader committed in its own term    placeReads
 *      2  remember the commit index as the read index        place
 *      3  confirm leadership: a round of heartbeats          startRound … onRoundAnswered
 *      4  the driver answers once that index is applied
 *
 * Rounds are counted; one round confirms every read that came before it was sent. While a round is
 * under way reads gather for the next one, so that load makes rounds fuller, not more frequent.
 */
import { leaseIsValid, noteRoundSent } from './lease.ts';
import type { LogIndex, NodeId } from './identifiers.ts';
import type { ReadIndexRequest, ReadIndexResponse } from './message.ts';
import { highestOnHalves } from './quorum.ts';
import { wake } from './quiescence.ts';
import { type LeaderRole, leaderOf, type PendingRead, type RaftState, send } from './state.ts';
import { sendPromisingTerm } from './state.ts';

/** Answers later, exactly once: by `readsReady`, or by `readsRefused` when it gives up. */
export function readIndex(state: RaftState, requestId: number): void {
  wake(state);
  const { role, id: from, term } = state;
  if (role.kind === 'leader') return addRead(state, role, { origin: from, requestId, place: null });
  const to = leaderOf(state);
  if (to === null) {
    state.draft.readsRefused.push(requestId);
    return;
  }
  state.forwardedReads.push({ requestId, ticks: 0 });
  sendPromisingTerm(state, { kind: 'readIndexRequest', from, to, term, requestId });
}

export function onReadIndexRequest(state: RaftState, message: ReadIndexRequest): void {
  const { role } = state;
  if (role.kind !== 'leader') return;
  addRead(state, role, { origin: message.from, requestId: message.requestId, place: null });
}

export function onReadIndexResponse(state: RaftState, message: ReadIndexResponse): void {
  const at = state.forwardedReads.findIndex((read) => read.requestId === message.requestId);
  if (at < 0) return;
  state.forwardedReads.splice(at, 1);
  state.draft.readsReady.push({ requestId: message.requestId, index: message.index });
}

/** The leadership that would have answered is over: the reads never will be. */
export function refuseReads(state: RaftState): void {
  if (state.role.kind === 'leader') {
    for (const read of state.role.reads) {
      if (read.origin === state.id) state.draft.readsRefused.push(read.requestId);
    }
  }
  for (const { requestId } of state.forwardedReads) state.draft.readsRefused.push(requestId);
  if (state.forwardedReads.length > 0) state.forwardedReads = [];
}

/** The request or its answer was lost: after an election timeout nobody waits for it any more. */
export function expireForwardedReads(state: RaftState): void {
  if (state.forwardedReads.length === 0) return;
  const waiting: RaftState['forwardedReads'] = [];
  for (const read of state.forwardedReads) {
    read.ticks += 1;
    if (read.ticks < state.options.electionTimeoutTicks) waiting.push(read);
    else state.draft.readsRefused.push(read.requestId);
  }
  state.forwardedReads = waiting;
}

/** Gives waiting reads their index once the leader knows what is committed (thesis §6.4, step 1). */
export function placeReads(state: RaftState, leader: LeaderRole): void {
  const { rules, log, commitIndex } = state;
  if (leader.reads.length === 0) return;
  if (!rules.mayReadAtCommitIndex(log.termAt(commitIndex), state.term)) return;
  for (const read of leader.reads) {
    read.place ??= { index: commitIndex, round: leader.round + 1 };
  }
  confirmReads(state, leader);
}

/** One round of heartbeats to everyone; an `asleep` one puts the group to sleep. */
export function startRound(state: RaftState, leader: LeaderRole, mode: 'awake' | 'asleep'): void {
  leader.round += 1;
  noteRoundSent(state, leader);
  state.heartbeatElapsedTicks = 0;
  const { id: from, term } = state;
  const { round } = leader;
  const quiesce = mode === 'asleep';
  for (const [to, progress] of leader.progress) {
    const commitIndex = state.rules.heartbeatCommitIndex(state.commitIndex, progress.matchIndex);
    progress.toldCommitIndex =
      commitIndex > progress.toldCommitIndex ? commitIndex : progress.toldCommitIndex;
    send(state, { kind: 'heartbeat', from, to, term, commitIndex, round, quiesce });
  }
  releaseReads(state, leader);
}

/** An answer may complete a round, release its reads, and make room for the next. */
export function onRoundAnswered(state: RaftState, leader: LeaderRole): void {
  if (leader.reads.length === 0) return;
  releaseReads(state, leader);
  confirmReads(state, leader);
}

/** The latest round that a quorum answered: leadership was unbroken when it was sent. */
export function confirmedRound(state: RaftState, leader: LeaderRole): number {
  return highestOnHalves(state.rules.halvesOf(state.configuration), (node) =>
    node === state.id ? leader.round : (leader.progress.get(node)?.ackedRound ?? 0),
  );
}

function addRead(state: RaftState, leader: LeaderRole, read: PendingRead): void {
  leader.idleTicks = 0;
  leader.reads.push(read);
  placeReads(state, leader);
}

function confirmReads(state: RaftState, leader: LeaderRole): void {
  if (!state.rules.readNeedsConfirmation(leaseIsValid(state, leader))) {
    return answerReads(state, leader, Number.POSITIVE_INFINITY);
  }
  const isWaiting = leader.reads.some((read) => read.place?.round === leader.round + 1);
  if (isWaiting && confirmedRound(state, leader) === leader.round) {
    startRound(state, leader, 'awake');
  }
}

function releaseReads(state: RaftState, leader: LeaderRole): void {
  if (leader.reads.length > 0) answerReads(state, leader, confirmedRound(state, leader));
}

function answerReads(state: RaftState, leader: LeaderRole, throughRound: number): void {
  const waiting: PendingRead[] = [];
  for (const read of leader.reads) {
    if (read.place === null || read.place.round > throughRound) waiting.push(read);
    else answerRead(state, read.origin, read.requestId, read.place.index);
  }
  leader.reads.splice(0, leader.reads.length, ...waiting);
}

function answerRead(state: RaftState, to: NodeId, requestId: number, index: LogIndex): void {
  const { id: from, term } = state;
  if (to === from) state.draft.readsReady.push({ requestId, index });
  else send(state, { kind: 'readIndexResponse', from, to, term, requestId, index });
}
