import type { Configuration, Entry, EntryId, LogIndex, NodeId, Term } from '@robustmq/raft';
import { describe, expect, test } from 'vitest';
import { MembershipWait } from './membership-wait.ts';

function id(term: number, index: number): EntryId {
  return { term: term as Term, index: index as LogIndex };
}

function membership(term: number, index: number, kind: 'joint' | 'final'): Entry {
  const voters = [1, 2] as NodeId[];
  const outgoing = kind === 'joint' ? ([1] as NodeId[]) : [];
  const configuration: Configuration = { voters, outgoing, learners: [], learnersNext: [] };
  return { kind: 'membership', ...id(term, index), configuration };
}

interface Case {
  readonly entries: readonly Entry[];
  readonly lostAt: number | null;
  readonly outcome: string;
  readonly why: string;
}

const cases: readonly Case[] = [
  {
    entries: [membership(1, 5, 'joint'), membership(1, 6, 'final')],
    lostAt: null,
    outcome: 'settled by 1/6',
    why: 'the change is over when the joint configuration is left',
  },
  {
    entries: [membership(1, 5, 'final')],
    lostAt: null,
    outcome: 'settled by 1/5',
    why: 'a change of learners has no joint phase',
  },
  {
    entries: [membership(1, 5, 'joint'), membership(2, 7, 'final')],
    lostAt: 5,
    outcome: 'settled by 2/7',
    why: 'the next leader finishes what is committed',
  },
  { entries: [], lostAt: 4, outcome: 'unknown', why: 'it may be replaced' },
  {
    entries: [membership(2, 5, 'final')],
    lostAt: null,
    outcome: 'unknown',
    why: 'another entry stands in its place',
  },
  {
    entries: [membership(1, 4, 'final')],
    lostAt: null,
    outcome: 'waiting',
    why: 'that was an earlier change',
  },
];

describe('a membership change that began at entry 1/5', () => {
  for (const { entries, lostAt, outcome, why } of cases) {
    test(`is ${outcome}: ${why}`, () => {
      const wait = new MembershipWait();
      let seen = 'waiting';
      wait.awaitChange(id(1, 5), {
        deadlineAtMs: 1000,
        resolve: ({ term, index }) => (seen = `settled by ${term}/${index}`),
        reject: () => (seen = 'unknown'),
      });
      if (lostAt !== null) wait.leadershipLost(lostAt);
      wait.applied(entries);
      expect(seen).toBe(outcome);
      wait.expire(1000);
      expect(wait.isEmpty).toBe(true);
    });
  }
});
