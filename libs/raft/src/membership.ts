/**
 * Membership changes by joint consensus (Raft thesis §4.3), one at a time.
 *
 *      stable C_old ──append──▶ joint C_old,new ──committed, append──▶ stable C_new ──committed
 *
 * A configuration is in force on a node from its append on. The leader leaves the joint
 * configuration by itself. A change of learners alone needs no joint phase: no majority changes.
 */
import {
  configurationAfter,
  configurationAfterJoint,
  isJoint,
  isVoter,
  type MembershipChange,
  membersOf,
} from './configuration.ts';
import type { Configuration } from './configuration.ts';
import { becomeFollower } from './election.ts';
import { LOG_START, type LogIndex } from './identifiers.ts';
import { appendOwn, nextIndexOf, refuse } from './leader.ts';
import type { ProposalRefusal } from './output.ts';
import { Progress } from './progress.ts';
import { wake } from './quiescence.ts';
import { replicateToAll } from './replication.ts';
import { type LeaderRole, type RaftState, send } from './state.ts';

export function proposeMembership(state: RaftState, changes: readonly MembershipChange[]): void {
  const { role: leader } = state;
  if (leader.kind !== 'leader') return refuse(state, 'notLeader');
  const refusal = refusalOf(state, leader, changes);
  if (refusal !== null) return refuse(state, refusal);
  const configuration = configurationAfter(state.configuration, changes);
  if (configuration === null) return refuse(state, 'membershipInvalid');
  wake(state);
  const first = { term: state.term, index: nextIndexOf(state) };
  adopt(state, leader, configuration);
  state.draft.proposal = { kind: 'appended', first, count: 1 };
}

/** The configuration in force may be committed now: the next step of the change follows. */
export function membershipCommitted(state: RaftState, leader: LeaderRole): void {
  if (placedIndexOf(state) > state.commitIndex) return;
  const { configuration } = state;
  if (isJoint(configuration)) {
    adopt(state, leader, configurationAfterJoint(configuration));
    return;
  }
  // Raft thesis §4.2.2: a leader outside the new configuration leads until that is committed.
  if (!isVoter(configuration, state.id)) resign(state, leader);
}

function refusalOf(
  state: RaftState,
  leader: LeaderRole,
  changes: readonly MembershipChange[],
): ProposalRefusal | null {
  if (leader.transfer !== null) return 'transferring';
  const { configuration, commitIndex, log, options } = state;
  const commitTerm = log.termAt(commitIndex);
  const placedIndex = placedIndexOf(state);
  const facts = { configuration, placedIndex, commitIndex, commitTerm, leaderTerm: state.term };
  if (!state.rules.mayChangeMembership(facts)) return 'membershipPending';
  for (const change of changes) {
    if (change.kind !== 'promote') continue;
    const progress = leader.progress.get(change.node);
    if (progress === undefined) return 'membershipInvalid';
    // Raft thesis §4.2.1: a voter without the log would stall every commit it is needed for.
    if (progress.matchIndex + options.promotionLagMax < log.lastIndex) return 'learnerBehind';
  }
  return null;
}

function adopt(state: RaftState, leader: LeaderRole, configuration: Configuration): void {
  const { term } = state;
  appendOwn(state, leader, { kind: 'membership', term, index: nextIndexOf(state), configuration });
  const members = membersOf(configuration);
  for (const node of members) {
    if (node === state.id || leader.progress.has(node)) continue;
    leader.progress.set(node, new Progress(state.log.lastIndex));
  }
  for (const node of leader.progress.keys()) {
    if (!members.includes(node)) leader.progress.delete(node);
  }
  replicateToAll(state, leader);
}

/** Steps down, but names a successor so that nobody waits for a timeout (Raft thesis §3.10). */
function resign(state: RaftState, leader: LeaderRole): void {
  const { id: from, term, configuration, log } = state;
  for (const [to, progress] of leader.progress) {
    if (!configuration.voters.includes(to) || progress.matchIndex !== log.lastIndex) continue;
    send(state, { kind: 'timeoutNow', from, to, term });
    break;
  }
  becomeFollower(state, term, null);
}

function placedIndexOf(state: RaftState): LogIndex {
  return state.configurations.at(-1)?.index ?? LOG_START.index;
}
