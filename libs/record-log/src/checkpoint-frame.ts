/**
 * The bytes of a checkpoint segment: a header, then one frame per write.
 *
 * ```text
 * header  0  magic "RMCK" u32   4  version u32   8  number u32  12  salt u32
 *        16  CRC-32C of the 16 bytes before
 *
 * frame   0  magic "RMCF" u32   4  CRC-32C of the bytes from 8 to `length`
 *         8  length u32        12  place stamp u32 (salt and position, so a value never looks like a frame)
 *        16  entry count u32   20  commit length u32
 *        24  entries, then the commit
 *
 * entry   0  key length u32 (the top bit: removed)   4  value length u32   8  key, value
 * ```
 *
 * A frame is whole or, by its checksum, not there: that makes a write atomic.
 */
import { crc32c } from '@robustmq/bytes';

export const CHECKPOINT_HEADER_BYTES = 20;
export const FRAME_HEADER_BYTES = 24;
export const ENTRY_HEADER_BYTES = 8;
const HEADER_MAGIC = 0x4b434d52;
const FRAME_MAGIC = 0x46434d52;
const VERSION = 1;
const REMOVED = 0x80000000;
const MAGIC_FIRST_BYTE = 0x52;
const CHECKSUM_START = 8;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** A key's new value; null removes the key. */
export interface CheckpointEntry {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** An entry as found in a segment; the value is the range in its bytes, `valueStart` -1 for a removal. */
export interface FoundEntry {
  readonly key: string;
  readonly position: number;
  readonly length: number;
  readonly valueStart: number;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function encodeCheckpointHeader(number: number, salt: number): Uint8Array {
  const bytes = new Uint8Array(CHECKPOINT_HEADER_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, HEADER_MAGIC, true);
  view.setUint32(4, VERSION, true);
  view.setUint32(8, number, true);
  view.setUint32(12, salt, true);
  view.setUint32(16, crc32c(bytes, 0, 16), true);
  return bytes;
}

/** The salt of segment `number`; null when the header is torn, damaged or another segment's. */
export function parseCheckpointHeader(bytes: Uint8Array, number: number): number | null {
  if (bytes.length < CHECKPOINT_HEADER_BYTES) return null;
  const view = viewOf(bytes);
  if (view.getUint32(16, true) !== crc32c(bytes, 0, 16)) return null;
  const isOurs =
    view.getUint32(0, true) === HEADER_MAGIC &&
    view.getUint32(4, true) === VERSION &&
    view.getUint32(8, true) === number;
  return isOurs ? view.getUint32(12, true) : null;
}

/** A frame, and where each of its entries stands in it. */
export interface EncodedFrame {
  readonly bytes: Uint8Array;
  /** By number of the entry: its first byte; one more: where the commit begins. */
  readonly starts: Float64Array;
}

/** At most so many bytes does one UTF-16 code unit become. */
const UTF8_BYTES_PER_UNIT_MAX = 3;
const SLICE_ENTRIES = 2048;

/**
 * Encodes a frame for one place in one segment. A checkpoint may hold a million entries: after each few
 * thousand of them it calls `pause`, so that others have their turn.
 */
export async function encodeFrame(
  entries: readonly CheckpointEntry[],
  commit: Uint8Array,
  place: {
    readonly salt: number;
    readonly position: number;
    readonly pause: () => Promise<void>;
  },
): Promise<EncodedFrame> {
  let lengthMax = FRAME_HEADER_BYTES + commit.length;
  for (const { key, value } of entries) {
    lengthMax += ENTRY_HEADER_BYTES + key.length * UTF8_BYTES_PER_UNIT_MAX + (value?.length ?? 0);
  }
  const room = new Uint8Array(lengthMax);
  const view = viewOf(room);
  const starts = new Float64Array(entries.length + 1);
  let at = FRAME_HEADER_BYTES;
  for (let i = 0; i < entries.length; i += 1) {
    if (i > 0 && i % SLICE_ENTRIES === 0) await place.pause();
    const { key, value } = entries[i] as CheckpointEntry;
    starts[i] = at;
    const keyLength = putKey(room, at + ENTRY_HEADER_BYTES, key);
    view.setUint32(at, value === null ? (keyLength | REMOVED) >>> 0 : keyLength, true);
    view.setUint32(at + 4, value?.length ?? 0, true);
    at += ENTRY_HEADER_BYTES + keyLength;
    if (value === null) continue;
    room.set(value, at);
    at += value.length;
  }
  starts[entries.length] = at;
  room.set(commit, at);
  const length = at + commit.length;
  view.setUint32(0, FRAME_MAGIC, true);
  view.setUint32(8, length, true);
  view.setUint32(12, stampOf(place.salt, place.position), true);
  view.setUint32(16, entries.length, true);
  view.setUint32(20, commit.length, true);
  view.setUint32(4, crc32c(room, CHECKSUM_START, length), true);
  return { bytes: room.subarray(0, length), starts };
}

/** Below this length a loop is cheaper than a call into the runtime. */
const SHORT_KEY_UNITS = 64;

/** @returns how many bytes it took */
function putKey(bytes: Uint8Array, start: number, key: string): number {
  if (key.length > SHORT_KEY_UNITS) return encoder.encodeInto(key, bytes.subarray(start)).written;
  for (let i = 0; i < key.length; i += 1) {
    const unit = key.charCodeAt(i);
    if (unit > 0x7f) return encoder.encodeInto(key, bytes.subarray(start)).written;
    bytes[start + i] = unit;
  }
  return key.length;
}

/** The length of the whole, undamaged frame at `position` of a segment; 0 when there is none. */
export function frameLengthAt(segment: Uint8Array, position: number, salt: number | null): number {
  if (position + FRAME_HEADER_BYTES > segment.length) return 0;
  const view = viewOf(segment);
  if (view.getUint32(position, true) !== FRAME_MAGIC) return 0;
  const length = view.getUint32(position + 8, true);
  if (length < FRAME_HEADER_BYTES || position + length > segment.length) return 0;
  const stamp = view.getUint32(position + 12, true);
  if (salt !== null && stamp !== stampOf(salt, position)) return 0;
  const checksum = crc32c(segment, position + CHECKSUM_START, position + length);
  return checksum === view.getUint32(position + 4, true) ? length : 0;
}

/** The position of the next whole frame from `from` on; -1 when there is none. */
export function findFrame(segment: Uint8Array, from: number, salt: number | null): number {
  let position = segment.indexOf(MAGIC_FIRST_BYTE, from);
  while (position >= 0 && frameLengthAt(segment, position, salt) === 0) {
    position = segment.indexOf(MAGIC_FIRST_BYTE, position + 1);
  }
  return position;
}

/** How many entries the frame at `position` claims, for a report: it may be damaged. */
export function claimedEntryCount(segment: Uint8Array, position: number): number {
  if (position + FRAME_HEADER_BYTES > segment.length) return 0;
  const count = viewOf(segment).getUint32(position + 16, true);
  return count * ENTRY_HEADER_BYTES <= segment.length ? count : 0;
}

/** The entries of a whole frame, in order. */
export function* entriesOf(segment: Uint8Array, position: number): Generator<FoundEntry> {
  const view = viewOf(segment);
  const count = view.getUint32(position + 16, true);
  let at = position + FRAME_HEADER_BYTES;
  for (let i = 0; i < count; i += 1) {
    const keyWord = view.getUint32(at, true);
    const valueLength = view.getUint32(at + 4, true);
    const keyStart = at + ENTRY_HEADER_BYTES;
    const valueStart = keyStart + (keyWord & ~REMOVED);
    const key = decoder.decode(segment.subarray(keyStart, valueStart));
    const after = valueStart + valueLength;
    const isRemoval = keyWord >= REMOVED;
    yield { key, position: at, length: after - at, valueStart: isRemoval ? -1 : valueStart };
    at = after;
  }
}

/** The commit of a whole frame, a copy. */
export function commitOf(segment: Uint8Array, position: number): Uint8Array {
  const view = viewOf(segment);
  const after = position + view.getUint32(position + 8, true);
  const commit = new Uint8Array(view.getUint32(position + 20, true));
  commit.set(segment.subarray(after - commit.length, after));
  return commit;
}

function stampOf(salt: number, position: number): number {
  let hash = salt ^ Math.imul(position + 1, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
