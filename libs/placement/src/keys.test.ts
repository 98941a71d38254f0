import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ALL_KEYS,
  compareKeys,
  isEmptyRange,
  isSingleKey,
  keyBytes,
  matchesRange,
  prefixRange,
  singleKeyRange,
} from './keys.ts';

const key = fc.string({
  unit: fc.oneof(
    fc.constantFrom('a', 'b', '\0', '/', '\u{7f}', '\u{80}', '\u{7ff}', '\u{800}', '\u{d7ff}'),
    fc.constantFrom('\u{e000}', '\u{ffff}', '\u{10000}', '\u{1f600}', '\u{10ffff}'),
  ),
  maxLength: 5,
});

function order(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

describe('keys', () => {
  test('are ordered as their UTF-8 bytes are', () => {
    fc.assert(
      fc.property(key, key, (left, right) => {
        expect(Math.sign(compareKeys(left, right))).toBe(order(left, right));
      }),
      { numRuns: 5000 },
    );
  });

  test('are as long as their UTF-8', () => {
    fc.assert(
      fc.property(fc.oneof(key, fc.string({ unit: 'binary' })), (each) => {
        expect(keyBytes(each)).toBe(Buffer.byteLength(each));
      }),
    );
    expect(keyBytes('\ud800')).toBe(3);
  });
});

describe('ranges', () => {
  test('a prefix has the keys that begin with it and no others', () => {
    fc.assert(
      fc.property(key, key, (prefix, other) => {
        const range = prefixRange(prefix);
        expect(matchesRange(range, other)).toBe(other.startsWith(prefix));
        expect(matchesRange(range, prefix + other)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  test.each([
    ['', null],
    ['a', 'b'],
    ['a/', 'a0'],
    ['a\u{7f}', 'a\u{80}'],
    ['\u{d7ff}', '\u{e000}'],
    ['\u{ffff}', '\u{10000}'],
    ['a\u{10ffff}', 'b'],
    ['\u{10ffff}\u{10ffff}', null],
  ])('the prefix %j ends before %j', (prefix, after) => {
    expect(prefixRange(prefix)).toEqual({ first: prefix, after });
  });

  test('a single key is itself alone', () => {
    fc.assert(
      fc.property(key, key, (one, other) => {
        const range = singleKeyRange(one);
        expect(isSingleKey(range)).toBe(true);
        expect(matchesRange(range, other)).toBe(one === other);
      }),
    );
    expect(isSingleKey(ALL_KEYS)).toBe(false);
    expect(isSingleKey({ first: 'a', after: 'b' })).toBe(false);
    expect(isSingleKey({ first: 'a', after: 'b\0' })).toBe(false);
  });

  test('that end where or before they begin are empty', () => {
    expect(isEmptyRange({ first: 'a', after: 'a' })).toBe(true);
    expect(isEmptyRange({ first: '\u{1f600}', after: '\u{ffff}' })).toBe(true);
    expect(isEmptyRange(singleKeyRange(''))).toBe(false);
    expect(isEmptyRange(ALL_KEYS)).toBe(false);
  });
});
