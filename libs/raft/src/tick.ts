/** What the passing of time does: elections, heartbeats, and giving up (Raft §5.2, thesis §6.2). */
import { becomeFollower, mayCampaign, preCampaign } from './election.ts';
import { highestOnHalves } from './quorum.ts';
import { fallAsleepWhenIdle } from './quiescence.ts';
import { expireForwardedReads, startRound } from './read-index.ts';
import { resendSnapshots } from './snapshot.ts';
import type { LeaderRole, RaftState } from './state.ts';

export function tick(state: RaftState): void {
  if (state.quiescent) return;
  if (state.leaderHeardTicksLeft > 0) state.leaderHeardTicksLeft -= 1;
  state.electionElapsedTicks += 1;
  expireForwardedReads(state);
  if (state.role.kind === 'leader') tickLeader(state, state.role);
  else if (state.electionElapsedTicks >= state.electionAfterTicks) onElectionTimeout(state);
}

function onElectionTimeout(state: RaftState): void {
  if (mayCampaign(state)) preCampaign(state);
  // Who may not campaign still forgets a leader that fell silent.
  else becomeFollower(state, state.term, null);
}

function tickLeader(state: RaftState, leader: LeaderRole): void {
  const { options } = state;
  leader.ticks += 1;
  leader.idleTicks += 1;
  if (state.electionElapsedTicks >= options.electionTimeoutTicks) {
    state.electionElapsedTicks = 0;
    if (!hearsQuorum(state, leader)) return becomeFollower(state, state.term, null);
  }
  if (leader.transfer !== null) {
    leader.transfer.ticks += 1;
    // Raft thesis §3.10: after an election timeout the transfer failed, and clients are served.
    if (leader.transfer.ticks >= options.electionTimeoutTicks) leader.transfer = null;
  }
  resendSnapshots(state, leader);
  state.heartbeatElapsedTicks += 1;
  if (state.heartbeatElapsedTicks < options.heartbeatTicks) return;
  if (!fallAsleepWhenIdle(state, leader)) startRound(state, leader, 'awake');
}

/** Check-quorum (Raft thesis §6.2): a leader that hears no majority stops pretending. */
function hearsQuorum(state: RaftState, leader: LeaderRole): boolean {
  const hears = highestOnHalves(state.rules.halvesOf(state.configuration), (node) =>
    node === state.id || leader.progress.get(node)?.active === true ? 1 : 0,
  );
  for (const progress of leader.progress.values()) progress.active = false;
  return hears === 1;
}
