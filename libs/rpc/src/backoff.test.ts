import { SeededRandom } from '@robustmq/environment';
import { expect, test } from 'vitest';
import { Backoff } from './backoff.ts';

test('pauses double up to the longest, each between half and all of it', () => {
  for (let seed = 0; seed < 50; seed += 1) {
    const backoff = new Backoff({ firstMs: 10, longestMs: 100 }, new SeededRandom(seed));
    for (const wholeMs of [10, 20, 40, 80, 100, 100, 100]) {
      const pauseMs = backoff.nextMs();
      expect(pauseMs).toBeGreaterThanOrEqual(wholeMs / 2);
      expect(pauseMs).toBeLessThan(wholeMs);
    }
    backoff.reset();
    expect(backoff.nextMs()).toBeLessThan(10);
  }
});

test('pauses differ between those who wait', () => {
  const pauses = [1, 2, 3, 4, 5].map((seed) =>
    new Backoff({ firstMs: 1000, longestMs: 1000 }, new SeededRandom(seed)).nextMs(),
  );
  expect(new Set(pauses).size).toBe(5);
});

test('pauses stay finite after any number of attempts', () => {
  const backoff = new Backoff({ firstMs: 1, longestMs: 500 }, new SeededRandom(1));
  for (let attempt = 0; attempt < 2000; attempt += 1) expect(backoff.nextMs()).toBeLessThan(500);
});
