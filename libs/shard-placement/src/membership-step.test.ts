import { describe, expect, test } from 'vitest';
import { type MembershipStep, nextMembershipStep } from './membership-step.ts';

interface Row {
  readonly voters: readonly number[];
  readonly learners?: readonly number[];
  readonly caughtUp: readonly number[];
  readonly wanted: readonly number[];
  readonly step: MembershipStep;
  readonly why: string;
}

const ALL = [1, 2, 3, 4, 5, 6];

const ROWS: readonly Row[] = [
  {
    voters: [1, 2, 3],
    caughtUp: ALL,
    wanted: [1, 2, 3],
    step: { kind: 'done' },
    why: 'all is as wanted',
  },
  {
    voters: [1, 2, 3],
    caughtUp: [1, 2],
    wanted: [1, 2, 4],
    step: { kind: 'addLearners', nodes: [4] },
    why: 'a new member learns first',
  },
  {
    voters: [1, 2, 3],
    learners: [4],
    caughtUp: [1, 2, 3],
    wanted: [1, 2, 4],
    step: { kind: 'wait', for: [4] },
    why: 'the new member has no copy yet, and the old one stays',
  },
  {
    voters: [1, 2, 3],
    learners: [4],
    caughtUp: [1, 2, 4],
    wanted: [1, 2, 4],
    step: { kind: 'changeVoters', promote: [4], remove: [3] },
    why: 'one comes and one goes in one change',
  },
  {
    voters: [1, 2, 3, 4, 5],
    learners: [6],
    caughtUp: [1, 6],
    wanted: [1, 2, 4, 5, 6],
    step: { kind: 'wait', for: [2, 4, 5] },
    why: 'a majority of the new voters must have what is committed',
  },
  {
    voters: [1, 2, 3],
    caughtUp: [1, 3],
    wanted: [1, 2],
    step: { kind: 'wait', for: [2] },
    why: 'taking 3 out would leave one copy of two',
  },
  {
    voters: [1, 2, 3],
    learners: [4, 5],
    caughtUp: ALL,
    wanted: [1, 2, 5],
    step: { kind: 'removeLearners', nodes: [4] },
    why: 'a substitute that is not wanted any more goes first',
  },
  {
    voters: [1, 2, 3],
    learners: [4],
    caughtUp: [1, 3, 4],
    wanted: [2, 3, 4],
    step: { kind: 'handOver', to: 3 },
    why: 'a leader that is to go hands over to a voter that has everything',
  },
  {
    voters: [1],
    learners: [2],
    caughtUp: [1, 2],
    wanted: [2],
    step: { kind: 'changeVoters', promote: [2], remove: [1] },
    why: 'the only voter has nobody to hand over to, and leads until the change is committed',
  },
];

describe('the next step of a membership', () => {
  for (const { voters, learners = [], caughtUp, wanted, step, why } of ROWS) {
    test(why, () => {
      const group = { self: 1, voters, learners, caughtUp: new Set(caughtUp) };
      expect(nextMembershipStep(group, wanted)).toEqual(step);
    });
  }
});
