/**
 * The files of a group's log. A segment is named by its number (16 digits, `.raftlog`); numbers
 * rise by one. Big-endian; a u64 holds at most 2^53 - 1.
 *
 *      header, 57 bytes                          batch, one per `Persist`
 *      0   "RRL1"                                0   u32  length of the body
 *      4   u32  salt, random                     4   u32  bytes of this file that were durable
 *      8   u64  number                                    when the batch was written
 *      16  u8   1 follows, 2 resets              8   u32  CRC-32C of the body
 *      17  u64  term  } of the entry before      12  u32  CRC-32C of bytes 0 to 11, seeded with
 *      25  u64  index } the first one here                salt and position
 *      33  u64  hard state: term                 16  body
 *      41  u64  hard state: vote, 0 for none
 *      49  u32  zero                             body: u8 1 with hard state, else 0;
 *      53  u32  CRC-32C of bytes 0 to 52              [u64 term, u64 vote]
 *                                                     u64 first index, u32 count, entries
 *
 * A segment that *follows* begins after an entry of the log so far; when that is not its last one,
 * the rest of the log is replaced (Raft §5.3). One that *resets* drops the log before it. Within a
 * segment indexes rise by one. A header counts only together with the first batch: a segment
 * without one was being created when the power failed.
 */
import { crc32c } from '@robustmq/bytes';
import type { Entry, EntryId, HardState, NodeId, Term } from '@robustmq/raft';
import { ByteReader, MalformedError, readUint32, writeUint32, writeUint53 } from './byte-reader.ts';
import {
  encodedEntriesBytes,
  readEntries,
  readEntryId,
  writeEntry,
  writeEntryId,
} from './entry-codec.ts';

export const SEGMENT_HEADER_BYTES = 57;
export const BATCH_HEADER_BYTES = 16;
/** LIMIT: a longer batch is taken for damage; 256 MiB. */
export const RAFT_BATCH_BYTES_MAX: number = 256 * 1024 * 1024;
const MAGIC = 0x52524c31;
const HARD_STATE_BYTES = 16;
const BODY_BYTES_MIN = 13;
const SUFFIX = '.raftlog';

export interface SegmentHeader {
  readonly salt: number;
  readonly number: number;
  readonly kind: 'follows' | 'resets';
  /** The entry before the first one of the segment. */
  readonly previous: EntryId;
  /** As of the beginning of the segment. */
  readonly hardState: HardState;
}

export interface BatchHeader {
  readonly bodyBytes: number;
  readonly durableBefore: number;
  readonly bodyCrc: number;
}

export interface BatchBody {
  readonly hardState: HardState | null;
  readonly firstIndex: number;
  readonly entries: readonly Entry[];
}

export function segmentName(number: number): string {
  return `${String(number).padStart(16, '0')}${SUFFIX}`;
}

/** Null when it is not the name of a segment. */
export function parseSegmentName(name: string): number | null {
  return /^\d{16}\.raftlog$/.test(name) ? Number.parseInt(name, 10) : null;
}

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  writeUint32(bytes, 0, MAGIC);
  writeUint32(bytes, 4, header.salt);
  writeUint53(bytes, 8, header.number);
  bytes[16] = header.kind === 'follows' ? 1 : 2;
  writeEntryId(bytes, 17, header.previous);
  writeHardState(bytes, 33, header.hardState);
  writeUint32(bytes, 53, crc32c(bytes, 0, 53));
  return bytes;
}

/** Null when the bytes are not a whole header. */
export function parseSegmentHeader(bytes: Uint8Array): SegmentHeader | null {
  if (bytes.length < SEGMENT_HEADER_BYTES || readUint32(bytes, 0) !== MAGIC) return null;
  if (readUint32(bytes, 53) !== crc32c(bytes, 0, 53)) return null;
  const reader = new ByteReader(bytes, 4, SEGMENT_HEADER_BYTES);
  const salt = reader.uint32();
  const number = reader.uint53();
  const kind = reader.byte() === 1 ? 'follows' : 'resets';
  const previous = readEntryId(reader);
  return { salt, number, kind, previous, hardState: readHardState(reader) };
}

export function encodedBatchBytes(hardState: HardState | null, entries: readonly Entry[]): number {
  const state = hardState === null ? 0 : HARD_STATE_BYTES;
  return BATCH_HEADER_BYTES + BODY_BYTES_MIN + state + encodedEntriesBytes(entries);
}

/** Where in a batch its first entry stands. */
export function batchEntriesOffset(hardState: HardState | null): number {
  return BATCH_HEADER_BYTES + BODY_BYTES_MIN + (hardState === null ? 0 : HARD_STATE_BYTES);
}

/** Where a batch stands, which its checksum covers. */
export interface BatchPlace {
  readonly salt: number;
  /** In the file. */
  readonly position: number;
  readonly durableBefore: number;
}

/** Writes one batch at `start` of `target`. @returns the position after it */
export function writeBatch(
  target: Uint8Array,
  start: number,
  batch: BatchBody,
  place: BatchPlace,
): number {
  let at = start + BATCH_HEADER_BYTES;
  target[at] = batch.hardState === null ? 0 : 1;
  at += 1;
  if (batch.hardState !== null) at = writeHardState(target, at, batch.hardState);
  at = writeUint53(target, at, batch.firstIndex);
  at = writeUint32(target, at, batch.entries.length);
  for (const entry of batch.entries) at = writeEntry(target, at, entry);
  const body = start + BATCH_HEADER_BYTES;
  writeUint32(target, start, at - body);
  writeUint32(target, start + 4, place.durableBefore);
  writeUint32(target, start + 8, crc32c(target, body, at));
  const seed = seedOf(place.salt, place.position);
  writeUint32(target, start + 12, crc32c(target, start, start + 12, seed));
  return at;
}

/**
 * The header of a batch at `at` of `bytes`, which is `position` of the file. Null when there is
 * none: the checksum knows the place, so that payloads that look like a batch are not taken for one.
 */
export function parseBatchHeader(
  bytes: Uint8Array,
  at: number,
  place: { readonly salt: number; readonly position: number },
): BatchHeader | null {
  const bodyBytes = readUint32(bytes, at);
  if (bodyBytes < BODY_BYTES_MIN || bodyBytes > RAFT_BATCH_BYTES_MAX) return null;
  const seed = seedOf(place.salt, place.position);
  if (readUint32(bytes, at + 12) !== crc32c(bytes, at, at + 12, seed)) return null;
  return {
    bodyBytes,
    durableBefore: readUint32(bytes, at + 4),
    bodyCrc: readUint32(bytes, at + 8),
  };
}

/** The body in `bytes[start, end)`. Null when its checksum or its content is wrong. */
export function parseBatchBody(
  bytes: Uint8Array,
  start: number,
  header: BatchHeader,
): BatchBody | null {
  const end = start + header.bodyBytes;
  if (end > bytes.length || crc32c(bytes, start, end) !== header.bodyCrc) return null;
  const reader = new ByteReader(bytes, start, end);
  try {
    const hardState = reader.flag() ? readHardState(reader) : null;
    const firstIndex = reader.uint53();
    const entries = readEntries(reader, firstIndex, reader.uint32());
    reader.expectEnd();
    return { hardState, firstIndex, entries };
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
}

function seedOf(salt: number, position: number): number {
  return (salt ^ Math.imul(position, 0x9e3779b1)) >>> 0;
}

function writeHardState(target: Uint8Array, at: number, hardState: HardState): number {
  return writeUint53(target, writeUint53(target, at, hardState.term), hardState.votedFor ?? 0);
}

function readHardState(reader: ByteReader): HardState {
  const term = reader.uint53() as Term;
  const vote = reader.uint53();
  return { term, votedFor: vote === 0 ? null : (vote as NodeId) };
}
