import { describe, expect, test } from 'vitest';
import { simulate, simulationOf } from './simulation.ts';

const SEEDS = 120;
const PER_TEST = 20;

describe('a cluster under one seed', () => {
  for (let first = 1; first <= SEEDS; first += PER_TEST) {
    test(`holds every invariant under seeds ${first} to ${first + PER_TEST - 1}`, () => {
      for (let seed = first; seed < first + PER_TEST; seed += 1) {
        const { violation } = simulate(simulationOf(seed, 30));
        expect(violation === null ? '' : `make sim SEED=${seed}: ${violation.message}`).toBe('');
      }
    });
  }

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

  test('commits and answers, so that the checkers have something to check', () => {
    let [entries, answers] = [0, 0];
    for (let seed = 11; seed < 21; seed += 1) {
      const { committedEntries, operations } = simulate(simulationOf(seed, 20));
      entries += committedEntries;
      answers += operations;
    }
    expect(entries).toBeGreaterThan(500);
    expect(answers).toBeGreaterThan(500);
  });
});
