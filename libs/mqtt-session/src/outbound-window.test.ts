import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExchangeState, OutboundWindow } from './outbound-window.ts';

const { awaitingPuback, awaitingPubrec, received, awaitingPubcomp, assigned } = ExchangeState;

function takeMany(window: OutboundWindow, count: number): number[] {
  return Array.from({ length: count }, () => window.take(awaitingPuback));
}

function range(first: number, after: number): number[] {
  return Array.from({ length: after - first }, (_, index) => first + index);
}

describe('packet identifiers', () => {
  test('are assigned unused and never zero (MQTT-5.0 [MQTT-2.2.1-4], [MQTT-4.3.2-1], [MQTT-4.3.3-1])', () => {
    const window = new OutboundWindow(100);
    expect(takeMany(window, 100)).toEqual(range(1, 101));
  });

  test('are reused as late as possible, in the order of their release', () => {
    const window = new OutboundWindow(100);
    takeMany(window, 3);
    for (const id of [2, 3, 1]) window.release(id);
    expect(takeMany(window, 16)).toEqual([...range(4, 17), 2, 3, 1]);
  });

  test('are all 65,535, and then all free again', () => {
    const window = new OutboundWindow(65_535);
    expect(new Set(takeMany(window, 65_535)).size).toBe(65_535);
    expect([window.isFull, window.take(awaitingPuback)]).toEqual([true, 0]);
    for (let id = 1; id <= 65_535; id += 1) expect(window.release(id)).toBe(true);
    expect([window.count, window.open()]).toEqual([0, []]);
    expect(takeMany(window, 3)).toEqual([1, 2, 3]);
  });

  test('that nobody can have are not open (MQTT-5.0 [MQTT-4.3.3-4])', () => {
    const window = new OutboundWindow(1);
    for (const id of [0, 1, 17, 65_535]) {
      expect([window.stateOf(id), window.release(id), window.offsetOf(id)]).toEqual([0, false, -1]);
      expect(() => window.setState(id, received)).toThrow('is not open');
      expect(() => window.setOffset(id, 1)).toThrow('is not open');
    }
    for (const id of [0, -1, 65_536]) expect(() => window.restore(id, received, 1)).toThrow();
  });
});

describe('the send quota', () => {
  test('is the Receive Maximum, and comes back with each acknowledgement (MQTT-5.0 [MQTT-3.3.4-9], [MQTT-4.9.0-1], [MQTT-4.9.0-2])', () => {
    const window = new OutboundWindow(2);
    expect(takeMany(window, 3)).toEqual([1, 2, 0]);
    window.release(1);
    expect([window.isFull, window.take(awaitingPuback), window.isFull]).toEqual([false, 1, true]);
  });

  test('of a QoS 2 message comes back with PUBCOMP only (MQTT-5.0 [MQTT-3.3.4-9], [MQTT-4.3.3-3], [MQTT-4.3.3-5])', () => {
    const window = new OutboundWindow(1);
    const id = window.take(awaitingPubrec);
    for (const state of [received, awaitingPubcomp]) {
      window.setState(id, state);
      expect([window.stateOf(id), window.take(awaitingPuback)]).toEqual([state, 0]);
    }
    window.release(id);
    expect(window.take(awaitingPuback)).not.toBe(0);
  });

  test('may be lower at the next connection: what is open stays open (MQTT-5.0 [MQTT-4.4.0-1])', () => {
    const window = new OutboundWindow(10);
    takeMany(window, 10);
    window.setLimit(3);
    expect([window.count, window.isFull, window.take(awaitingPuback)]).toEqual([10, true, 0]);
    for (const id of range(1, 8)) {
      window.release(id);
      expect(window.isFull).toBe(true);
    }
    window.release(8);
    expect(takeMany(window, 2).map((id) => id > 0)).toEqual([true, false]);
  });

  test('may be higher at the next connection', () => {
    const window = new OutboundWindow(1);
    expect(takeMany(window, 2)).toEqual([1, 0]);
    window.setLimit(40);
    expect(takeMany(window, 40)).toEqual([...range(2, 41), 0]);
  });
});

describe('exchanges that are restored', () => {
  test('keep identifiers far above the limit, and count against it', () => {
    const window = new OutboundWindow(2);
    window.restore(60_000, awaitingPubrec, 7);
    window.restore(5, awaitingPubcomp, 6);
    window.restore(6, awaitingPubcomp, 5);
    expect([window.count, window.isFull, window.take(awaitingPuback)]).toEqual([3, true, 0]);
    expect(window.open().map(({ id }) => id)).toEqual([6, 5, 60_000]);
    for (const id of [5, 6, 60_000]) expect(window.release(id)).toBe(true);
    expect([window.count, window.take(assigned), window.take(assigned)]).toEqual([0, 1, 2]);
  });

  test('may be restored twice, with a newer state', () => {
    const window = new OutboundWindow(10);
    window.restore(3, awaitingPubrec, 7);
    window.restore(3, awaitingPubcomp, 8);
    expect(window.open()).toEqual([{ id: 3, state: awaitingPubcomp, offset: 8 }]);
    expect(takeMany(window, 9)).toEqual([1, 2, ...range(4, 11)]);
  });

  test('are resent in the order of their messages, not of their identifiers (MQTT-5.0 [MQTT-4.6.0-6])', () => {
    const window = new OutboundWindow(10);
    for (const [id, offset] of [
      [1, 30],
      [2, 10],
      [3, 20],
    ] as const) {
      window.restore(id, awaitingPuback, offset);
    }
    expect(window.open().map(({ offset }) => offset)).toEqual([10, 20, 30]);
  });
});

describe('offsets', () => {
  test('tell the oldest message that is still needed', () => {
    const window = new OutboundWindow(10);
    expect(window.oldestOffset(99)).toBe(99);
    const [first = 0, second = 0, live = 0] = takeMany(window, 3);
    expect(window.oldestOffset(99)).toBe(99);
    window.setOffset(first, 50);
    window.setOffset(second, 0);
    expect([window.offsetOf(live), window.oldestOffset(99), window.oldestOffset(0)]).toEqual([
      -1, 0, 0,
    ]);
    window.release(second);
    expect(window.oldestOffset(99)).toBe(50);
    window.release(first);
    expect(window.oldestOffset(99)).toBe(99);
  });

  test('end with their exchange: the next one under the identifier has none', () => {
    const window = new OutboundWindow(1);
    const id = window.take(assigned);
    window.setOffset(id, 5);
    window.release(id);
    expect(window.offsetOf(id)).toBe(-1);
    takeMany(window, 1);
    const others = range(0, 15).map(() => {
      const other = window.open()[0]?.id ?? 0;
      window.release(other);
      return window.take(awaitingPuback);
    });
    expect(others).toContain(id);
    expect([window.open()[0]?.offset, window.oldestOffset(9)]).toEqual([-1, 9]);
  });
});

describe('the window', () => {
  const state = fc.constantFrom(awaitingPuback, awaitingPubrec, received, awaitingPubcomp);
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('take' as const), state }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('release' as const), at: fc.nat() }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('restore' as const),
        id: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 65_535 })),
        state,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('setLimit' as const),
        limit: fc.integer({ min: 1, max: 60 }),
      }),
    },
  );

  test('agrees with a map and a queue, whatever happens', () => {
    const limits = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 150 }), (firstLimit, steps) => {
        const window = new OutboundWindow(firstLimit);
        const open = new Map<number, { state: ExchangeState; offset: number }>();
        /** Used before and free now, the one released first in front. */
        let released: number[] = [];
        let limit = firstLimit;
        for (const [offset, change] of steps.entries()) {
          if (change.kind === 'setLimit') {
            limit = change.limit;
            window.setLimit(limit);
          } else if (change.kind === 'take') {
            const id = window.take(change.state);
            if (open.size >= limit) expect(id).toBe(0);
            else {
              expect(id).toBeGreaterThan(0);
              expect(open.has(id)).toBe(false);
              if (released.includes(id)) expect(released.shift()).toBe(id);
              window.setOffset(id, offset);
              open.set(id, { state: change.state, offset });
            }
          } else if (change.kind === 'restore') {
            window.restore(change.id, change.state, offset);
            released = released.filter((id) => id !== change.id);
            open.set(change.id, { state: change.state, offset });
          } else if (open.size > 0) {
            const id = [...open.keys()][change.at % open.size] as number;
            expect([window.release(id), window.release(id)]).toEqual([true, false]);
            open.delete(id);
            released.push(id);
          }
          expect([window.count, window.isFull]).toEqual([open.size, open.size >= limit]);
        }
        const byOffset = [...open]
          .map(([id, { state: at, offset }]) => ({ id, state: at, offset }))
          .sort((a, b) => a.offset - b.offset);
        expect(window.open()).toEqual(byOffset);
        // After PUBREC nobody needs the message.
        const needed = byOffset.find(({ state: at }) => at < ExchangeState.received);
        expect(window.oldestOffset(1000)).toBe(needed?.offset ?? 1000);
      }),
      { numRuns: 200 },
    );
  });
});
