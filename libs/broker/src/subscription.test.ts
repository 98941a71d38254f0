import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PLAIN, subscriptionOf, TestSubscriber } from './routing.fixture.ts';
import { SharedGroup } from './shared-group.ts';
import { Delivery, type SubscriptionOptions } from './subscription.ts';

const someone = new TestSubscriber('someone');

const anyOptions: fc.Arbitrary<SubscriptionOptions> = fc.record({
  qos: fc.constantFrom(0, 1, 2),
  noLocal: fc.boolean(),
  retainAsPublished: fc.boolean(),
  retainHandling: fc.constantFrom(0, 1, 2),
  identifier: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 268_435_455 })),
  since: fc.oneof(fc.constant(0), fc.maxSafeNat()),
});

function optionsOf(subscription: SubscriptionOptions): SubscriptionOptions {
  const { qos, noLocal, retainAsPublished, retainHandling, identifier, since } = subscription;
  return { qos, noLocal, retainAsPublished, retainHandling, identifier, since };
}

describe('a subscription', () => {
  test('gives every option back as it was set', () => {
    fc.assert(
      fc.property(anyOptions, (options) => {
        const subscription = subscriptionOf('a', someone, options);
        expect(optionsOf(subscription)).toEqual(options);
        expect(subscription.group).toBeNull();
      }),
    );
  });

  test('keeps its place in the journal and its group when its options change (MQTT-5.0 [MQTT-3.8.4-3])', () => {
    fc.assert(
      fc.property(anyOptions, anyOptions, (before, after) => {
        const group = new SharedGroup('g', 'a', { strategy: 'random', seed: 1 });
        const subscription = subscriptionOf('a', someone, before);
        subscription.group = group;
        const { since: _, ...changed } = after;
        subscription.change(changed);
        expect(optionsOf(subscription)).toEqual({ ...after, since: before.since });
        expect(subscription.group).toBe(group);
        subscription.change(after);
        expect(subscription.since).toBe(after.since);
      }),
    );
  });
});

describe('the delivery of overlapping subscriptions', () => {
  function merged(...all: Partial<SubscriptionOptions>[]): Delivery {
    const [first, ...others] = all.map((options) => subscriptionOf('a', someone, options));
    const delivery = new Delivery(first ?? subscriptionOf('a', someone, PLAIN));
    for (const other of others) delivery.include(other);
    return delivery;
  }

  const cases: readonly (readonly [
    why: string,
    subscriptions: Partial<SubscriptionOptions>[],
    delivery: Partial<Delivery>,
  ])[] = [
    [
      'the maximum QoS of all counts (MQTT-5.0 [MQTT-3.3.4-2])',
      [{ qos: 1 }, { qos: 2 }, { qos: 0 }],
      { qos: 2 },
    ],
    [
      'every identifier is sent (MQTT-5.0 [MQTT-3.3.4-3], [MQTT-3.3.4-4])',
      [{ identifier: 7 }, {}, { identifier: 3 }],
      { identifiers: [7, 3] },
    ],
    [
      'an identifier that two have is sent twice (MQTT-5.0 §3.3.4)',
      [{ identifier: 7 }, { identifier: 7 }],
      { identifiers: [7, 7] },
    ],
    [
      'one without "no local" lets own messages in (MQTT-5.0 [MQTT-3.8.3-3])',
      [{ noLocal: true }, { noLocal: false }],
      { noLocal: false },
    ],
    [
      'own messages come by the ones without "no local" alone (MQTT-5.0 [MQTT-3.8.3-3])',
      [
        { qos: 2, noLocal: true, identifier: 7 },
        { qos: 1, identifier: 8 },
        { qos: 0, identifier: 9, retainAsPublished: true },
        { qos: 2, noLocal: true },
      ],
      {
        qos: 2,
        noLocal: false,
        own: expect.objectContaining({ qos: 1, retainAsPublished: true }),
      },
    ],
    [
      '"no local" in all keeps them out (MQTT-5.0 [MQTT-3.8.3-3])',
      [{ noLocal: true }, { noLocal: true }],
      { noLocal: true },
    ],
    [
      'one "retain as published" keeps the flag (MQTT-5.0 [MQTT-3.3.1-13])',
      [{ retainAsPublished: false }, { retainAsPublished: true }],
      { retainAsPublished: true },
    ],
    [
      'without any the flag is cleared (MQTT-5.0 [MQTT-3.3.1-12])',
      [{ retainAsPublished: false }, { retainAsPublished: false }],
      { retainAsPublished: false },
    ],
  ];
  test.each(cases)('%s', (_why, subscriptions, delivery) => {
    expect(merged(...subscriptions)).toMatchObject(delivery);
    expect(merged(...subscriptions.toReversed())).toMatchObject({
      ...delivery,
      ...(delivery.identifiers === undefined
        ? {}
        : { identifiers: delivery.identifiers.toReversed() }),
    });
  });
});
