import { matchesRange, prefixRange, singleKeyRange, type KeyRange } from '@robustmq/placement';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WatchIndex } from './watch-index.ts';

const key = fc.string({
  unit: fc.constantFrom('a', 'b', '/', '\u{1F600}', '\uFFFD'),
  maxLength: 5,
});
const range: fc.Arbitrary<KeyRange> = fc.oneof(
  key.map(singleKeyRange),
  key.map(prefixRange),
  fc.tuple(key, fc.option(key)).map(([first, after]) => ({ first, after })),
);

function found(index: WatchIndex<number>, wanted: string): readonly number[] {
  const watchers = new Set<number>();
  index.match(wanted, (group) => {
    for (const watcher of group) watchers.add(watcher);
  });
  return [...watchers].toSorted((left, right) => left - right);
}

describe('the index of watched ranges', () => {
  test('finds exactly the ranges that hold the key, after additions and removals', () => {
    const step = fc.record({ range, remove: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.array(key, { minLength: 1 }),
        (steps, keys) => {
          const index = new WatchIndex<number>();
          const kept = new Map<number, KeyRange>();
          for (const [number, { range: each, remove }] of steps.entries()) {
            index.add(each, number);
            kept.set(number, each);
            const oldest = [...kept.keys()][0];
            if (!remove || oldest === undefined) continue;
            index.remove(kept.get(oldest) as KeyRange, oldest);
            kept.delete(oldest);
          }
          expect(index.size).toBe(kept.size);
          for (const wanted of keys) {
            const expected = [...kept].filter(([, each]) => matchesRange(each, wanted));
            expect(found(index, wanted)).toEqual(expected.map(([number]) => number));
          }
        },
      ),
    );
  });

  test('keeps the watchers of one range together and forgets the range with the last one', () => {
    const index = new WatchIndex<number>();
    for (const watcher of [1, 2]) index.add(prefixRange('a/'), watcher);
    index.remove(prefixRange('a/'), 1);
    index.remove(prefixRange('a/'), 1);
    expect(found(index, 'a/b')).toEqual([2]);
    index.remove(prefixRange('a/'), 2);
    expect([found(index, 'a/b'), index.size]).toEqual([[], 0]);
  });
});
