/**
 * Leader leases (Raft thesis §6.4.1), an option: reads without a round, for those who trust clocks.
 *
 * A follower that answered a heartbeat votes for nobody else for an election timeout after it
 * heard it, and it heard it after it was sent. So the leader counts from the sending of the last
 * round that a quorum answered. Leadership transfer breaks that promise, hence forfeits the lease
 * for the rest of the term: the TimeoutNow may arrive at any later time.
 */
import { confirmedRound } from './read-index.ts';
import type { LeaderRole, RaftState } from './state.ts';

export function noteRoundSent(state: RaftState, leader: LeaderRole): void {
  if (state.options.reads === 'quorum') return;
  leader.roundsSent.push({ round: leader.round, tick: leader.ticks });
}

export function leaseIsValid(state: RaftState, leader: LeaderRole): boolean {
  // Asleep its clock stands still: a read wakes it, and a round of heartbeats comes first.
  if (state.options.reads === 'quorum' || leader.leaseForfeited || state.quiescent) return false;
  const confirmed = confirmedRound(state, leader);
  while ((leader.roundsSent[0]?.round ?? confirmed) < confirmed) leader.roundsSent.shift();
  const sent = leader.roundsSent[0];
  if (sent?.round !== confirmed || confirmed <= leader.leaseFloorRound) return false;
  return state.rules.leaseHolds(leader.ticks - sent.tick, state.options.leaseTicks);
}

/** Whether this node may answer reads by itself at this tick. */
export function holdsLease(state: RaftState): boolean {
  return state.role.kind === 'leader' && leaseIsValid(state, state.role);
}
