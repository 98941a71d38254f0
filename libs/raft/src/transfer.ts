/** Leadership transfer: stop, let the successor catch up, tell it to campaign (thesis §3.10). */
import { campaign, mayCampaign } from './election.ts';
import type { NodeId } from './identifiers.ts';
import { refuse } from './leader.ts';
import { wake } from './quiescence.ts';
import { sendEntries } from './replication.ts';
import { type LeaderRole, type RaftState, send } from './state.ts';

export function transferLeadership(state: RaftState, to: NodeId): void {
  const { role: leader } = state;
  if (leader.kind !== 'leader') return refuse(state, 'notLeader');
  if (leader.transfer !== null && leader.transfer.to !== to) return refuse(state, 'transferring');
  if (to === state.id || !state.configuration.voters.includes(to)) {
    return refuse(state, 'membershipInvalid');
  }
  wake(state);
  leader.idleTicks = 0;
  leader.transfer ??= { to, ticks: 0, sent: false };
  state.draft.proposal = { kind: 'transferring', to };
  sendEntries(state, leader, to);
  handOverWhenCaughtUp(state, leader);
}

export function handOverWhenCaughtUp(state: RaftState, leader: LeaderRole): void {
  const { transfer } = leader;
  if (transfer === null || transfer.sent) return;
  if (leader.progress.get(transfer.to)?.matchIndex !== state.log.lastIndex) return;
  transfer.sent = true;
  leader.leaseForfeited = true;
  send(state, { kind: 'timeoutNow', from: state.id, to: transfer.to, term: state.term });
}

/** The leader of this very term asked for it: no pre-vote, and its lease is waived (Raft thesis §4.2.3). */
export function onTimeoutNow(state: RaftState): void {
  if (state.role.kind === 'follower' && mayCampaign(state)) campaign(state, 'transfer');
}
