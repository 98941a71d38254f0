/**
 * The file of one segment: a header, then batches in the order of their offsets.
 *
 * ```text
 * header  0  magic          u32  "RMSG"
 *         4  version        u32  1
 *         8  base offset    u64  of the first record; also the file's name, 20 digits
 *        16  salt           u32  random
 *        20  zero           u32 x 2
 *        28  CRC-32C of the 28 bytes before
 *        32  batches, each with its place stamp and `durable before` filled in
 * ```
 *
 * The place stamp ties a batch to this file, this position and its `durable before`. A message
 * whose payload looks like a batch can therefore never be taken for one when a reader searches
 * behind damage: its sender does not know the salt.
 */
import { crc32c } from '@robustmq/bytes';
import {
  BATCH_FIELD,
  batchBaseOffsetAt,
  inspectBatch,
  readUint32,
  readUint64,
  writeUint32,
  writeUint64,
} from '@robustmq/journal';

export const SEGMENT_HEADER_BYTES = 32;
const MAGIC = 0x47534d52;
const VERSION = 1;
const OFFSET_DIGITS = 20;
const CHECKSUM_AT = 28;

export function segmentName(baseOffset: number): string {
  return `${String(baseOffset).padStart(OFFSET_DIGITS, '0')}.log`;
}

export function indexName(baseOffset: number): string {
  return `${String(baseOffset).padStart(OFFSET_DIGITS, '0')}.index`;
}

/** The base offset in a segment's file name; null for other files. */
export function parseSegmentName(name: string): number | null {
  if (!/^\d{20}\.log$/.test(name)) return null;
  const baseOffset = Number(name.slice(0, OFFSET_DIGITS));
  return Number.isSafeInteger(baseOffset) ? baseOffset : null;
}

export function encodeSegmentHeader(baseOffset: number, salt: number): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  writeUint32(bytes, 0, MAGIC);
  writeUint32(bytes, 4, VERSION);
  writeUint64(bytes, 8, baseOffset);
  writeUint32(bytes, 16, salt);
  writeUint32(bytes, CHECKSUM_AT, crc32c(bytes, 0, CHECKSUM_AT));
  return bytes;
}

/** The salt of the segment; null when the header is torn, damaged or another segment's. */
export function parseSegmentHeader(bytes: Uint8Array, baseOffset: number): number | null {
  if (bytes.length < SEGMENT_HEADER_BYTES) return null;
  if (readUint32(bytes, CHECKSUM_AT) !== crc32c(bytes, 0, CHECKSUM_AT)) return null;
  if (readUint32(bytes, 0) !== MAGIC || readUint32(bytes, 4) !== VERSION) return null;
  return readUint64(bytes, 8) === baseOffset ? readUint32(bytes, 16) : null;
}

/** Fills in the fields of the medium for the batch at `start`, which goes to `position` of the file. */
export function placeBatch(
  bytes: Uint8Array,
  start: number,
  place: { readonly salt: number; readonly position: number; readonly durableBefore: number },
): void {
  const stamp = stampOf(place.salt, place.position, place.durableBefore);
  writeUint32(bytes, start + BATCH_FIELD.placeStamp, stamp);
  writeUint32(bytes, start + BATCH_FIELD.durableBefore, place.durableBefore);
}

/** How many bytes of the file were durable when the batch at `start` was written. */
export function durableBeforeAt(bytes: Uint8Array, start: number): number {
  return readUint32(bytes, start + BATCH_FIELD.durableBefore);
}

/**
 * Whether a whole, undamaged batch of this segment stands at `start` of `bytes`, which is
 * `position` of the file. A null salt (the header is damaged) leaves the stamp unchecked.
 */
export function isBatchHere(
  bytes: Uint8Array,
  start: number,
  place: { readonly salt: number | null; readonly position: number },
): boolean {
  if (start + BATCH_FIELD.length > bytes.length) return false;
  if (place.salt !== null) {
    const expected = stampOf(place.salt, place.position, durableBeforeAt(bytes, start));
    if (readUint32(bytes, start + BATCH_FIELD.placeStamp) !== expected) return false;
  }
  return inspectBatch(bytes, start, bytes.length) === 'valid';
}

/** Whether `isBatchHere` and the batch starts with the offset expected. */
export function isBatchOf(
  bytes: Uint8Array,
  start: number,
  place: { readonly salt: number | null; readonly position: number; readonly first: number },
): boolean {
  return isBatchHere(bytes, start, place) && batchBaseOffsetAt(bytes, start) === place.first;
}

function stampOf(salt: number, position: number, durableBefore: number): number {
  let hash = salt ^ Math.imul(position + 1, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) ^ Math.imul(durableBefore + 1, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 13), 0x27d4eb2f);
  return (hash ^ (hash >>> 16)) >>> 0;
}
