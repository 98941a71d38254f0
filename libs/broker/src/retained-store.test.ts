import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Message } from './message.ts';
import { RetainedStore } from './retained-store.ts';
import { messageOn } from './routing.fixture.ts';

const NO_LIMIT = { messagesMax: 1e9, bytesMax: 1e12, seed: 7 };
const UTF8 = new TextEncoder();

function retained(name: string, payloadLength: number, fill = 0): Message {
  return messageOn(name, new Uint8Array(payloadLength).fill(fill));
}

/** Topic, payload, headers, QoS, expiry and publisher of what the store has in `slot`. */
function found(store: RetainedStore, slot: number): readonly unknown[] {
  const message = messageOn('-', new Uint8Array(0));
  const topic = store.read(slot, message);
  return [
    new TextDecoder().decode(topic),
    Array.from(message.payloadBytes.subarray(message.payloadStart, message.payloadEnd)),
    Array.from(message.headerBytes.subarray(message.headersStart, message.headersEnd)),
    [message.qos, message.retain, message.expiresAtMs, message.publisherId],
  ];
}

function nameOf(store: RetainedStore, slot: number): string {
  return String(found(store, slot)[0]);
}

function namesOf(store: RetainedStore, filter: string): string[] {
  const cursor = store.cursor(filter, UTF8.encode(filter));
  const names: string[] = [];
  for (let slot = cursor.next(); slot >= 0; slot = cursor.next()) names.push(nameOf(store, slot));
  return names;
}

describe('the store of retained messages', () => {
  test('keeps the last message of a topic (MQTT-5.0 [MQTT-3.3.1-5])', () => {
    const store = new RetainedStore(NO_LIMIT);
    store.set(retained('a', 1), '');
    store.set(retained('a', 2, 7), 'p');
    expect(found(store, store.slotOf(UTF8.encode('a')))).toEqual([
      'a',
      [7, 7],
      [],
      [0, true, 0, 'p'],
    ]);
    expect([store.slotOf(UTF8.encode('b')), store.count]).toEqual([-1, 1]);
    expect([
      store.delete(UTF8.encode('a')),
      store.delete(UTF8.encode('a')),
      store.count,
      store.bytes,
    ]).toEqual([true, false, 0, 0]);
  });

  test('gives back every field, also after a restart', () => {
    const message = retained('ä/b', 3, 9);
    message.qos = 2;
    message.expiresAtMs = 1_900_000_000_123;
    message.headerBytes = Uint8Array.of(0, 1, 2, 3);
    message.headersStart = 1;
    message.headersEnd = 4;
    const store = new RetainedStore(NO_LIMIT);
    store.set(message, 'p');
    const expected = ['ä/b', [9, 9, 9], [1, 2, 3]];
    expect(found(store, store.slotOf(UTF8.encode('ä/b')))).toEqual([
      ...expected,
      [2, true, 1_900_000_000_123, 'p'],
    ]);
    const restarted = new RetainedStore(NO_LIMIT);
    store.takeChanges((name, record) => {
      if (record !== null) restarted.restore(UTF8.encode(name), record);
    });
    expect(found(restarted, restarted.slotOf(UTF8.encode('ä/b')))).toEqual([
      ...expected,
      [2, true, 1_900_000_000_123, ''],
    ]);
    expect([restarted.bytes, restarted.hasChanges]).toEqual([store.bytes, false]);
  });

  test('walks through what a filter matches', () => {
    const store = new RetainedStore(NO_LIMIT);
    for (const name of ['a/1', 'a/2', 'a/3', 'b/1']) store.set(retained(name, 1), '');
    expect(namesOf(store, 'a/+').sort()).toEqual(['a/1', 'a/2', 'a/3']);
    expect(namesOf(store, 'b/1')).toEqual(['b/1']);
    expect(namesOf(store, 'b/2')).toEqual([]);
  });

  test('walks after any number of changes that nobody walked through', () => {
    const store = new RetainedStore(NO_LIMIT);
    for (let round = 0; round < 3; round += 1) {
      for (let index = 0; index < 100; index += 1) store.set(retained(`a/${index}`, 1), '');
      for (let index = round; index < 100; index += 2) store.delete(UTF8.encode(`a/${index}`));
    }
    expect(namesOf(store, 'a/#')).toHaveLength(store.count);
    store.delete(UTF8.encode('a/1'));
    store.set(retained('a/x', 1), '');
    expect(namesOf(store, '+/x')).toEqual(['a/x']);
    expect(namesOf(store, 'a/#')).toHaveLength(store.count);
  });

  test('does not take a new message for one that was deleted during a walk', () => {
    const store = new RetainedStore(NO_LIMIT);
    for (const name of ['a/1', 'a/2', 'a/3']) store.set(retained(name, 1), '');
    const cursor = store.cursor('a/+', UTF8.encode('a/+'));
    const first = nameOf(store, cursor.next());
    for (const name of ['a/1', 'a/2', 'a/3']) if (name !== first) store.delete(UTF8.encode(name));
    for (const name of ['x', 'y']) store.set(retained(name, 1), '');
    expect(cursor.next()).toBe(-1);
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
      const store = new RetainedStore({ messagesMax, bytesMax, seed: 7 });
      store.set(retained('a', 10), '');
      expect(store.hasRoomFor(messageOn(name, new Uint8Array(length))), why).toBe(room);
    }
  });

  test('counts what stands before the last slash once, however many share it', () => {
    const store = new RetainedStore(NO_LIMIT);
    store.set(retained('a/1', 1), '');
    const first = store.bytes;
    store.set(retained('a/2', 1), '');
    expect(first - (store.bytes - first)).toBe(HOME_COST);
    expect(HOME_COST).toBeGreaterThan(300);
  });

  test('counts a long topic name too, which lies in memory like a payload', () => {
    expect(costOf(retained('a'.repeat(1000), 0)) - costOf(retained('a', 0))).toBeGreaterThan(990);
  });

  test('names each change once, whatever happened in between, and none of its own topics', () => {
    const store = new RetainedStore(NO_LIMIT);
    for (let round = 0; round < 3; round += 1) {
      for (const name of ['kept', 'gone', 'back', '$SYS/x']) store.set(retained(name, 1), '');
      for (const name of ['gone', 'back', '$SYS/x']) store.delete(UTF8.encode(name));
      for (const name of ['$SYS/y', 'back']) store.set(retained(name, 1), '');
    }
    const changes: [string, boolean][] = [];
    store.takeChanges((name, record) => changes.push([name, record !== null]));
    const expected = [
      ['back', true],
      ['gone', false],
      ['kept', true],
    ];
    expect(changes.sort(byName)).toEqual(expected);
    expect(store.hasChanges).toBe(false);
    store.markChanged(UTF8.encode('kept'));
    store.markChanged(UTF8.encode('gone'));
    changes.length = 0;
    store.takeChanges((name, record) => changes.push([name, record !== null]));
    expect(changes.sort(byName)).toEqual(expected.slice(1));
  });

  test('is a map of names to messages, whatever is set, replaced, removed, taken and restored', () => {
    const name = fc.constantFrom('a', 'b', 'a/b', 'a/c', 'a/b/d', '$x');
    const step = fc.tuple(name, fc.constantFrom(0, 1, 5, 40, 100, 40_000), fc.nat(9));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const store = new RetainedStore(NO_LIMIT);
        const model = new Map<string, Message>();
        const saved = new Map<string, Uint8Array>();
        for (const [at, [topic, length, choice]] of steps.entries()) {
          if (choice < 3) expect(store.delete(UTF8.encode(topic))).toBe(model.delete(topic));
          else {
            const message = retained(topic, length, at);
            message.qos = at % 3;
            store.set(message, `client ${at}`);
            model.set(topic, message);
          }
          if (choice === 9) save(store, saved);
          expect(store.count).toBe(model.size);
          const costs = [...model.values()].map((message) => costOf(message) - homeCost(message));
          const homes = new Set([...model.keys()].filter(hasHome).map(homeOf));
          const atHome = [...homes].reduce(
            (sum, home) => sum + HOME_COST + 2 * (home.length - 1),
            0,
          );
          const expected = costs.reduce((sum, cost) => sum + cost, atHome);
          expect(store.bytes).toBe(expected);
        }
        expect(namesOf(store, '#').sort()).toEqual([...model.keys()].filter(isSeen).sort());
        save(store, saved);
        expect([...saved.keys()].sort()).toEqual([...model.keys()].sort());
        for (const [topic, message] of model) {
          const restored = new RetainedStore(NO_LIMIT);
          restored.restore(UTF8.encode(topic), saved.get(topic) ?? new Uint8Array(0));
          for (const each of [store, restored]) {
            const payload = Array.from(message.payloadBytes);
            expect(found(each, each.slotOf(UTF8.encode(topic))).slice(0, 2)).toEqual([
              topic,
              payload,
            ]);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

const HOME_COST = costOf(retained('a/b', 0)) - costOf(retained('aab', 0));

function homeCost(message: Message): number {
  const { name } = message.topic;
  return hasHome(name) ? HOME_COST + 2 * (homeOf(name).length - 1) : 0;
}

function hasHome(name: string): boolean {
  return name.includes('/');
}

function homeOf(name: string): string {
  return name.slice(0, name.lastIndexOf('/'));
}

/** What a checkpoint would have. */
function save(store: RetainedStore, saved: Map<string, Uint8Array>): void {
  store.takeChanges((name, record) => {
    if (record === null) saved.delete(name);
    else saved.set(name, record);
  });
}

/** MQTT-5.0 [MQTT-4.7.2-1] */
function isSeen(name: string): boolean {
  return !name.startsWith('$');
}

function costOf(message: Message): number {
  const store = new RetainedStore(NO_LIMIT);
  store.set(message, '');
  return store.bytes;
}

function byName(one: readonly [string, boolean], other: readonly [string, boolean]): number {
  return one[0] < other[0] ? -1 : 1;
}
