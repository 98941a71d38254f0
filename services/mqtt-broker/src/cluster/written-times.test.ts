import { expect, test } from 'vitest';
import { WrittenTimes } from './written-times.ts';

test('a record was written by the first mark that is not before it', () => {
  const times = new WrittenTimes();
  times.mark(10, 1000);
  times.mark(20, 2000);
  expect([5, 10, 11, 20].map((revision) => times.latestOf(revision))).toEqual([
    1000, 1000, 2000, 2000,
  ]);
  expect(times.latestOf(21)).toBe(null);
});

test('a mark that says nothing new is none', () => {
  const times = new WrittenTimes();
  times.mark(10, 1000);
  times.mark(10, 2000);
  times.mark(9, 3000);
  expect(times.latestOf(10)).toBe(1000);
});

test('what is stored is what the next one goes on from', () => {
  const times = new WrittenTimes();
  times.mark(10, 1000);
  const next = new WrittenTimes();
  expect(next.load(times.store(1500.7))).toBe(1500);
  expect(next.latestOf(10)).toBe(1000);
});

test.each(['', 'x', '{}', '{"nowMs":-1,"marks":[]}', '{"nowMs":1,"marks":[{"revision":"a"}]}'])(
  'what is not a record of times is none: %j',
  (text) => {
    const times = new WrittenTimes();
    expect(times.load(Buffer.from(text))).toBe(0);
    expect(times.latestOf(1)).toBe(null);
  },
);

test('stays small and never tells too early a time, nor one too late by an eighth of the age', () => {
  const times = new WrittenTimes();
  const stepMs = 10_000;
  const steps = 200_000;
  for (let step = 1; step <= steps; step += 1) times.mark(step, step * stepMs);
  const nowMs = steps * stepMs;
  expect(times.store(nowMs).length).toBeLessThan(16_384);
  for (let step = 1; step <= steps; step += 997) {
    const trueMs = step * stepMs;
    const toldMs = times.latestOf(step) ?? Number.NaN;
    expect(toldMs).toBeGreaterThanOrEqual(trueMs);
    expect(toldMs - trueMs).toBeLessThanOrEqual(stepMs + (nowMs - trueMs) / 8);
  }
});
