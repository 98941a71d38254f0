import { SeededRandom } from '@robustmq/environment';
import type { KeyedWrite } from '@robustmq/journal';
import { beforeEach, describe, expect, test } from 'vitest';
import { type AppliedKeyedCommand, applyKeyedCommand } from './apply-command.ts';
import type { KeyedCall, KeyedResult, KeyedTerms } from './keyed-command.ts';
import { decodeMeta, type KeyedMeta } from './keyed-meta.ts';
import { MemoryRecords } from './memory-records.fixture.ts';
import { decodeStanding, keyRecord, META_RECORD } from './record-layout.ts';

const TERMS: KeyedTerms = {
  nowMs: 1000,
  keepRemovalsMs: 100,
  removalsMax: 1000,
  storedBytesMax: 1_000_000,
};

let records: MemoryRecords;

beforeEach(() => {
  records = new MemoryRecords();
});

function apply(calls: readonly KeyedCall[], terms: Partial<KeyedTerms> = {}): AppliedKeyedCommand {
  return applyKeyedCommand(records, { terms: { ...TERMS, ...terms }, calls });
}

function put(key: string, fence: number, value = 'v'): KeyedWrite {
  return { key, fence, value: new TextEncoder().encode(value) };
}

function remove(key: string, fence: number): KeyedWrite {
  return { key, fence, value: null };
}

function write(writes: readonly KeyedWrite[], terms: Partial<KeyedTerms> = {}): KeyedResult {
  return apply([{ kind: 'write', writes }], terms).results[0] as KeyedResult;
}

function claim(key: string, fence: number, terms: Partial<KeyedTerms> = {}): KeyedResult {
  return apply([{ kind: 'claim', key, fence }], terms).results[0] as KeyedResult;
}

function meta(): KeyedMeta {
  return decodeMeta(records.get(META_RECORD));
}

describe('removals', () => {
  test('are remembered for their time, then forgotten with a later command', () => {
    write([put('a', 5), remove('a', 5)], { nowMs: 1000 });
    expect(write([put('a', 4)], { nowMs: 1099 })).toEqual({ kind: 'written', taken: [false] });
    expect(meta()).toMatchObject({ keys: 0, removals: 1, forgottenRevision: 0 });
    apply([], { nowMs: 1100 });
    expect(meta()).toMatchObject({ removals: 0, forgottenRevision: 2, storedBytes: 0 });
    expect(write([put('a', 4)], { nowMs: 1100 })).toEqual({ kind: 'written', taken: [true] });
  });

  test('beyond so many are forgotten oldest first', () => {
    write(['a', 'b', 'c'].map((key) => put(key, 2)));
    write(
      ['b', 'c', 'a'].map((key) => remove(key, 2)),
      { removalsMax: 2 },
    );
    expect(meta()).toMatchObject({ removals: 2, forgottenRevision: 4 });
    const late = ['a', 'b', 'c'].map((key) => put(key, 1));
    expect(write(late)).toEqual({ kind: 'written', taken: [false, true, false] });
  });

  test('that were written over are not counted, nor forgotten', () => {
    write([put('a', 1), remove('a', 1), put('a', 1, 'again')]);
    expect(meta()).toMatchObject({ keys: 1, removals: 0 });
    apply([], { nowMs: 5000 });
    expect(meta()).toMatchObject({ keys: 1, forgottenRevision: 0 });
  });

  test('a claim of one renews its time and keeps its revision', () => {
    write([put('a', 1), remove('a', 1)], { nowMs: 1000 });
    claim('a', 2, { nowMs: 1090 });
    apply([], { nowMs: 1150 });
    expect(meta()).toMatchObject({ removals: 1, forgottenRevision: 0 });
    apply([], { nowMs: 1190 });
    expect(meta()).toMatchObject({ removals: 0, forgottenRevision: 2 });
  });

  test('a time before an earlier one counts as that', () => {
    apply([], { nowMs: 2000 });
    write([remove('a', 1)], { nowMs: 500 });
    apply([], { nowMs: 2099 });
    expect(meta().removals).toBe(1);
    apply([], { nowMs: 2100 });
    expect(meta().removals).toBe(0);
  });

  test('each command forgets a bounded number, and more than it adds', () => {
    const keys = Array.from({ length: 500 }, (_, i) => `k${i}`);
    write(keys.map((key) => remove(key, 1)));
    write([remove('x', 1)], { nowMs: 5000 });
    expect(meta().removals).toBe(501 - 18);
  });
});

describe('the limit of bytes', () => {
  const terms = { storedBytesMax: 300 };

  test('refuses a call whole, and takes removals and what shrinks', () => {
    expect(write([put('a', 1, 'x'.repeat(100))], terms).kind).toBe('written');
    const before = records.text();
    const full = write([put('b', 1), put('c', 1, 'x'.repeat(100))], terms);
    expect(full).toEqual({ kind: 'full', storedBytes: 165, storedBytesMax: 300 });
    expect(records.text()).toEqual(before);
    expect(write([put('a', 1, 'x'.repeat(300))], terms).kind).toBe('full');
    expect(write([put('a', 1, 'x'.repeat(200))], terms).kind).toBe('written');
    expect(write([put('a', 1, 'x')], { storedBytesMax: 10 }).kind).toBe('written');
    expect(write([remove('b', 1)], { storedBytesMax: 10 }).kind).toBe('written');
  });
});

test('a claim tells no tail and keeps the revision', () => {
  write([put('a', 1)]);
  const { results, changes } = apply([{ kind: 'claim', key: 'a', fence: 3 }]);
  expect(changes).toEqual([]);
  expect(results[0]).toMatchObject({ taken: true, record: { fence: 3, revision: 1 } });
  expect(decodeStanding(records.get(keyRecord('a')) as Uint8Array).fence).toBe(3);
});

/** What stands at a key, in the twin. */
interface Plain {
  readonly fence: number;
  readonly value: string | null;
  readonly revision: number;
}

/** Applies a write to the twin; whether it was taken. */
function twinWrite(
  twin: Map<string, Plain>,
  { key, fence, value }: KeyedWrite,
  revision: number,
): boolean {
  const plain = twin.get(key);
  if (plain !== undefined && plain.fence > fence) return false;
  twin.set(key, { fence, value: value === null ? null : value.join(), revision });
  return true;
}

test('agrees with a map that forgets nothing, and with a copy made of a snapshot', () => {
  const seed = Math.floor(Math.random() * 1_000_000);
  const random = new SeededRandom(seed);
  const twin = new Map<string, Plain>();
  let revision = 0;
  for (let round = 0; round < 400; round += 1) {
    const key = `k${random.below(12)}`;
    const fence = random.below(6);
    if (random.below(5) === 0) {
      const before = twin.get(key);
      const taken = before === undefined || before.fence <= fence;
      if (taken) {
        twin.set(key, { fence, value: before?.value ?? null, revision: before?.revision ?? 0 });
      }
      expect(claim(key, fence), `seed ${seed}`).toMatchObject({ kind: 'claimed', taken });
    } else {
      const value = random.below(3) === 0 ? null : Uint8Array.of(random.below(256));
      const taken = twinWrite(twin, { key, fence, value }, revision + 1);
      if (taken) revision += 1;
      expect(write([{ key, fence, value }]), `seed ${seed}`).toEqual({
        kind: 'written',
        taken: [taken],
      });
    }
    if (round % 50 === 0) {
      const copied = records.copy();
      expect(copied.text(), `seed ${seed}`).toEqual(records.text());
      records = copied;
    }
  }
  const { keys, removals } = meta();
  expect(keys + removals, `seed ${seed}`).toBe(twin.size);
  for (const [key, plain] of twin) {
    const found = decodeStanding(records.get(keyRecord(key)) as Uint8Array);
    const { fence, revision: at, value } = found;
    expect({ fence, value: value?.join() ?? null, revision: at }, `seed ${seed}`).toEqual(plain);
  }
  const revisions = [...records.records.keys()].filter((name) => name.startsWith('r'));
  expect(revisions, `seed ${seed}`).toHaveLength(
    [...twin.values()].filter((plain) => plain.revision > 0).length,
  );
});
