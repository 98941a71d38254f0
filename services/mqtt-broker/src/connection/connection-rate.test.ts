import { expect, test } from 'vitest';
import { ConnectionRate } from './connection-rate.ts';

test('an address beyond its rate waits for the next second, and others are not concerned', () => {
  const rate = new ConnectionRate(2);
  expect([1, 1, 1].map((tick) => rate.admits('10.0.0.1', tick))).toEqual([true, true, false]);
  expect(rate.admits('10.0.0.2', 1)).toBe(true);
  expect(rate.admits('10.0.0.1', 2)).toBe(true);
});

test('without a limit everybody is admitted', () => {
  const rate = new ConnectionRate(0);
  expect(rate.isLimited).toBe(false);
  for (let count = 0; count < 1000; count += 1) expect(rate.admits('10.0.0.1', 1)).toBe(true);
});
