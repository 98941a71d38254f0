/**
 * A group without work falls asleep: no timer, no message, on any of its nodes.
 *
 * The leader's last heartbeat says so; a follower agrees when it has everything. From then on the
 * group relies on node-level liveness, one exchange per pair of nodes for all groups: when it loses
 * the leader's node, the driver feeds `nodeSuspected` and the followers' timers run again. Any
 * other message or request wakes a node as well. A follower that missed the last heartbeat times
 * out, asks for pre-votes, and thereby wakes the others: a detour, never a danger.
 */
import { isJoint } from './configuration.ts';
import { restartElectionTimer } from './election.ts';
import type { LogIndex, NodeId } from './identifiers.ts';
import { startRound } from './read-index.ts';
import { type LeaderRole, leaderOf, type RaftState } from './state.ts';

/** Back to work, as if everyone had just been heard. */
export function wake(state: RaftState): void {
  if (!state.quiescent) return;
  state.quiescent = false;
  state.electionElapsedTicks = 0;
  if (state.role.kind !== 'leader') return;
  const leader = state.role;
  leader.idleTicks = 0;
  // The leader's clock stood still: no earlier round gives a lease (Raft thesis §6.4.1).
  leader.leaseFloorRound = leader.round;
  for (const progress of leader.progress.values()) progress.active = true;
  startRound(state, leader, 'awake');
}

/** @returns whether the group was put to sleep; then no other heartbeat is due */
export function fallAsleepWhenIdle(state: RaftState, leader: LeaderRole): boolean {
  const { quiesceAfterTicks } = state.options;
  if (quiesceAfterTicks === 0 || leader.idleTicks < quiesceAfterTicks) return false;
  if (!hasNothingToDo(state, leader)) return false;
  startRound(state, leader, 'asleep');
  state.quiescent = true;
  return true;
}

export function fallAsleepWithLeader(state: RaftState, leaderCommitIndex: LogIndex): void {
  const { log, commitIndex, durableIndex, incoming } = state;
  if (log.lastIndex !== leaderCommitIndex || commitIndex !== leaderCommitIndex) return;
  if (durableIndex !== commitIndex || incoming !== null) return;
  state.quiescent = true;
}

/** The shelter is gone: whoever slept in it waits for an election timeout, then acts. */
export function onNodeSuspected(state: RaftState, node: NodeId): void {
  if (!state.quiescent || leaderOf(state) !== node) return;
  wake(state);
  state.leaderHeardTicksLeft = 0;
  restartElectionTimer(state);
}

function hasNothingToDo(state: RaftState, leader: LeaderRole): boolean {
  const { log, commitIndex, durableIndex } = state;
  if (commitIndex !== log.lastIndex || durableIndex !== log.lastIndex) return false;
  if (leader.reads.length > 0 || leader.transfer !== null || isJoint(state.configuration)) {
    return false;
  }
  for (const progress of leader.progress.values()) {
    if (progress.matchIndex !== log.lastIndex || progress.mode !== 'replicate') return false;
  }
  return true;
}
