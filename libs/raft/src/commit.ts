/** The commit index: when it advances, and what follows from that (Raft §5.3, §5.4.2). */
import { countOwnVote } from './election.ts';
import { higherIndex, type LogIndex, type PersistNumber, type Term } from './identifiers.ts';
import { membershipCommitted } from './membership.ts';
import { highestIndexOnHalves } from './quorum.ts';
import { placeReads } from './read-index.ts';
import { tellCommitIndex } from './replication.ts';
import type { RaftRules } from './rules.ts';
import type { LeaderRole, RaftState } from './state.ts';

/** The disk caught up: the own vote, the own match index and what may be applied depend on it. */
export function onPersisted(state: RaftState, through: PersistNumber): void {
  while ((state.pendingPersists[0]?.number ?? Number.POSITIVE_INFINITY) <= through) {
    const pending = state.pendingPersists.shift();
    if (pending !== undefined) {
      state.durableIndex = higherIndex(state.durableIndex, pending.lastIndex);
    }
  }
  if (through > state.persistedThrough) state.persistedThrough = through;
  countOwnVote(state);
  const { role } = state;
  if (role.kind === 'leader' && tryCommit(state, role)) leaderCommitAdvanced(state, role);
}

/** @returns whether the commit index advanced: then `leaderCommitAdvanced` follows */
export function tryCommit(state: RaftState, leader: LeaderRole): boolean {
  const { rules, log } = state;
  const own = rules.ownMatchIndex(state.durableIndex, log.lastIndex);
  const quorumIndex = highestIndexOnHalves(rules.halvesOf(state.configuration), (node) =>
    node === state.id ? own : (leader.progress.get(node)?.matchIndex ?? (0 as LogIndex)),
  );
  const commitIndex = nextCommitIndex(rules, state, {
    index: quorumIndex,
    term: log.termAt(quorumIndex),
  });
  if (commitIndex === state.commitIndex) return false;
  state.commitIndex = commitIndex;
  return true;
}

/**
 * The commit index the leader may adopt now.
 *
 * Replication to a quorum is necessary but not sufficient: only an entry of the leader's current
 * term is committed by counting replicas; earlier entries are committed with it (Raft §5.4.2).
 *
 * @param reached  the highest entry that a quorum holds durably
 */
export function nextCommitIndex(
  rules: Pick<RaftRules, 'commitsByCounting'>,
  leader: { readonly term: Term; readonly commitIndex: LogIndex },
  reached: { readonly index: LogIndex; readonly term: Term | null },
): LogIndex {
  if (reached.index <= leader.commitIndex || reached.term === null) return leader.commitIndex;
  if (!rules.commitsByCounting(reached.term, leader.term)) return leader.commitIndex;
  return reached.index;
}

export function leaderCommitAdvanced(state: RaftState, leader: LeaderRole): void {
  placeReads(state, leader);
  tellCommitIndex(state, leader);
  membershipCommitted(state, leader);
}
