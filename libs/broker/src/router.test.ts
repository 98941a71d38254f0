import { filterMatchesTopic } from '@robustmq/topic';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MatchResult } from './match-result.ts';
import { Router } from './router.ts';
import { PLAIN, subscriptionOf, TestSubscriber, utf8 } from './routing.fixture.ts';
import type { Subscription } from './subscription.ts';

function routerWith(options: { topics?: number; deliveries?: number } = {}): Router {
  return new Router({
    topicsCachedMax: options.topics ?? 1000,
    strategy: 'round_robin',
    encode: utf8,
    ...(options.deliveries === undefined ? {} : { deliveriesCachedMax: options.deliveries }),
  });
}

function subscribe(
  router: Router,
  filter: string,
  subscriber: TestSubscriber = new TestSubscriber(filter),
  options: { qos?: number; identifier?: number; share?: string } = {},
): Subscription {
  const { share = null, ...rest } = options;
  const subscription = subscriptionOf(filter, subscriber, rest);
  router.subscribe(subscription, share);
  return subscription;
}

function receivers(result: MatchResult): string[] {
  return [...result.live, ...result.durable].map(({ subscriber }) => subscriber.clientId).sort();
}

function matchOf(router: Router, name: string): MatchResult {
  return router.match(router.topicOf(name));
}

describe('a match', () => {
  test('is one delivery for each subscriber, however many filters overlap (MQTT-5.0 [MQTT-3.3.4-2], [MQTT-3.3.4-4])', () => {
    for (const others of [0, 20]) {
      const router = routerWith();
      const subscriber = new TestSubscriber('s');
      subscribe(router, 'a/b', subscriber, { qos: 1, identifier: 1 });
      subscribe(router, 'a/+', subscriber, { qos: 2, identifier: 2 });
      subscribe(router, '#', subscriber);
      for (let index = 0; index < others; index += 1) {
        subscribe(router, 'a/b', new TestSubscriber(`o${index}`));
      }
      const { live } = matchOf(router, 'a/b');
      const own = live.filter((delivery) => delivery.subscriber === subscriber);
      expect(live).toHaveLength(1 + others);
      expect(own).toMatchObject([{ qos: 2 }]);
      expect(own[0]?.identifiers.toSorted()).toEqual([1, 2]);
    }
  });

  test('sends durable subscribers through the journal, unless they asked for QoS 0', () => {
    const router = routerWith();
    const durable = { durable: true };
    subscribe(router, 'a', new TestSubscriber('durable 1', durable), { qos: 1 });
    subscribe(router, 'a', new TestSubscriber('durable 0', durable), { qos: 0 });
    subscribe(router, 'a', new TestSubscriber('ephemeral 2'), { qos: 2 });
    const result = matchOf(router, 'a');
    expect(result.durable.map(({ subscriber }) => subscriber.clientId)).toEqual(['durable 1']);
    expect(result.live.map(({ subscriber }) => subscriber.clientId).sort()).toEqual([
      'durable 0',
      'ephemeral 2',
    ]);
  });

  test('is the same object until a subscription changes it', () => {
    const router = routerWith();
    subscribe(router, 'a');
    expect(matchOf(router, 'a')).toBe(matchOf(router, 'a'));
    expect(matchOf(router, 'nobody')).toBe(matchOf(router, 'none either'));
  });
});

describe('an exact filter', () => {
  test('makes the match of its own topic stale, and of no other', () => {
    const router = routerWith();
    subscribe(router, '#');
    const [a, b] = [matchOf(router, 'a'), matchOf(router, 'b')];
    const added = subscribe(router, 'a');
    expect(matchOf(router, 'b')).toBe(b);
    expect(matchOf(router, 'a')).not.toBe(a);
    expect(receivers(matchOf(router, 'a'))).toEqual(['#', 'a']);
    router.unsubscribe(added);
    expect(matchOf(router, 'b')).toBe(b);
    expect(receivers(matchOf(router, 'a'))).toEqual(['#']);
  });

  test('of a topic that nobody published to is no work', () => {
    const router = routerWith();
    subscribe(router, 'a');
    expect(router.topics.size).toBe(0);
    expect(receivers(matchOf(router, 'a'))).toEqual(['a']);
  });
});

describe('a filter with a wildcard', () => {
  test('makes every match stale when it comes and when it goes', () => {
    const router = routerWith();
    subscribe(router, 'a');
    expect(receivers(matchOf(router, 'a'))).toEqual(['a']);
    expect(receivers(matchOf(router, 'b'))).toEqual([]);
    const all = subscribe(router, '+');
    expect(receivers(matchOf(router, 'a'))).toEqual(['+', 'a']);
    expect(receivers(matchOf(router, 'b'))).toEqual(['+']);
    router.unsubscribe(all);
    expect(receivers(matchOf(router, 'a'))).toEqual(['a']);
    expect(receivers(matchOf(router, 'b'))).toEqual([]);
  });
});

describe('a changed subscription', () => {
  test('counts from the next match on', () => {
    for (const filter of ['a', '+']) {
      const router = routerWith();
      const subscriber = new TestSubscriber('s');
      const subscription = subscribe(router, filter, subscriber, { qos: 1 });
      expect(matchOf(router, 'a').live).toMatchObject([{ qos: 1 }]);
      subscription.change({ ...PLAIN, qos: 2, noLocal: true, retainAsPublished: true });
      router.changed(filter);
      expect(matchOf(router, 'a').live).toMatchObject([{ qos: 2, noLocal: true }]);
      subscriber.durable = true;
      router.changed(filter);
      expect(matchOf(router, 'a').durable).toHaveLength(1);
    }
  });

  test('all count when everything is invalidated', () => {
    const router = routerWith();
    subscribe(router, 'a');
    const before = matchOf(router, 'a');
    router.invalidateAll();
    expect(matchOf(router, 'a')).not.toBe(before);
  });
});

describe('a topic that the table forgot, but a publisher kept', () => {
  test('still hears of new subscriptions', () => {
    const router = routerWith({ topics: 1 });
    const kept = router.topicOf('a');
    expect(receivers(router.match(kept))).toEqual([]);
    router.match(router.topicOf('b'));
    subscribe(router, 'a');
    expect(receivers(router.match(kept))).toEqual(['a']);
  });

  test('has the match of the topic that took its place', () => {
    const router = routerWith({ topics: 1 });
    const kept = router.topicOf('a');
    router.topicOf('b');
    const present = router.topicOf('a');
    expect(present).not.toBe(kept);
    const first = subscribe(router, 'a');
    expect(router.match(kept)).toBe(router.match(present));
    router.unsubscribe(first);
    expect(receivers(router.match(kept))).toEqual([]);
  });
});

describe('the cache of matches', () => {
  test('holds no more deliveries than its maximum', () => {
    const router = routerWith({ deliveries: 10 });
    for (const name of ['x', 'y', 'z']) subscribe(router, '#', new TestSubscriber(name));
    const topics = Array.from({ length: 50 }, (_, index) => router.topicOf(`${index}`));
    for (const topic of topics) {
      expect(receivers(router.match(topic))).toEqual(['x', 'y', 'z']);
      const held = topics.reduce((sum, { match }) => sum + (match?.live.length ?? 0), 0);
      expect(held).toBeLessThanOrEqual(10);
    }
  });

  test('takes a single match that is larger than the maximum', () => {
    const router = routerWith({ deliveries: 1 });
    for (const name of ['x', 'y', 'z']) subscribe(router, 'a', new TestSubscriber(name));
    expect(matchOf(router, 'a')).toBe(matchOf(router, 'a'));
  });
});

describe('shared subscriptions', () => {
  test('of one name and filter are one group, which is matched once', () => {
    const router = routerWith();
    const members = ['m1', 'm2'].map((id) => new TestSubscriber(id));
    for (const member of members) subscribe(router, 'a/+', member, { share: 'g' });
    const result = matchOf(router, 'a/b');
    expect(result.live).toEqual([]);
    expect(result.shared).toHaveLength(1);
    expect(result.shared[0]).toMatchObject({ shareName: 'g', filter: 'a/+' });
    expect(result.shared[0]?.members.map(({ subscriber }) => subscriber)).toEqual(members);
    expect([router.sharedSubscriptionCount, [...router.groups()].length]).toEqual([2, 1]);
  });

  test('of other names or filters are other groups', () => {
    const router = routerWith();
    const member = new TestSubscriber('m');
    subscribe(router, 'a/+', member, { share: 'g' });
    subscribe(router, 'a/+', member, { share: 'h' });
    subscribe(router, 'a/b', member, { share: 'g' });
    subscribe(router, 'a/b', member);
    const { shared, live } = matchOf(router, 'a/b');
    expect([shared.length, live.length]).toEqual([3, 1]);
  });

  test('tell whether some member is durable', () => {
    const router = routerWith();
    subscribe(router, 'a', new TestSubscriber('m'), { share: 'g' });
    expect(matchOf(router, 'a').sharedDurable).toBe(false);
    const durable = new TestSubscriber('d', { durable: true });
    const subscription = subscribe(router, 'a', durable, { share: 'g' });
    expect(matchOf(router, 'a').sharedDurable).toBe(true);
    router.unsubscribe(subscription);
    expect(matchOf(router, 'a').sharedDurable).toBe(false);
  });

  test('an emptied group is forgotten, and the next one begins without its state', () => {
    const router = routerWith();
    const subscription = subscribe(router, 'a', new TestSubscriber('m'), { share: 'g' });
    const before = subscription.group;
    if (before !== null) before.state = { place: 7 };
    router.unsubscribe(subscription);
    expect([[...router.groups()], router.sharedSubscriptionCount]).toEqual([[], 0]);
    expect(matchOf(router, 'a').shared).toEqual([]);
    const after = subscribe(router, 'a', new TestSubscriber('m'), { share: 'g' }).group;
    expect(after).not.toBe(before);
    expect(after?.state).toBeNull();
    expect([before?.members, before?.state]).toEqual([[], { place: 7 }]);
  });
});

describe('the router', () => {
  const FILTERS = ['a', 'b', 'a/b', 'a/+', '+', '#', 'a/#', '$s/#', '$s/a'];
  const NAMES = ['a', 'b', 'a/b', 'a/c', '$s/a', '$s'];
  const step = fc.record({
    kind: fc.constantFrom('subscribe', 'unsubscribe', 'change', 'match'),
    who: fc.nat(3),
    filter: fc.constantFrom(...FILTERS),
    name: fc.constantFrom(...NAMES),
    share: fc.constantFrom(null, null, 'g', 'h'),
    qos: fc.constantFrom(0, 1, 2),
  });

  test.each([1000, 2])(
    'agrees with a twin without a cache, with room for %i topics (MQTT-5.0 [MQTT-3.3.2-3])',
    (topicsCachedMax) => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
          const router = routerWith({ topics: topicsCachedMax, deliveries: 12 });
          const subscribers = [0, 1, 2, 3].map(
            (id) => new TestSubscriber(`${id}`, { durable: id % 2 === 1 }),
          );
          // Publishers hold on to topics, as aliases do.
          const held = NAMES.map((name) => router.topicOf(name));
          const twin = new Map<string, Subscription>();
          for (const { kind, who, filter, name, share, qos } of steps) {
            const key = `${who} ${share} ${filter}`;
            const known = twin.get(key);
            if (kind === 'subscribe' && known === undefined) {
              const subscription = subscriptionOf(filter, subscribers[who] as TestSubscriber, {
                qos,
              });
              router.subscribe(subscription, share);
              twin.set(key, subscription);
            } else if (kind === 'unsubscribe' && known !== undefined) {
              router.unsubscribe(known);
              twin.delete(key);
            } else if (kind === 'change' && known !== undefined) {
              known.change({ ...PLAIN, qos });
              router.changed(filter);
            }
            for (const topic of [router.topicOf(name), held[NAMES.indexOf(name)] ?? null]) {
              if (topic !== null)
                expect(summary(router.match(topic))).toEqual(expected(twin, name));
            }
            expect(router.subscriptionCount).toBe(twin.size);
          }
        }),
        { numRuns: 80 },
      );
    },
  );
});

interface Summary {
  readonly live: readonly string[];
  readonly durable: readonly string[];
  readonly groups: readonly string[];
}

function summary(result: MatchResult): Summary {
  const told = (all: MatchResult['live']): string[] =>
    all.map(({ subscriber, qos }) => `${subscriber.clientId} QoS ${qos}`).sort();
  return {
    live: told(result.live),
    durable: told(result.durable),
    groups: result.shared
      .map(({ shareName, filter, members }) => {
        const ids = members.map(({ subscriber }) => subscriber.clientId).sort();
        return `${shareName} ${filter} ${ids.join()}`;
      })
      .sort(),
  };
}

/** What the answer must be, looked up the slow way. */
function expected(twin: ReadonlyMap<string, Subscription>, name: string): Summary {
  const matching = [...twin].filter(([, { filter }]) => filterMatchesTopic(filter, name));
  const best = new Map<string, { qos: number; durable: boolean }>();
  const groups = new Map<string, string[]>();
  for (const [key, { subscriber, qos, filter }] of matching) {
    const [who = '', share = ''] = key.split(' ');
    if (share === 'null') {
      best.set(who, {
        qos: Math.max(qos, best.get(who)?.qos ?? 0),
        durable: subscriber.durable,
      });
    } else groups.set(`${share} ${filter}`, [...(groups.get(`${share} ${filter}`) ?? []), who]);
  }
  const told = (isDurable: boolean): string[] =>
    [...best]
      .filter(([, { qos, durable }]) => (durable && qos > 0) === isDurable)
      .map(([who, { qos }]) => `${who} QoS ${qos}`)
      .sort();
  return {
    live: told(false),
    durable: told(true),
    groups: [...groups].map(([group, members]) => `${group} ${members.sort().join()}`).sort(),
  };
}
