import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GrowingIndex } from './growing-index.ts';
import type { Offset } from './journal.ts';
import { PackedIndex } from './packed-index.ts';
import { RecordBatchBuilder } from './record-batch-builder.ts';
import type { SegmentIndex } from './segment-index.ts';
import { WantedTopics } from './wanted-topics.ts';

const encoder = new TextEncoder();
const BASE = 2 ** 33 + 7;

/** An index of batches, each given by the topics of its records. */
function indexOf(batches: readonly (readonly string[])[]): GrowingIndex {
  const index = new GrowingIndex(BASE);
  const builder = new RecordBatchBuilder();
  let position = 32;
  for (const topics of batches) {
    for (const topic of topics) {
      const bytes = encoder.encode(topic);
      builder.add(1, bytes, 0, bytes.length);
    }
    const { bytes } = builder.seal((BASE + index.recordsAfter) as Offset, 1);
    index.addBatch(bytes, 0, position);
    position += bytes.length;
  }
  return index;
}

function collectAll(index: SegmentIndex, ids: Uint32Array, from: number): number[] {
  const found: number[] = [];
  let at = from;
  while (at < index.recordsAfter) {
    const { ordinals, after } = index.collect(ids, at);
    found.push(...ordinals);
    expect(after).toBeGreaterThan(at);
    at = after;
  }
  return found;
}

function wantedIds(index: SegmentIndex, exact: readonly string[]): Uint32Array {
  const wanted = new WantedTopics({ kind: 'topics', exact, matches: null });
  wanted.refresh(index);
  return wanted.ids;
}

describe('the indexes of a segment', () => {
  test('find exactly the records of the wanted topics, growing and packed alike', () => {
    const topic = fc.constantFrom('', 'a', 'b', 'c', 'd/e', 'f');
    const batches = fc.array(fc.array(topic, { minLength: 1, maxLength: 8 }), { maxLength: 40 });
    const exact = fc.subarray(['a', 'b', 'c', 'd/e', 'unknown']);
    fc.assert(
      fc.property(batches, exact, fc.nat(60), (given, wanted, from) => {
        const growing = indexOf(given);
        const packed = PackedIndex.pack(growing, BASE, 5000);
        const reopened = PackedIndex.open(packed.bytes.slice(), BASE, 5000);
        const flat = given.flat();
        const expected = flat.flatMap((name, ordinal) =>
          ordinal >= from && wanted.includes(name) ? [ordinal] : [],
        );
        for (const index of [growing, packed, reopened as PackedIndex]) {
          expect(collectAll(index, wantedIds(index, wanted), from)).toEqual(expected);
          expect(index.recordsAfter).toBe(flat.length);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('hand out large results in pieces, complete and in order', () => {
    const topics = Array.from({ length: 50_000 }, (_, i) => `t/${(i * i) % 97}`);
    const batches = Array.from({ length: 50 }, (_, i) => topics.slice(i * 1000, (i + 1) * 1000));
    const growing = indexOf(batches);
    const packed = PackedIndex.pack(growing, BASE, 1);
    for (const exact of [['t/1'], ['t/1', 't/4', 't/9', 't/16', 't/25'], [...new Set(topics)]]) {
      const expected = topics.flatMap((name, ordinal) => (exact.includes(name) ? [ordinal] : []));
      for (const index of [growing, packed]) {
        expect(collectAll(index, wantedIds(index, exact), 0)).toEqual(expected);
        const ids = wantedIds(index, exact);
        const late = expected.filter((ordinal) => ordinal >= 43_210);
        expect(collectAll(index, ids, 43_210)).toEqual(late);
      }
    }
  });

  test('know in which batch a record stands', () => {
    const growing = indexOf([['a'], ['b', 'c', 'd'], ['e']]);
    const packed = PackedIndex.pack(growing, BASE, 1);
    for (const index of [growing, packed]) {
      expect([0, 1, 2, 3, 4].map((ordinal) => index.findBatch(ordinal))).toEqual([0, 1, 1, 1, 2]);
      expect([index.batchFirst(1), index.batchAfter(1)]).toEqual([1, 4]);
      expect(index.batchPosition(1)).toBe(32 + index.batchLength(0));
    }
  });

  test('keep the damaged ranges apart from the records', () => {
    const growing = indexOf([['a', 'b']]);
    growing.addDamage(5, 400);
    const packed = PackedIndex.open(PackedIndex.pack(growing, BASE, 9).bytes, BASE, 9);
    expect(packed?.damage).toEqual([{ first: 2, after: 5, position: 400 }]);
    expect(packed?.recordsAfter).toBe(5);
  });

  test('with any bit changed, or of another segment, are not opened', () => {
    const { bytes } = PackedIndex.pack(indexOf([['a', 'b'], ['a']]), BASE, 77);
    expect(PackedIndex.open(bytes, BASE + 1, 77)).toBeNull();
    expect(PackedIndex.open(bytes, BASE, 78)).toBeNull();
    expect(PackedIndex.open(bytes.subarray(0, bytes.length - 1), BASE, 77)).toBeNull();
    for (let position = 0; position < bytes.length; position += 1) {
      const changed = bytes.slice();
      changed[position] = (changed[position] as number) ^ 4;
      expect(PackedIndex.open(changed, BASE, 77)).toBeNull();
    }
  });

  test('ask a predicate once per topic', () => {
    const index = indexOf([['a', 'b', 'a', 'a', 'b']]);
    const asked: string[] = [];
    const wanted = new WantedTopics({
      kind: 'topics',
      exact: [],
      matches: (topic) => asked.push(topic) > 0,
    });
    wanted.refresh(index);
    wanted.refresh(index);
    expect(asked).toEqual(['a', 'b']);
    expect([...wanted.ids]).toEqual([0, 1]);
  });
});
