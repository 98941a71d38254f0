import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { messageOn, subscriptionOf, TestSubscriber } from './routing.fixture.ts';
import { SharedGroup, type ShareStrategy } from './shared-group.ts';

const STRATEGIES: readonly ShareStrategy[] = [
  'round_robin',
  'random',
  'sticky',
  'hash_client',
  'hash_topic',
  'least_inflight',
];

function groupOf(
  strategy: ShareStrategy,
  members: readonly TestSubscriber[],
  seed = 0x1234,
): SharedGroup {
  const group = new SharedGroup('g', 'a/+', { strategy, seed });
  for (const member of members) group.add(subscriptionOf('a/+', member));
  return group;
}

function people(...names: string[]): TestSubscriber[] {
  return names.map((name) => new TestSubscriber(name));
}

const always = (): boolean => true;
const message = messageOn('a/b');

function pickName(group: SharedGroup, publisherId = 'p', on = message): string | null {
  return group.pick(on, publisherId, always)?.subscriber.clientId ?? null;
}

function picks(group: SharedGroup, count: number): string {
  return Array.from({ length: count }, () => pickName(group)).join('');
}

describe('every strategy', () => {
  const member = fc.record({ online: fc.boolean(), inflight: fc.nat(3), eligible: fc.boolean() });
  test.each(STRATEGIES)(
    '%s gives to one that is online and eligible, if there is one',
    (strategy) => {
      fc.assert(
        fc.property(fc.array(member, { maxLength: 6 }), fc.integer(), (states, seed) => {
          const members = states.map(
            ({ online, inflight }, index) => new TestSubscriber(`${index}`, { online, inflight }),
          );
          const group = groupOf(strategy, members, seed);
          const isEligible = (id: string): boolean => states[Number(id)]?.eligible === true;
          for (let round = 0; round < 8; round += 1) {
            const picked = group.pick(message, `p${round}`, ({ subscriber }) =>
              isEligible(subscriber.clientId),
            );
            const candidates = members.filter((each) => each.online && isEligible(each.clientId));
            if (candidates.length === 0) expect(picked).toBeNull();
            else expect(candidates).toContain(picked?.subscriber);
          }
        }),
        { numRuns: 60 },
      );
    },
  );
});

describe('round robin', () => {
  test('is even', () => {
    expect(picks(groupOf('round_robin', people('a', 'b', 'c')), 7)).toBe('abcabca');
  });

  test('skips those that are away without losing its place', () => {
    const [a, b, c] = people('a', 'b', 'c') as [TestSubscriber, TestSubscriber, TestSubscriber];
    const group = groupOf('round_robin', [a, b, c]);
    b.online = false;
    expect(picks(group, 4)).toBe('acac');
    b.online = true;
    expect(picks(group, 4)).toBe('abca');
  });

  test('goes on with the same member when another leaves', () => {
    const [a, b, c] = people('a', 'b', 'c') as [TestSubscriber, TestSubscriber, TestSubscriber];
    const group = groupOf('round_robin', [a, b, c]);
    expect(picks(group, 1)).toBe('a');
    group.remove(a);
    expect(picks(group, 3)).toBe('bcb');
    group.remove(b);
    group.remove(b);
    expect(picks(group, 2)).toBe('cc');
    group.remove(c);
    expect(pickName(group)).toBeNull();
  });

  test('takes a new member in at its turn', () => {
    const group = groupOf('round_robin', people('a', 'b'));
    expect(picks(group, 2)).toBe('ab');
    group.add(subscriptionOf('a/+', new TestSubscriber('c')));
    expect(picks(group, 4)).toBe('cabc');
  });

  test('hands out evenly whoever comes and goes', () => {
    const change = fc.tuple(fc.constantFrom('join', 'leave', 'pick'), fc.nat());
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const group = groupOf('round_robin', []);
        let present: TestSubscriber[] = [];
        for (const [index, [kind, at]] of changes.entries()) {
          if (kind === 'join') {
            present.push(new TestSubscriber(`${index}`));
            group.add(subscriptionOf('a/+', present.at(-1) as TestSubscriber));
          } else if (kind === 'leave' && present.length > 0) {
            const leaving = present[at % present.length] as TestSubscriber;
            present = present.filter((each) => each !== leaving);
            group.remove(leaving);
          }
          // A whole round gives one to each, wherever it begins.
          const round = present.map(() => pickName(group));
          expect(new Set(round).size).toBe(present.length);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('sticky', () => {
  test('stays with one member until it is away, whoever else leaves', () => {
    const [a, b, c] = people('a', 'b', 'c') as [TestSubscriber, TestSubscriber, TestSubscriber];
    const group = groupOf('sticky', [a, b, c]);
    expect(picks(group, 2)).toBe('aa');
    a.online = false;
    expect(picks(group, 2)).toBe('bb');
    a.online = true;
    expect(picks(group, 2)).toBe('bb');
    group.remove(a);
    expect(picks(group, 2)).toBe('bb');
    group.remove(b);
    expect(picks(group, 2)).toBe('cc');
  });
});

describe('hashing', () => {
  const members = people('a', 'b', 'c', 'd');

  test('by client gives one publisher one member, and publishers different ones', () => {
    const group = groupOf('hash_client', members);
    const ids = Array.from({ length: 40 }, (_, index) => `publisher-${index}`);
    const chosen = ids.map((id) => pickName(group, id));
    expect(ids.map((id) => pickName(group, id))).toEqual(chosen);
    expect(new Set(chosen).size).toBe(4);
  });

  test('by topic gives one topic one member, and topics different ones', () => {
    const group = groupOf('hash_topic', members);
    const topics = Array.from({ length: 40 }, (_, index) => messageOn(`a/${index}`));
    const chosen = topics.map((on) => pickName(group, 'p', on));
    expect(topics.map((on) => pickName(group, 'q', on))).toEqual(chosen);
    expect(new Set(chosen).size).toBe(4);
  });
});

describe('random', () => {
  test('is roughly even, and the same for the same seed', () => {
    const names = people('a', 'b', 'c', 'd');
    const first = picks(groupOf('random', names, 42), 4000);
    expect(picks(groupOf('random', names, 42), 4000)).toBe(first);
    for (const { clientId } of names) {
      const share = first.split(clientId).length - 1;
      expect(share).toBeGreaterThan(850);
      expect(share).toBeLessThan(1150);
    }
  });

  test('also works with a seed of zero', () => {
    expect(new Set(picks(groupOf('random', people('a', 'b'), 0), 40)).size).toBe(2);
  });
});

describe('least in flight', () => {
  test('gives to the one with the fewest open exchanges', () => {
    const members = [3, 1, 2].map(
      (inflight, index) => new TestSubscriber(`${index}`, { inflight }),
    );
    const group = groupOf('least_inflight', members);
    expect(picks(group, 2)).toBe('11');
    Object.assign(members[1] as TestSubscriber, { online: false });
    expect(picks(group, 2)).toBe('22');
  });

  test('takes turns among equals, so that QoS 0 is spread too', () => {
    expect(picks(groupOf('least_inflight', people('a', 'b', 'c')), 6)).toBe('abcabc');
  });
});

describe('a group', () => {
  test('is durable while some member is', () => {
    const durable = new TestSubscriber('d', { durable: true });
    const group = groupOf('random', [...people('a'), durable]);
    expect(group.durable).toBe(true);
    group.remove(durable);
    expect(group.durable).toBe(false);
  });
});
