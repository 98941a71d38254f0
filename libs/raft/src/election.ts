/**
 * Elections: who may campaign, who may vote, and how roles change.
 *
 *      follower ──timeout──▶ preCandidate ──majority──▶ candidate ──majority──▶ leader
 *          ▲                      │  would win?             │  votes, durable      │
 *          └──────────────────────┴─────────────────────────┴──────────────────────┘
 *
 * A pre-candidate changes no state that others could see (Raft thesis §9.6), so a node that was
 * cut off does not depose a working leader when it returns.
 */
import { assert } from '@robustmq/errors';
import type { NodeId, PersistNumber, Term } from './identifiers.ts';
import { isVoter } from './configuration.ts';
import { becomeLeader } from './leader.ts';
import type { PreVoteRequest, PreVoteResponse, VoteRequest, VoteResponse } from './message.ts';
import { voteOutcome } from './quorum.ts';
import { nextBelow } from './random.ts';
import { refuseReads } from './read-index.ts';
import {
  leaderOf,
  type RaftState,
  sendAfterPersist,
  sendPromisingTerm,
  setHardState,
} from './state.ts';

/** Adopts `term` when it is higher; a vote of an earlier term binds no more (Raft §5.1). */
export function becomeFollower(state: RaftState, term: Term, leader: NodeId | null): void {
  refuseReads(state);
  if (term > state.term) setHardState(state, term, null);
  state.role = { kind: 'follower', leader };
  state.quiescent = false;
  restartElectionTimer(state);
}

/** The leader of this term spoke: every other ambition ends (Raft §5.2). */
export function heardLeader(state: RaftState, leader: NodeId): void {
  // Raft §5.2: a majority votes once a term, so there is no second leader of this one.
  assert(state.role.kind !== 'leader', `nodes ${state.id} and ${leader} both lead ${state.term}`);
  if (state.role.kind === 'follower') state.role.leader = leader;
  else becomeFollower(state, state.term, leader);
  state.electionElapsedTicks = 0;
  state.leaderHeardTicksLeft = state.options.electionTimeoutTicks;
}

/**
 * Each waiting time is drawn anew, so that split votes do not repeat (Raft §5.2). Half a timeout is
 * spread enough: two that ask together do not split the votes, see {@link makesWayFor}.
 */
export function restartElectionTimer(state: RaftState): void {
  const { electionTimeoutTicks } = state.options;
  state.electionElapsedTicks = 0;
  const spreadTicks = Math.ceil(electionTimeoutTicks / 2);
  state.electionAfterTicks = electionTimeoutTicks + nextBelow(state, spreadTicks);
}

/** Asking disturbs nobody, and who refused may have missed the leader a moment later. */
function askAgainSoon(state: RaftState): void {
  const partTicks = Math.ceil(state.options.electionTimeoutTicks / 4);
  state.electionElapsedTicks = 0;
  state.electionAfterTicks = partTicks + nextBelow(state, partTicks);
}

/**
 * Learners and strangers never campaign, nor does a node whose log is about to be replaced. A node
 * whose removal is not known to be committed does: it may be the only one that has the entry
 * (Raft thesis §4.2.2). Its own vote then counts for nothing.
 */
export function mayCampaign(state: RaftState): boolean {
  if (state.incoming?.phase === 'installing') return false;
  if (isVoter(state.configuration, state.id)) return true;
  const { configurations, commitIndex } = state;
  const committed = configurations.findLastIndex((placed) => placed.index <= commitIndex);
  return configurations
    .slice(Math.max(committed, 0))
    .some((placed) => isVoter(placed.configuration, state.id));
}

/** Asks whether a campaign would succeed before disturbing anyone (Raft thesis §9.6). */
export function preCampaign(state: RaftState): void {
  refuseReads(state);
  const votes = new Map([[state.id, true]]);
  state.role = { kind: 'preCandidate', votes };
  askAgainSoon(state);
  const term = (state.term + 1) as Term;
  const { id: from, log } = state;
  for (const to of otherVoters(state)) {
    sendPromisingTerm(state, { kind: 'preVoteRequest', from, to, term, last: log.last });
  }
  decidePreVote(state, votes);
}

/**
 * Starts an election (Raft §5.2). The requests leave after the own vote is durable, and the own
 * vote counts from then on: a restart must not vote again in this term.
 */
export function campaign(state: RaftState, cause: 'timeout' | 'transfer'): void {
  refuseReads(state);
  setHardState(state, (state.term + 1) as Term, state.id);
  const ownVoteIn = (state.lastPersist + 1) as PersistNumber;
  state.role = { kind: 'candidate', votes: new Map(), ownVoteIn };
  state.leaderHeardTicksLeft = 0;
  restartElectionTimer(state);
  const { id: from, term, log } = state;
  const transfer = cause === 'transfer';
  for (const to of otherVoters(state)) {
    sendAfterPersist(state, { kind: 'voteRequest', from, to, term, last: log.last, transfer });
  }
}

/** The own vote counts once it is durable. */
export function countOwnVote(state: RaftState): void {
  const { role } = state;
  if (role.kind !== 'candidate' || role.ownVoteIn > state.persistedThrough) return;
  if (!role.votes.has(state.id)) countVote(state, role.votes, state.id, true);
}

export function onPreVoteRequest(state: RaftState, message: PreVoteRequest): void {
  const { id: from, term } = state;
  const to = message.from;
  const granted =
    !isShelteredFrom(state, to) &&
    message.term > term &&
    state.rules.isUpToDate(message.last, state.log.last);
  const echo = granted ? message.term : term;
  if (granted && makesWayFor(state, message)) becomeFollower(state, term, null);
  sendPromisingTerm(state, { kind: 'preVoteResponse', from, to, term: echo, granted });
}

/**
 * Of two voters that ask in the same moment one makes way, or both win and then split the votes. It
 * grants what it is asked and asks no more itself, so nobody is refused for it: where messages arrive
 * in order, the other one's request is there before its grant.
 */
function makesWayFor(state: RaftState, { from, last }: PreVoteRequest): boolean {
  if (state.role.kind !== 'preCandidate' || !isVoter(state.configuration, from)) return false;
  return from > state.id || !state.rules.isUpToDate(state.log.last, last);
}

export function onPreVoteResponse(state: RaftState, message: PreVoteResponse): void {
  if (!message.granted && message.term > state.term) {
    becomeFollower(state, message.term, null);
    return;
  }
  if (state.role.kind !== 'preCandidate') return;
  if (message.granted && message.term !== state.term + 1) return;
  state.role.votes.set(message.from, message.granted);
  decidePreVote(state, state.role.votes);
}

export function onVoteRequest(state: RaftState, message: VoteRequest): void {
  const to = message.from;
  // Raft thesis §4.2.3: neither a vote nor the new term while a leader is at work.
  if (message.term > state.term && !message.transfer && isShelteredFrom(state, to)) return;
  if (message.term > state.term) becomeFollower(state, message.term, null);
  const { id: from, term, rules } = state;
  const granted =
    message.term === term &&
    rules.mayVoteFor(to, state.votedFor) &&
    rules.isUpToDate(message.last, state.log.last);
  if (!granted) {
    sendPromisingTerm(state, { kind: 'voteResponse', from, to, term, granted });
    return;
  }
  setHardState(state, term, to);
  state.electionElapsedTicks = 0;
  sendAfterPersist(state, { kind: 'voteResponse', from, to, term, granted });
}

export function onVoteResponse(state: RaftState, message: VoteResponse): void {
  const { role } = state;
  if (role.kind === 'candidate') countVote(state, role.votes, message.from, message.granted);
}

/** Whether a leader other than the one who asks is at work, as far as this node can tell. */
function isShelteredFrom(state: RaftState, candidate: NodeId): boolean {
  if (state.role.kind === 'leader') return true;
  if (leaderOf(state) === candidate) return false;
  return state.rules.refusesVote(state.leaderHeardTicksLeft);
}

function decidePreVote(state: RaftState, votes: ReadonlyMap<NodeId, boolean>): void {
  switch (voteOutcome(state.rules.halvesOf(state.configuration), votes)) {
    case 'won':
      return campaign(state, 'timeout');
    case 'lost':
      return becomeFollower(state, state.term, null);
    case 'pending':
  }
}

function countVote(
  state: RaftState,
  votes: Map<NodeId, boolean>,
  voter: NodeId,
  granted: boolean,
): void {
  votes.set(voter, granted);
  switch (voteOutcome(state.rules.halvesOf(state.configuration), votes)) {
    case 'won':
      return becomeLeader(state);
    case 'lost':
      return becomeFollower(state, state.term, null);
    case 'pending':
  }
}

function otherVoters(state: RaftState): readonly NodeId[] {
  const { voters, outgoing } = state.configuration;
  return [...new Set([...voters, ...outgoing])].filter((node) => node !== state.id);
}
