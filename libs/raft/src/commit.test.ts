import { describe, expect, test } from 'vitest';
import { nextCommitIndex } from './commit.ts';
import type { LogIndex, Term } from './identifiers.ts';
import { highestOnQuorum } from './quorum.ts';
import { RAFT_RULES } from './rules.ts';

const rows = [
  // match indexes   terms by index   term commit expected why
  [[5], [1, 1, 1, 1, 1], 1, 4, 5, 'one voter is a quorum'],
  [[5, 4, 3], [1, 1, 2, 2, 2], 2, 3, 4, 'the median decides'],
  [[4, 4, 4, 1, 1], [1, 2, 2, 2, 4], 4, 1, 1, 'an old term stays uncommitted'],
  [[5, 5, 5, 1, 1], [1, 2, 2, 2, 4], 4, 1, 5, 'and is committed with a new one'],
  [[2, 2, 3], [1, 1, 1], 1, 3, 3, 'it never moves back'],
] as const;

describe('the commit index of a leader (Raft §5.3, §5.4.2)', () => {
  for (const [match, terms, term, commit, expected, why] of rows) {
    test(why, () => {
      const index = highestOnQuorum([...match]) as LogIndex;
      const leader = { term: term as Term, commitIndex: commit as LogIndex };
      const reached = { index, term: (terms[index - 1] ?? null) as Term | null };
      expect(nextCommitIndex(RAFT_RULES, leader, reached)).toBe(expected);
    });
  }
});
