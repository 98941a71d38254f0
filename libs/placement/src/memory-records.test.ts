import { SeededRandom } from '@robustmq/environment';
import { describe, expect, test } from 'vitest';
import type { KeyRange } from './key-value.ts';
import { compareKeys, matchesRange, prefixRange } from './keys.ts';
import { MemoryRecords } from './memory-records.ts';

const VALUE = Uint8Array.of(1);

function keysIn(records: MemoryRecords, range: KeyRange): readonly string[] {
  return [...records.range(range)].map(([key]) => key);
}

describe('records in memory', () => {
  test.each([
    { why: 'random', keyOf: (random: SeededRandom) => `k${random.below(3000)}` },
    { why: 'few', keyOf: (random: SeededRandom) => `k${random.below(20)}` },
    {
      why: 'beyond ASCII',
      keyOf: (random: SeededRandom) =>
        String.fromCodePoint(0xd000 + random.below(500), 0xe000 + random.below(0x8000)),
    },
  ])('behave as a sorted map under $why keys', ({ keyOf }) => {
    const random = new SeededRandom(1);
    const records = new MemoryRecords();
    const expected = new Map<string, Uint8Array>();
    for (let i = 0; i < 8000; i += 1) {
      const key = keyOf(random);
      if (random.below(3) === 0) {
        records.delete(key);
        expected.delete(key);
      } else {
        const value = Uint8Array.of(i & 255);
        records.put(key, value);
        expected.set(key, value);
      }
      if (i % 1000 !== 0) continue;
      const sorted = [...expected.keys()].sort(compareKeys);
      expect([...records].map(([each]) => each)).toEqual(sorted);
      const range = { first: keyOf(random), after: keyOf(random) };
      expect(keysIn(records, range)).toEqual(sorted.filter((each) => matchesRange(range, each)));
    }
    expect(records.size).toBe(expected.size);
    for (const [key, value] of expected) expect(records.get(key)).toBe(value);
  });

  test('grow at the end and shrink at the beginning, as a history does', () => {
    const records = new MemoryRecords();
    const name = (i: number): string => `h${String(i).padStart(8, '0')}`;
    for (let i = 0; i < 20_000; i += 1) {
      records.put(name(i), VALUE);
      if (i % 2000 === 1999) {
        records.apply([{ kind: 'forget', range: { first: 'h', after: name(i - 500) } }]);
      }
    }
    expect(records.size).toBe(501);
    expect(keysIn(records, prefixRange('h'))[0]).toBe(name(19_499));
  });

  test('have the same digest for the same content, whatever the way there', () => {
    const first = new MemoryRecords();
    const second = new MemoryRecords();
    for (const key of ['a', 'b', 'c']) first.put(key, VALUE);
    for (const key of ['c', 'x', 'b', 'a']) second.put(key, VALUE);
    expect(second.digest()).not.toBe(first.digest());
    second.delete('x');
    expect(second.digest()).toBe(first.digest());
    second.put('b', Uint8Array.of(2));
    expect(second.digest()).not.toBe(first.digest());
  });
});
