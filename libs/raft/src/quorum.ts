/** Majorities: of one set of voters, and of both halves of a joint configuration (thesis §4.3). */
import type { LogIndex, NodeId } from './identifiers.ts';

/** One or two sets of voters, each of which must agree. */
export type QuorumHalves = readonly (readonly NodeId[])[];

/** Smallest number of voters that intersects every other such set (Raft §5.2). */
export function majorityOf(voterCount: number): number {
  return Math.floor(voterCount / 2) + 1;
}

/**
 * The highest value that a majority of `values` reaches.
 *
 * @param values  one per voter; reordered by the call
 * @returns 0 without voters
 */
export function highestOnQuorum(values: number[]): number {
  if (values.length === 0) return 0;
  values.sort((left, right) => right - left);
  return values[majorityOf(values.length) - 1] as number;
}

/** The highest log index (or other counter) that a quorum of every half reaches. 0 without voters. */
export function highestOnHalves(halves: QuorumHalves, valueOf: (node: NodeId) => number): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (const voters of halves) {
    if (voters.length === 0) continue;
    lowest = Math.min(lowest, highestOnQuorum(voters.map(valueOf)));
  }
  return lowest === Number.POSITIVE_INFINITY ? 0 : lowest;
}

/** {@link highestOnHalves} for log indexes. */
export function highestIndexOnHalves(
  halves: QuorumHalves,
  indexOf: (node: NodeId) => LogIndex,
): LogIndex {
  return highestOnHalves(halves, indexOf) as LogIndex;
}

export type VoteOutcome = 'won' | 'lost' | 'pending';

/** Won with a majority of every half, lost once that is out of reach (Raft §5.2, thesis §4.3). */
export function voteOutcome(
  halves: QuorumHalves,
  votes: ReadonlyMap<NodeId, boolean>,
): VoteOutcome {
  let outcome: VoteOutcome = 'won';
  let voters = 0;
  for (const half of halves) {
    voters += half.length;
    const ofHalf = outcomeOfHalf(half, votes);
    if (ofHalf === 'lost') return 'lost';
    if (ofHalf === 'pending') outcome = 'pending';
  }
  return voters === 0 ? 'lost' : outcome;
}

function outcomeOfHalf(
  voters: readonly NodeId[],
  votes: ReadonlyMap<NodeId, boolean>,
): VoteOutcome {
  if (voters.length === 0) return 'won';
  let granted = 0;
  let refused = 0;
  for (const voter of voters) {
    const vote = votes.get(voter);
    if (vote === true) granted += 1;
    if (vote === false) refused += 1;
  }
  if (granted >= majorityOf(voters.length)) return 'won';
  return voters.length - refused < majorityOf(voters.length) ? 'lost' : 'pending';
}
