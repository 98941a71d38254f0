/**
 * The bytes of a record batch: encoded once, then stored, replicated and forwarded unchanged.
 *
 * ```text
 * batch   0  magic            u32   "RMJB"; all integers are little-endian
 *         4  checksum         u32   CRC-32C of the bytes from 16 to `length`
 *         8  place stamp      u32   belongs to the storage medium, 0 from the builder, not in the
 *        12  durable before   u32   checksum: a medium may write both without re-computing it
 *        16  length           u32   of the whole batch in bytes, this header included
 *        20  record count     u32   at least 1
 *        24  base offset      u64   of the first record; the others follow without gaps
 *        32  appended at      u64   milliseconds since 1970
 *        40  version          u8    2 when a record has flags, else 1
 *        41  zero             u8 x 3
 *        44  records
 *
 * record  0  length           u32   of the whole record in bytes, this field included
 *         4  topic length     u16
 *         6  kind             u8
 *         7  flags            u8    which attributes follow the topic (record-attributes.ts)
 *         8  topic            UTF-8
 *            attributes       those that the flags name
 *            body             up to the record's end
 * ```
 */
import { crc32c } from '@robustmq/bytes';

export const BATCH_MAGIC = 0x424a4d52;
/** Of a batch whose records have no attributes; the next one is of those with some. */
export const BATCH_VERSION = 1;
const BATCH_VERSION_MAX = 2;
export const BATCH_HEADER_BYTES = 44;
export const RECORD_HEADER_BYTES = 8;
/** LIMIT: a larger length in a header is damage, not a batch. */
export const BATCH_BYTES_MAX: number = 64 * 1024 * 1024;

/** Where the fields of a batch header stand, in bytes from its start. */
export const BATCH_FIELD = {
  magic: 0,
  checksum: 4,
  placeStamp: 8,
  durableBefore: 12,
  length: 16,
  recordCount: 20,
  baseOffset: 24,
  appendedAtMs: 32,
  version: 40,
} as const;

/** Checksummed from here on. */
const CHECKSUM_START = BATCH_FIELD.length;

export function readUint32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** Reads a u64 that is a safe integer; a larger one comes back inexact and fails every comparison. */
export function readUint64(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at + 4) * 0x1_0000_0000 + readUint32(bytes, at);
}

export function writeUint64(bytes: Uint8Array, at: number, value: number): void {
  writeUint32(bytes, at, value >>> 0);
  writeUint32(bytes, at + 4, Math.floor(value / 0x1_0000_0000));
}

export function batchLengthAt(bytes: Uint8Array, start: number): number {
  return readUint32(bytes, start + BATCH_FIELD.length);
}

export function batchRecordCountAt(bytes: Uint8Array, start: number): number {
  return readUint32(bytes, start + BATCH_FIELD.recordCount);
}

export function batchBaseOffsetAt(bytes: Uint8Array, start: number): number {
  return readUint64(bytes, start + BATCH_FIELD.baseOffset);
}

export function batchAppendedAtMsAt(bytes: Uint8Array, start: number): number {
  return readUint64(bytes, start + BATCH_FIELD.appendedAtMs);
}

/** Writes the header of a batch whose records already stand in `bytes`, and its checksum. */
export function writeBatchHeader(
  bytes: Uint8Array,
  length: number,
  facts: {
    readonly recordCount: number;
    readonly baseOffset: number;
    readonly appendedAtMs: number;
    readonly hasAttributes: boolean;
  },
): void {
  bytes.fill(0, 0, BATCH_HEADER_BYTES);
  writeUint32(bytes, BATCH_FIELD.magic, BATCH_MAGIC);
  writeUint32(bytes, BATCH_FIELD.length, length);
  writeUint32(bytes, BATCH_FIELD.recordCount, facts.recordCount);
  writeUint64(bytes, BATCH_FIELD.baseOffset, facts.baseOffset);
  writeUint64(bytes, BATCH_FIELD.appendedAtMs, facts.appendedAtMs);
  bytes[BATCH_FIELD.version] = BATCH_VERSION + (facts.hasAttributes ? 1 : 0);
  writeUint32(bytes, BATCH_FIELD.checksum, crc32c(bytes, CHECKSUM_START, length));
}

/**
 * What stands at `start` of `bytes`, of which nothing past `after` is known.
 *
 * `valid`: a whole batch whose checksum matches. `short`: a plausible header that asks for more
 * bytes than there are (`batchLengthAt` says how many), or fewer bytes than a header. `damaged`:
 * anything else. Never throws.
 */
export function inspectBatch(
  bytes: Uint8Array,
  start: number,
  after: number,
): 'valid' | 'short' | 'damaged' {
  if (after - start < BATCH_HEADER_BYTES) return 'short';
  if (readUint32(bytes, start) !== BATCH_MAGIC) return 'damaged';
  const version = bytes[start + BATCH_FIELD.version] as number;
  if (version < BATCH_VERSION || version > BATCH_VERSION_MAX) return 'damaged';
  const length = batchLengthAt(bytes, start);
  if (length < BATCH_HEADER_BYTES + RECORD_HEADER_BYTES || length > BATCH_BYTES_MAX) {
    return 'damaged';
  }
  if (length > after - start) return 'short';
  const expected = readUint32(bytes, start + BATCH_FIELD.checksum);
  return crc32c(bytes, start + CHECKSUM_START, start + length) === expected ? 'valid' : 'damaged';
}
