import { describe, expect, test } from 'vitest';
import { mutants } from './mutants.ts';
import { simulate } from './simulation.ts';

/** Those that take longer are left to `make sim-mutants`, which runs each for up to 2,000 seeds. */
const RARE = new Set([
  'compaction before the snapshot',
  'missed ticks dropped',
  'repeated grant revives a lease',
  'vote against the lease',
  'old term committed by counting',
  'answers of earlier terms counted',
  'overlapping membership changes',
  'read without a quorum',
  'restart forgets the lease',
  'applied before durable',
]);
const SEEDS_MAX = 100;

describe('the simulator notices', () => {
  for (const { name, rules, bugs } of mutants) {
    if (RARE.has(name)) continue;
    test(name, () => {
      let found: string | null = null;
      for (let seed = 1; seed <= SEEDS_MAX && found === null; seed += 1) {
        const options = { seed, seconds: 60, rules, bugs, tell: null };
        found = simulate(options).violation?.invariant ?? null;
      }
      expect(found).not.toBeNull();
    });
  }

  test('at least twenty planted bugs, each under a name of its own', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(20);
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });
});
