import { describe, expect, test } from 'vitest';
import { REGRESSION_SEEDS } from './regression-seeds.ts';
import { simulate, simulationOf } from './simulation.ts';

/** A look: the 2,000 seeds of 60 s are a suite of their own, `make sim`. */
const SEEDS = 60;
const PER_TEST = 20;

function verdictOn(seed: number, seconds: number): string {
  const { violation } = simulate(simulationOf(seed, seconds));
  return violation === null ? '' : `make sim SEED=${seed}: ${violation.message}`;
}

describe('a group under one seed', () => {
  for (let first = 1; first <= SEEDS; first += PER_TEST) {
    test(`holds every invariant under seeds ${first} to ${first + PER_TEST - 1}`, () => {
      for (let seed = first; seed < first + PER_TEST; seed += 1) {
        expect(verdictOn(seed, 30)).toBe('');
      }
    });
  }

  test.each(REGRESSION_SEEDS)('holds under seed $seed again: $why', ({ seed }) => {
    expect(verdictOn(seed, 60)).toBe('');
  });

  test('has the same history twice under the same seed', () => {
    for (const seed of [3, 14, 15]) {
      const [first, second] = [simulate(simulationOf(seed, 20)), simulate(simulationOf(seed, 20))];
      expect(second).toEqual(first);
    }
  });

  test('has another history under another seed', () => {
    const hashes = [1, 2, 3, 4].map((seed) => simulate(simulationOf(seed, 5)).traceHash);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test('commits, answers and watches, so that the checkers have something to check', () => {
    let [entries, answers, revisions, records] = [0, 0, 0, 0];
    for (let seed = 11; seed < 21; seed += 1) {
      const result = simulate(simulationOf(seed, 20));
      entries += result.committedEntries;
      answers += result.operations;
      revisions += result.revisions;
      records += result.records;
    }
    expect(entries).toBeGreaterThan(500);
    expect(answers).toBeGreaterThan(500);
    expect(revisions).toBeGreaterThan(500);
    expect(records).toBeGreaterThan(500);
  });
});
