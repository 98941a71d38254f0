/** What a leader does: proposals in, entries out, answers counted (Raft §5.3, Figure 2). */
import { leaderCommitAdvanced, tryCommit } from './commit.ts';
import { membersOf } from './configuration.ts';
import { type Entry, entryBytes } from './entry.ts';
import { type LogIndex, offsetIndex } from './identifiers.ts';
import { appendToLog } from './local-log.ts';
import type { AppendAccepted, AppendRejected, HeartbeatResponse } from './message.ts';
import type { ProposalRefusal } from './output.ts';
import { Progress } from './progress.ts';
import { wake } from './quiescence.ts';
import { onRoundAnswered, startRound } from './read-index.ts';
import { replicateToAll, sendEmptyAppend, sendEntries, tellCommitIndexTo } from './replication.ts';
import { type LeaderRole, leaderOf, type RaftState } from './state.ts';
import { handOverWhenCaughtUp } from './transfer.ts';

/**
 * Takes office: assumes that every follower holds what the leader does (Raft §5.3) and appends an
 * entry of its own term, with which everything before it becomes committed (Raft §5.4.2, §8).
 */
export function becomeLeader(state: RaftState): void {
  const leader: LeaderRole = {
    kind: 'leader',
    progress: new Map(),
    ticks: 0,
    round: 0,
    roundsSent: [],
    leaseFloorRound: 0,
    leaseForfeited: false,
    reads: [],
    transfer: null,
    uncommittedBytes: 0,
    idleTicks: 0,
  };
  state.role = leader;
  state.electionElapsedTicks = 0;
  state.heartbeatElapsedTicks = 0;
  state.leaderHeardTicksLeft = 0;
  for (const node of membersOf(state.configuration)) {
    if (node !== state.id)
      leader.progress.set(node, new Progress(offsetIndex(state.log.lastIndex, 1)));
  }
  appendOwn(state, leader, { kind: 'noop', term: state.term, index: nextIndexOf(state) });
  // A bootstrapped configuration enters the log once, so that every later member learns it there.
  if (state.configurations.at(-1)?.index === 0) {
    const { term, configuration } = state;
    appendOwn(state, leader, {
      kind: 'membership',
      term,
      index: nextIndexOf(state),
      configuration,
    });
  }
  replicateToAll(state, leader);
  startRound(state, leader, 'awake');
}

export function propose(state: RaftState, payloads: readonly Uint8Array[]): void {
  const { role } = state;
  if (role.kind !== 'leader') return refuse(state, 'notLeader');
  if (role.transfer !== null) return refuse(state, 'transferring');
  if (role.uncommittedBytes > state.options.uncommittedBytesMax) return refuse(state, 'overloaded');
  wake(state);
  const first = { term: state.term, index: nextIndexOf(state) };
  for (const data of payloads) {
    appendOwn(state, role, { kind: 'data', term: state.term, index: nextIndexOf(state), data });
  }
  state.draft.proposal = { kind: 'appended', first, count: payloads.length };
  replicateToAll(state, role);
}

/** Says why nothing was appended, and where to try instead. */
export function refuse(state: RaftState, reason: ProposalRefusal): void {
  state.draft.proposal = { kind: 'refused', reason, leader: leaderOf(state) };
}

/** Appends an entry of the leader's own making; it may only ever grow its log (Raft §5.3). */
export function appendOwn(state: RaftState, leader: LeaderRole, entry: Entry): void {
  appendToLog(state, entry);
  leader.uncommittedBytes += entryBytes(entry);
  leader.idleTicks = 0;
}

export function nextIndexOf(state: RaftState): LogIndex {
  return offsetIndex(state.log.lastIndex, 1);
}

export function onAppendAccepted(state: RaftState, message: AppendAccepted): void {
  const { role: leader } = state;
  if (leader.kind !== 'leader') return;
  const progress = leader.progress.get(message.from);
  if (progress === undefined) return;
  progress.active = true;
  const isNews = progress.accepted(message.matchIndex);
  if (progress.mode === 'probe') progress.becomeReplicate();
  // The snapshot arrived, or turned out not to be needed.
  if (progress.mode === 'snapshot' && progress.matchIndex >= state.log.base.index) {
    progress.becomeReplicate();
  }
  if (isNews && tryCommit(state, leader)) leaderCommitAdvanced(state, leader);
  if (state.role !== leader) return; // It committed its own removal.
  sendEntries(state, leader, message.from);
  tellCommitIndexTo(state, message.from, progress);
  handOverWhenCaughtUp(state, leader);
}

/** The logs differ at `previousIndex`: go back by a whole term, not by an entry (Raft §5.3). */
export function onAppendRejected(state: RaftState, message: AppendRejected): void {
  const { role: leader, log } = state;
  if (leader.kind !== 'leader') return;
  const progress = leader.progress.get(message.from);
  if (progress === undefined) return;
  progress.active = true;
  const { previousIndex, conflict } = message;
  // Only the answer to what is under way counts: the others are overtaken.
  if (progress.mode === 'snapshot' || previousIndex <= progress.matchIndex) return;
  if (progress.mode === 'probe' && previousIndex !== progress.nextIndex - 1) return;
  if (previousIndex >= progress.nextIndex) return;
  const shared = conflict.term === 0 ? null : log.lastIndexOfTerm(conflict.term);
  const next = shared === null ? conflict.index : offsetIndex(shared, 1);
  progress.becomeProbe(next < previousIndex ? next : previousIndex);
  sendEntries(state, leader, message.from);
}

/** Every answered heartbeat is also the moment to notice that something else was lost. */
export function onHeartbeatResponse(state: RaftState, message: HeartbeatResponse): void {
  const { role: leader } = state;
  if (leader.kind !== 'leader') return;
  const progress = leader.progress.get(message.from);
  if (progress === undefined) return;
  progress.active = true;
  progress.ackedRound = Math.max(progress.ackedRound, message.round);
  if (progress.mode === 'probe') progress.paused = false;
  const stalled = progress.matchAtHeartbeat === progress.matchIndex;
  progress.matchAtHeartbeat = progress.matchIndex;
  if (progress.mode === 'replicate' && stalled && progress.matchIndex < state.log.lastIndex) {
    sendEmptyAppend(state, message.from, progress);
  }
  sendEntries(state, leader, message.from);
  onRoundAnswered(state, leader);
}
