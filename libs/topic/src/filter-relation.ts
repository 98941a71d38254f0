import { DOLLAR, HASH, levelEndOf, PLUS } from './character.ts';

/**
 * How two topic filters relate, as sets of topic names. Both functions walk the levels of both
 * filters once; they are for deciding about subscriptions, not for every message. The empty name
 * counts as a name here, although nobody can publish to it: `/#` would match it, `/+/#` would not.
 */

/**
 * Whether every topic name that `narrow` matches is matched by `wide` too.
 *
 * A name has at least one level, so `#` and `+/#` match the same names; a filter that starts with a
 * wildcard matches no name that starts with `$` (MQTT-5.0 [MQTT-4.7.2-1]).
 */
export function filterCovers(wide: string, narrow: string): boolean {
  if (startsWithWildcard(wide) && narrow.charCodeAt(0) === DOLLAR) return false;
  let inWide = 0;
  let inNarrow = 0;
  for (;;) {
    if (wide.charCodeAt(inWide) === HASH) return true;
    if (narrow.charCodeAt(inNarrow) === HASH) return inNarrow === 0 && wide === '+/#';
    const wideEnd = levelEndOf(wide, inWide);
    const narrowEnd = levelEndOf(narrow, inNarrow);
    if (wide.charCodeAt(inWide) !== PLUS) {
      if (!sameLevel(wide, inWide, wideEnd, narrow, inNarrow, narrowEnd)) return false;
    }
    if (narrowEnd === narrow.length) {
      return wideEnd === wide.length || wide.charCodeAt(wideEnd + 1) === HASH;
    }
    if (wideEnd === wide.length) return false;
    inWide = wideEnd + 1;
    inNarrow = narrowEnd + 1;
  }
}

/** Whether some topic name is matched by both filters. Symmetric. */
export function filtersOverlap(left: string, right: string): boolean {
  if (startsWithWildcard(left) && right.charCodeAt(0) === DOLLAR) return false;
  if (startsWithWildcard(right) && left.charCodeAt(0) === DOLLAR) return false;
  let inLeft = 0;
  let inRight = 0;
  for (;;) {
    const leftUnit = left.charCodeAt(inLeft);
    const rightUnit = right.charCodeAt(inRight);
    if (leftUnit === HASH || rightUnit === HASH) return true;
    const leftEnd = levelEndOf(left, inLeft);
    const rightEnd = levelEndOf(right, inRight);
    if (leftUnit !== PLUS && rightUnit !== PLUS) {
      if (!sameLevel(left, inLeft, leftEnd, right, inRight, rightEnd)) return false;
    }
    if (leftEnd === left.length) {
      return rightEnd === right.length || right.charCodeAt(rightEnd + 1) === HASH;
    }
    if (rightEnd === right.length) return left.charCodeAt(leftEnd + 1) === HASH;
    inLeft = leftEnd + 1;
    inRight = rightEnd + 1;
  }
}

function startsWithWildcard(filter: string): boolean {
  const first = filter.charCodeAt(0);
  return first === PLUS || first === HASH;
}

/** Whether two levels, given as ranges, are spelled alike; a `+` equals only a `+`. */
function sameLevel(
  left: string,
  leftStart: number,
  leftEnd: number,
  right: string,
  rightStart: number,
  rightEnd: number,
): boolean {
  const length = leftEnd - leftStart;
  if (length !== rightEnd - rightStart) return false;
  for (let index = 0; index < length; index += 1) {
    if (left.charCodeAt(leftStart + index) !== right.charCodeAt(rightStart + index)) return false;
  }
  return true;
}
