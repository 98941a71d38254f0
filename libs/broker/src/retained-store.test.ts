import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keepMessage } from './message.ts';
import { RetainedStore } from './retained-store.ts';
import { messageOn } from './routing.fixture.ts';

function retained(name: string, payloadLength: number): ReturnType<typeof keepMessage> {
  return keepMessage(messageOn(name, new Uint8Array(payloadLength)));
}

const NO_LIMIT = { messagesMax: 1e9, bytesMax: 1e12 };

describe('the store of retained messages', () => {
  test('keeps the last message of a topic (MQTT-5.0 [MQTT-3.3.1-5])', () => {
    const store = new RetainedStore(NO_LIMIT);
    store.set(retained('a', 1));
    const last = retained('a', 2);
    store.set(last);
    expect([store.get('a'), store.get('b'), store.count]).toEqual([last, undefined, 1]);
    expect([store.delete('a'), store.delete('a'), store.count, store.bytes]).toEqual([
      true,
      false,
      0,
      0,
    ]);
  });

  test('pages through what a filter matches', () => {
    const store = new RetainedStore(NO_LIMIT);
    for (const name of ['a/1', 'a/2', 'a/3', 'b/1']) store.set(retained(name, 0));
    const cursor = store.cursor('a/+');
    const pages = [cursor.next(2), cursor.next(2), cursor.next(2)];
    expect(pages.map((page) => page.length)).toEqual([2, 1, 0]);
    expect(pages.flat().map(([name, message]) => [name, message.topic.name])).toEqual(
      expect.arrayContaining(['a/1', 'a/2', 'a/3'].map((name) => [name, name])),
    );
  });

  test('has room for a new topic below both limits, for a known one below the bytes', () => {
    const cost = costOf(retained('a', 10));
    const cases: readonly (readonly [string, number, number, string, number, boolean])[] = [
      ['there is room', 2, 3 * cost, 'b', 10, true],
      ['it fits exactly', 2, 2 * cost, 'b', 10, true],
      ['one byte is missing', 2, 2 * cost - 1, 'b', 10, false],
      ['there are enough messages', 1, 3 * cost, 'b', 10, false],
      ['it replaces one when there are enough', 1, cost, 'a', 10, true],
      ['it replaces a larger one', 1, cost, 'a', 9, true],
      ['it replaces a smaller one without room', 1, cost, 'a', 11, false],
    ];
    for (const [why, messagesMax, bytesMax, name, length, room] of cases) {
      const store = new RetainedStore({ messagesMax, bytesMax });
      store.set(retained('a', 10));
      expect(store.hasRoomFor(messageOn(name, new Uint8Array(length))), why).toBe(room);
    }
  });

  test('counts a long topic name too, which lies in memory like a payload', () => {
    expect(costOf(retained('a'.repeat(1000), 0)) - costOf(retained('a', 0))).toBeGreaterThan(1000);
  });

  test('counts bytes exactly, whatever is set, replaced and removed', () => {
    const step = fc.tuple(fc.constantFrom('a', 'b', 'a/b', 'a/c'), fc.nat(100), fc.boolean());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const store = new RetainedStore(NO_LIMIT);
        const model = new Map<string, number>();
        for (const [name, length, removes] of steps) {
          if (removes) expect(store.delete(name)).toBe(model.delete(name));
          else {
            const message = retained(name, length);
            store.set(message);
            model.set(name, costOf(message));
          }
          expect(store.count).toBe(model.size);
          expect(store.bytes).toBe([...model.values()].reduce((sum, cost) => sum + cost, 0));
        }
      }),
      { numRuns: 60 },
    );
  });
});

function costOf(message: ReturnType<typeof keepMessage>): number {
  const store = new RetainedStore(NO_LIMIT);
  store.set(message);
  return store.bytes;
}
