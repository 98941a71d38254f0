import { describe, expect, test } from 'vitest';
import { EventRateLimiter } from './event-rate-limiter.ts';

describe('the rate limit of an event', () => {
  test('lets so many lines of a second through and tells the rest with the next second', () => {
    const limiter = new EventRateLimiter();
    const verdicts = Array.from({ length: 5 }, () => limiter.admit('a', 2, 1_000).verdict);
    expect(verdicts).toEqual(['write', 'write', 'suppress', 'suppress', 'suppress']);
    expect(limiter.admit('a', 2, 1_999).verdict).toBe('suppress');
    expect(limiter.admit('a', 2, 2_000)).toEqual({ verdict: 'write', suppressed: 4 });
    expect(limiter.admit('a', 2, 2_001)).toEqual({ verdict: 'write', suppressed: 0 });
  });

  test('counts each event by itself', () => {
    const limiter = new EventRateLimiter();
    limiter.admit('a', 1, 0);
    expect(limiter.admit('b', 1, 0).verdict).toBe('write');
  });

  test('tells once what no later line tells', () => {
    const limiter = new EventRateLimiter();
    for (let index = 0; index < 4; index++) limiter.admit('a', 1, 0);
    expect(limiter.takeSuppressed()).toEqual([{ event: 'a', lines: 3 }]);
    expect(limiter.takeSuppressed()).toEqual([]);
    expect(limiter.admit('a', 1, 5_000)).toEqual({ verdict: 'write', suppressed: 0 });
  });

  test('begins anew when the clock goes back', () => {
    const limiter = new EventRateLimiter();
    limiter.admit('a', 1, 10_000);
    expect(limiter.admit('a', 1, 9_000).verdict).toBe('write');
  });
});
