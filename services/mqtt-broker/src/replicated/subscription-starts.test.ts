import type { Subscription } from '@robustmq/broker';
import { describe, expect, test } from 'vitest';
import { SubscriptionStarts } from './subscription-starts.ts';

const subscribed = (since: number): ReadonlyMap<string, Subscription> =>
  new Map([['a/b', { since } as Subscription]]);

describe('where subscriptions begin', () => {
  test('is nowhere when the session is as far as its broker knows', () => {
    const starts = new SubscriptionStarts(2);
    expect(
      starts.begin(
        () => 7,
        () => 7,
      ),
    ).toBe(0);
    expect(starts.isEmpty).toBe(true);
    expect(starts.isBefore(0, 1, 3)).toBe(false);
  });

  test('keeps older messages from a later subscription, shard by shard, until they are passed', () => {
    const starts = new SubscriptionStarts(2);
    const since = starts.begin(
      (shard) => [10, 20][shard] ?? 0,
      () => 5,
    );
    expect(starts.isBefore(since, 0, 9)).toBe(true);
    expect(starts.isBefore(since, 0, 10)).toBe(false);
    expect(starts.isBefore(since, 1, 19)).toBe(true);
    expect([starts.mayHold(1, 19), starts.mayHold(1, 20)]).toEqual([true, false]);
    expect(starts.stored([10, 19], subscribed(since))).toEqual([{ key: 'a/b', offsets: [10, 20] }]);
    const anew = new SubscriptionStarts(2);
    expect(anew.isBefore(anew.restore([10, 20]), 1, 19)).toBe(true);
    expect(starts.stored([10, 20], subscribed(since))).toEqual([]);
    expect(starts.isEmpty).toBe(true);
  });

  test('of a subscription that is gone is forgotten', () => {
    const starts = new SubscriptionStarts(1);
    starts.begin(
      () => 9,
      () => 1,
    );
    expect(starts.stored([1], subscribed(0))).toEqual([]);
    expect(starts.isEmpty).toBe(true);
  });
});
