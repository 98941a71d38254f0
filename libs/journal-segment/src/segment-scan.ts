/**
 * Reads a whole segment and says what in it can be trusted.
 *
 * At a batch that is not whole there are three cases. Nothing valid follows: the tail is torn, or
 * is preallocated zeros, and the segment ends here. Something valid follows that was written when
 * this place was already durable: acknowledged bytes are damaged; the range is reported and the
 * scan goes on behind it. Something valid follows, but all from the last write, whose flush may
 * never have finished: the power failed between its sectors if a missing sector (zeros) shows it,
 * and the segment ends here; otherwise it is damage again.
 */
import {
  BATCH_HEADER_BYTES,
  GrowingIndex,
  batchBaseOffsetAt,
  batchLengthAt,
} from '@robustmq/journal';
import { SEGMENT_HEADER_BYTES, durableBeforeAt, isBatchHere } from './segment-file.ts';

/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512;
/** The first byte of the batch magic, "R". */
const MAGIC_FIRST_BYTE = 0x52;

export interface SegmentScan {
  readonly index: GrowingIndex;
  /** The file is good up to here, damaged ranges apart. */
  readonly bytes: number;
}

/** Where and what to scan; `active`: the last segment, whose tail may be torn. */
export interface ScanTarget {
  readonly baseOffset: number;
  readonly salt: number | null;
  readonly role: 'active' | 'sealed';
}

export function scanSegment(file: Uint8Array, target: ScanTarget): SegmentScan {
  const index = new GrowingIndex(target.baseOffset);
  const { salt } = target;
  let position = SEGMENT_HEADER_BYTES;
  while (position + BATCH_HEADER_BYTES <= file.length) {
    const expected = target.baseOffset + index.recordsAfter;
    if (isBatchHere(file, position, { salt, position })) {
      const first = batchBaseOffsetAt(file, position);
      if (first >= expected) {
        if (first > expected) index.addDamage(first - target.baseOffset, position);
        index.addBatch(file, position, position);
        position += batchLengthAt(file, position);
        continue;
      }
    }
    const following = findBatch(file, position + 1, salt, expected);
    if (following < 0) break;
    if (target.role === 'active' && isTorn(file, { position, following, salt, expected })) break;
    index.addDamage(batchBaseOffsetAt(file, following) - target.baseOffset, position);
    position = following;
  }
  return { index, bytes: position };
}

/** Whether every byte from `start` to before `after` is zero. */
export function isZero(bytes: Uint8Array, start: number, after: number): boolean {
  for (let i = start; i < after; i += 1) if (bytes[i] !== 0) return false;
  return true;
}

/** The position of the next batch with offsets from `expected` on; -1 when there is none. */
function findBatch(file: Uint8Array, from: number, salt: number | null, expected: number): number {
  let position = file.indexOf(MAGIC_FIRST_BYTE, from);
  while (position >= 0) {
    const isNext =
      isBatchHere(file, position, { salt, position }) &&
      batchBaseOffsetAt(file, position) >= expected;
    if (isNext) return position;
    position = file.indexOf(MAGIC_FIRST_BYTE, position + 1);
  }
  return -1;
}

interface Gap {
  readonly position: number;
  /** The first valid batch behind the gap. */
  readonly following: number;
  readonly salt: number | null;
  readonly expected: number;
}

function isTorn(file: Uint8Array, gap: Gap): boolean {
  let at = gap.following;
  while (at >= 0) {
    if (durableBeforeAt(file, at) > gap.position) return false;
    at = findBatch(file, at + batchLengthAt(file, at), gap.salt, gap.expected);
  }
  return hasMissingSector(file, gap.position, gap.following);
}

function hasMissingSector(file: Uint8Array, start: number, after: number): boolean {
  let sector = Math.floor(start / SECTOR_BYTES) * SECTOR_BYTES;
  // The sector in which the following batch starts was written, so it proves nothing.
  for (; sector + SECTOR_BYTES <= after; sector += SECTOR_BYTES) {
    if (isZero(file, Math.max(sector, start), sector + SECTOR_BYTES)) return true;
  }
  return false;
}
