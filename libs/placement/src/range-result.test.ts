import { expect, test } from 'vitest';
import type { Revision } from './identifiers.ts';
import type { KeyValue } from './key-value.ts';
import { ALL_KEYS } from './keys.ts';
import { rangeResult } from './range-result.ts';
import type { RangeOperation } from './transaction.ts';

function keyValues(count: number, bytes: number): readonly KeyValue[] {
  const revision = 1 as Revision;
  const value = new Uint8Array(bytes);
  return Array.from({ length: count }, (_, at) => ({
    key: `k${at}`,
    value,
    createRevision: revision,
    modRevision: revision,
    version: 1,
    lease: null,
  }));
}

const cases: readonly {
  why: string;
  count: number;
  bytes: number;
  content?: RangeOperation['content'];
  told: number;
  more: boolean;
}[] = [
  { why: 'few', count: 10, bytes: 10, told: 10, more: false },
  { why: 'as many keys as one answer has', count: 10_000, bytes: 0, told: 10_000, more: false },
  { why: 'one key more than one answer has', count: 10_001, bytes: 0, told: 10_000, more: true },
  { why: 'values beyond the bytes of one answer', count: 6, bytes: 1_000_000, told: 3, more: true },
  { why: 'a first value beyond them', count: 2, bytes: 4_000_000, told: 1, more: true },
  {
    why: 'keys of large values',
    count: 6,
    bytes: 1_000_000,
    content: 'keys',
    told: 6,
    more: false,
  },
  {
    why: 'a count of many',
    count: 20_000,
    bytes: 1000,
    content: 'count',
    told: 20_000,
    more: false,
  },
];

for (const { why, count, bytes, content = 'whole', told, more } of cases) {
  test(`a read without a limit of ${why} tells ${told}`, () => {
    const result = rangeResult(keyValues(count, bytes), { range: ALL_KEYS, limit: 0, content });
    expect([result.count, result.more]).toEqual([told, more]);
    expect(result.keyValues).toHaveLength(content === 'count' ? 0 : told);
  });
}
