import { expect, test } from 'vitest';
import { carryOut } from './campaign.ts';
import { FAULT_KINDS } from './fault-tally.ts';

test('every kind of fault happens within sixty seeds', () => {
  const task = { kind: 'run', firstSeed: 1, seeds: 60, seconds: 40, bug: null } as const;
  const { faults, seeds } = carryOut(task, () => 0);
  expect(seeds).toBe(60);
  const missing = FAULT_KINDS.filter((kind) => (faults[kind] ?? 0) === 0);
  expect(missing).toEqual([]);
});
