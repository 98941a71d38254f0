import { filterMatchesTopic, parseTopicFilter } from '@robustmq/topic';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RetainedStore } from './retained-store.ts';
import { messageOn } from './routing.fixture.ts';

const UTF8 = new TextEncoder();
const PAYLOAD = Uint8Array.of(1);

function storeOf(names: Iterable<string>): RetainedStore {
  const store = new RetainedStore({ messagesMax: 1e9, bytesMax: 1e12, seed: 0 });
  for (const name of names) store.set(messageOn(name, PAYLOAD), '');
  return store;
}

function nameOf(store: RetainedStore, slot: number): string {
  return new TextDecoder().decode(store.read(slot, messageOn('-', PAYLOAD)));
}

function walk(store: RetainedStore, filter: string): string[] {
  const cursor = store.cursor(filter, UTF8.encode(filter));
  const names: string[] = [];
  for (let slot = cursor.next(); slot >= 0; slot = cursor.next()) names.push(nameOf(store, slot));
  return names;
}

const NAMES = [
  'a',
  'b',
  '/',
  '/a',
  'a/',
  'a/b',
  'a/c',
  'a/b/c',
  'a/b/d',
  'ä/b',
  '$SYS/a',
  '$x',
  '//',
];

describe('a walk through retained messages', () => {
  const rows: readonly (readonly [filter: string, names: readonly string[], why: string])[] = [
    ['a/b', ['a/b'], 'no wildcard'],
    ['+', ['a', 'b'], 'one level'],
    ['a/+', ['a/', 'a/b', 'a/c'], 'a home'],
    ['+/b', ['a/b', 'ä/b'], 'the same last level at every home'],
    ['a/#', ['a', 'a/', 'a/b', 'a/c', 'a/b/c', 'a/b/d'], 'the parent too (MQTT-5.0 §4.7.1.2)'],
    ['+/b/#', ['a/b', 'ä/b', 'a/b/c', 'a/b/d'], 'the parent too, behind a wildcard'],
    ['/+', ['/', '/a'], 'a first level that is empty'],
    ['+/+/+', ['a/b/c', 'a/b/d', '//'], 'levels that are empty count'],
    ['$SYS/#', ['$SYS/a'], 'named'],
    ['#', NAMES.filter((name) => !name.startsWith('$')), 'all but those with $'],
  ];
  test.each(rows)('%s meets %j: %s', (filter, names) => {
    expect(walk(storeOf(NAMES), filter).sort()).toEqual([...names].sort());
  });

  const level = fc.constantFrom('', 'a', 'b', 'ä', '$');
  const name = fc
    .array(level, { minLength: 1, maxLength: 4 })
    .map((levels) => levels.join('/'))
    .filter((text) => text !== '');
  const filter = fc
    .tuple(fc.array(fc.constantFrom('', 'a', 'b', 'ä', '$', '+'), { maxLength: 3 }), fc.boolean())
    .map(([levels, isOpen]) => [...levels, ...(isOpen ? ['#'] : ['+'])].join('/'));

  test('meets exactly what the filter matches', () => {
    fc.assert(
      fc.property(fc.array(name, { maxLength: 40 }), filter, (names, text) => {
        const parsed = parseTopicFilter(text, { topicBytesMax: 100, topicLevelsMax: 10 });
        if (!parsed.ok) return;
        const expected = [...new Set(names)].filter((each) => filterMatchesTopic(text, each));
        expect(walk(storeOf(names), text).sort()).toEqual(expected.sort());
      }),
      { numRuns: 300 },
    );
  });

  test('meets what stays exactly once, whatever comes and goes meanwhile', () => {
    const change = fc.tuple(fc.nat(60), fc.boolean());
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), fc.nat(4), (changes, steps) => {
        const all = Array.from({ length: 60 }, (_, index) => `${index % 3}/${index}`);
        const store = storeOf(all.slice(0, 40));
        const stays = new Set(all.slice(0, 40));
        const cursor = store.cursor('+/+', UTF8.encode('+/+'));
        const met: string[] = [];
        for (const [index, removes] of changes) {
          const touched = all[index] ?? '0/0';
          if (removes) {
            store.delete(UTF8.encode(touched));
            stays.delete(touched);
          } else store.set(messageOn(touched, PAYLOAD), '');
          for (let step = 0; step < steps; step += 1) {
            const slot = cursor.next();
            if (slot >= 0) met.push(nameOf(store, slot));
          }
        }
        for (let slot = cursor.next(); slot >= 0; slot = cursor.next()) {
          met.push(nameOf(store, slot));
        }
        for (const each of stays) expect(met.filter((other) => other === each)).toEqual([each]);
      }),
      { numRuns: 60 },
    );
  });
});
