/**
 * What is known on this machine of a segment that is in the bucket: `<base>.tier` beside where its file
 * was. With it a start needs nothing from the store.
 *
 * ```text
 * 0  magic "RMTN"   4  version   8  segment bytes u64   16  index bytes u64
 * 24 the segment's header (32 bytes)   56 CRC-32C of the bytes before
 * ```
 */
import { crc32c } from '@robustmq/bytes';
import { readUint32, readUint64, writeUint32, writeUint64 } from '@robustmq/journal';

const MAGIC = 0x4e544d52;
const VERSION = 1;
export const HEADER_BYTES: number = 32;
const HEADER_AT = 24;
const CHECKSUM_AT = 56;
const NOTE_BYTES = 60;

export interface TierNote {
  readonly segmentBytes: number;
  /** 0: the bucket has no index of it. */
  readonly indexBytes: number;
  readonly header: Uint8Array;
}

export function encodeTierNote({ segmentBytes, indexBytes, header }: TierNote): Uint8Array {
  const bytes = new Uint8Array(NOTE_BYTES);
  writeUint32(bytes, 0, MAGIC);
  writeUint32(bytes, 4, VERSION);
  writeUint64(bytes, 8, segmentBytes);
  writeUint64(bytes, 16, indexBytes);
  bytes.set(header.subarray(0, HEADER_BYTES), HEADER_AT);
  writeUint32(bytes, CHECKSUM_AT, crc32c(bytes, 0, CHECKSUM_AT));
  return bytes;
}

/** Null when it is not a note that can be believed: then the bucket is asked. */
export function readTierNote(bytes: Uint8Array): TierNote | null {
  if (bytes.length !== NOTE_BYTES) return null;
  if (readUint32(bytes, CHECKSUM_AT) !== crc32c(bytes, 0, CHECKSUM_AT)) return null;
  if (readUint32(bytes, 0) !== MAGIC || readUint32(bytes, 4) !== VERSION) return null;
  return {
    segmentBytes: readUint64(bytes, 8),
    indexBytes: readUint64(bytes, 16),
    header: bytes.slice(HEADER_AT, CHECKSUM_AT),
  };
}
