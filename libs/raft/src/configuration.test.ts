import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  configurationAfter,
  configurationAfterJoint,
  configurationOf,
  isJoint,
  type MembershipChange,
  membersOf,
} from './configuration.ts';
import type { NodeId } from './identifiers.ts';

const ids = (...values: number[]): NodeId[] => values as NodeId[];
const change = (kind: MembershipChange['kind'], node: number): MembershipChange => ({
  kind,
  node: node as NodeId,
});

describe('a membership change (Raft thesis §4.3)', () => {
  const three = configurationOf(ids(1, 2, 3));

  test('of a learner alone needs no joint phase', () => {
    expect(configurationAfter(three, [change('addLearner', 4)])).toEqual({
      ...three,
      learners: [4],
    });
  });

  test('of a voter passes through both halves', () => {
    const withLearner = { ...three, learners: ids(4) };
    const joint = configurationAfter(withLearner, [change('promote', 4), change('remove', 1)]);
    expect(joint).toEqual({
      voters: [2, 3, 4],
      outgoing: [1, 2, 3],
      learners: [],
      learnersNext: [],
    });
  });

  test('that demotes a voter keeps it voting in the old half until the joint phase ends', () => {
    const joint = configurationAfter(three, [change('demote', 3)]);
    expect(joint).toEqual({
      voters: [1, 2],
      outgoing: [1, 2, 3],
      learners: [],
      learnersNext: [3],
    });
    expect(configurationAfterJoint(joint ?? three)).toEqual({
      voters: [1, 2],
      outgoing: [],
      learners: [3],
      learnersNext: [],
    });
  });

  test('that changes nothing, or leaves no voter, is none', () => {
    expect(configurationAfter(three, [change('promote', 9)])).toBeNull();
    expect(
      configurationAfter(
        three,
        [1, 2, 3].map((node) => change('remove', node)),
      ),
    ).toBeNull();
  });

  test('never makes a node both voter and learner, and loses nobody on the way', () => {
    const kinds = fc.constantFrom('addLearner', 'promote', 'demote', 'remove') as fc.Arbitrary<
      MembershipChange['kind']
    >;
    const changes = fc.array(fc.tuple(kinds, fc.integer({ min: 1, max: 6 })), { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 6 }), (rounds) => {
        let current = three;
        for (const round of rounds) {
          const next = configurationAfter(
            current,
            round.map(([kind, node]) => change(kind, node)),
          );
          if (next === null) continue;
          for (const voter of current.voters)
            expect(isJoint(next) ? membersOf(next) : next.voters).toContain(voter);
          current = isJoint(next) ? configurationAfterJoint(next) : next;
          expect(current.voters.filter((node) => current.learners.includes(node))).toEqual([]);
          expect(current.voters.length).toBeGreaterThan(0);
        }
      }),
    );
  });
});
