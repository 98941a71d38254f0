/**
 * Keys and ranges of keys.
 *
 * Keys are ordered by their UTF-8 bytes, as databases on disk order them. JavaScript's own comparison
 * of texts goes by UTF-16 units, which differs where a surrogate meets U+E000 to U+FFFF only.
 */
import type { KeyRange } from './key-value.ts';

/** Every key there is. */
export const ALL_KEYS: KeyRange = Object.freeze({ first: '', after: null });

const SURROGATES_FIRST = 0xd800;
const SURROGATES_AFTER = 0xe000;

/** Negative, 0 or positive, as `left` stands before, at or after `right` in the order of their UTF-8. */
export function compareKeys(left: string, right: string): number {
  if (left === right) return 0;
  const length = left.length < right.length ? left.length : right.length;
  for (let at = 0; at < length; at += 1) {
    const a = left.charCodeAt(at);
    const b = right.charCodeAt(at);
    if (a !== b) return rankOf(a) - rankOf(b);
  }
  return left.length - right.length;
}

/** A unit's place in the order of code points: surrogates stand for U+10000 and later. */
function rankOf(unit: number): number {
  return unit >= SURROGATES_FIRST && unit < SURROGATES_AFTER ? unit + 0x1_0000 : unit;
}

/** The key alone. */
export function singleKeyRange(key: string): KeyRange {
  return { first: key, after: `${key}\0` };
}

/** Whether the range can hold one key only: `first` itself. */
export function isSingleKey(range: KeyRange): boolean {
  const { first, after } = range;
  return after !== null && after.length === first.length + 1 && after === `${first}\0`;
}

/** Every key that begins with `prefix`; all keys for the empty one. */
export function prefixRange(prefix: string): KeyRange {
  return { first: prefix, after: afterPrefix(prefix) };
}

function afterPrefix(prefix: string): string | null {
  const points = [...prefix];
  while (points.length > 0) {
    const last = (points.pop() as string).codePointAt(0) as number;
    if (last < 0x10_ffff) {
      // The code points after U+D7FF are surrogates, which no key holds.
      const next = last + 1 === SURROGATES_FIRST ? SURROGATES_AFTER : last + 1;
      return points.join('') + String.fromCodePoint(next);
    }
  }
  return null;
}

/** Whether the key is in the range. */
export function matchesRange(range: KeyRange, key: string): boolean {
  if (compareKeys(key, range.first) < 0) return false;
  return range.after === null || compareKeys(key, range.after) < 0;
}

/** Whether the range can't hold a key. */
export function isEmptyRange(range: KeyRange): boolean {
  return range.after !== null && compareKeys(range.first, range.after) >= 0;
}

/** How many bytes the key takes as UTF-8. A lone surrogate, which has no UTF-8, counts 3. */
export function keyBytes(key: string): number {
  let bytes = key.length;
  for (let at = 0; at < key.length; at += 1) {
    const unit = key.charCodeAt(at);
    if (unit < 0x80) continue;
    // A pair of surrogates takes 4 bytes in 2 units: 2 more for the first, none for the second.
    if (unit < 0x800) bytes += 1;
    else if (isPair(key, at)) {
      bytes += 2;
      at += 1;
    } else bytes += 2;
  }
  return bytes;
}

function isPair(key: string, at: number): boolean {
  const first = key.charCodeAt(at);
  if (first < 0xd800 || first >= 0xdc00 || at + 1 >= key.length) return false;
  const second = key.charCodeAt(at + 1);
  return second >= 0xdc00 && second < 0xe000;
}
