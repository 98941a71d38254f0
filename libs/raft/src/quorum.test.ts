import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NodeId } from './identifiers.ts';
import { highestOnHalves, highestOnQuorum, majorityOf, voteOutcome } from './quorum.ts';

const nodes = (...ids: number[]): NodeId[] => ids as NodeId[];

describe('the highest value on a quorum (Raft §5.3)', () => {
  const rows = [
    // values        expected  why
    [[5], 5, 'one voter is a quorum'],
    [[5, 4], 4, 'of two both are needed'],
    [[5, 4, 3], 4, 'of three the median decides'],
    [[9, 9, 1, 1], 1, 'half is no majority'],
    [[1, 1, 7, 7, 7], 7, 'three of five are enough'],
    [[], 0, 'nobody reaches nothing'],
  ] as const;
  for (const [values, expected, why] of rows) {
    test(why, () => expect(highestOnQuorum([...values])).toBe(expected));
  }
});

/** Tries every value there is, and counts. */
function highestNaively(
  halves: readonly (readonly NodeId[])[],
  values: Map<NodeId, number>,
): number {
  const isReached = (value: number): boolean =>
    halves.every((half) => {
      const count = half.filter((node) => (values.get(node) ?? 0) >= value).length;
      return half.length === 0 || count * 2 > half.length;
    });
  return Math.max(0, ...[...values.values()].filter(isReached));
}

/** Asks every way in which the missing votes could fall. */
function outcomeNaively(
  halves: readonly (readonly NodeId[])[],
  votes: ReadonlyMap<NodeId, boolean>,
): 'won' | 'lost' | 'pending' {
  const wins = (missing: boolean): boolean =>
    halves.every((half) => {
      const count = half.filter((node) => votes.get(node) ?? missing).length;
      return half.length === 0 || count * 2 > half.length;
    });
  if (halves.every((half) => half.length === 0)) return 'lost';
  if (wins(false)) return 'won';
  return wins(true) ? 'pending' : 'lost';
}

const half = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 5 }) as fc.Arbitrary<
  NodeId[]
>;
const halves = fc.oneof(fc.tuple(half), fc.tuple(half, half));
const all = nodes(1, 2, 3, 4, 5, 6, 7);

describe('quorums of one or two halves (Raft thesis §4.3)', () => {
  test('the commit index agrees with a count over every candidate', () => {
    fc.assert(
      fc.property(halves, fc.array(fc.nat(9), { minLength: 7, maxLength: 7 }), (sets, drawn) => {
        const values = new Map(all.map((node, at) => [node, drawn[at] ?? 0]));
        fc.pre(sets.some((set) => set.length > 0));
        const seen = highestOnHalves(sets, (node) => values.get(node) ?? 0);
        expect(seen).toBe(highestNaively(sets, values));
      }),
    );
  });

  test('a vote agrees with a count over every way in which it could still go', () => {
    const vote = fc.option(fc.boolean(), { nil: undefined });
    fc.assert(
      fc.property(halves, fc.array(vote, { minLength: 7, maxLength: 7 }), (sets, drawn) => {
        const votes = new Map<NodeId, boolean>();
        for (const [at, node] of all.entries()) {
          const value = drawn[at];
          if (value !== undefined) votes.set(node, value);
        }
        expect(voteOutcome(sets, votes)).toBe(outcomeNaively(sets, votes));
      }),
    );
  });

  test('two majorities of the same voters always intersect', () => {
    for (let voters = 1; voters <= 9; voters += 1) {
      expect(majorityOf(voters) * 2).toBeGreaterThan(voters);
    }
  });
});
