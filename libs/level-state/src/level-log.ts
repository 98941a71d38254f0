/**
 * The log format of LevelDB, in which its write-ahead logs and its manifests are written.
 *
 *      file     blocks of 32 KiB
 *      block    records, then fewer than seven zero bytes
 *      record   checksum (4), length (2), type (1), content        little endian
 *      type     1 whole, 2 first, 3 middle, 4 last part
 *
 * LevelDB skips what it can't read and goes on behind it. For a replicated state that is worse than
 * an end: later changes would stand on missing ones. Here the first damage is the end.
 *
 * Source: LevelDB's documentation, log_format.md.
 */
import { crc32c } from '@robustmq/bytes';

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const WHOLE = 1;
const FIRST = 2;
const MIDDLE = 3;
const LAST = 4;

/** What a log holds up to its end or its first damage. */
export interface LevelLog {
  readonly records: readonly Uint8Array[];
  /** Bytes that hold whole records. */
  readonly soundBytes: number;
  /** Whether something else follows. */
  readonly isDamaged: boolean;
}

export function readLevelLog(file: Uint8Array): LevelLog {
  const records: Uint8Array[] = [];
  let soundBytes = 0;
  let parts: Uint8Array[] = [];
  let at = 0;
  for (;;) {
    const leftInBlock = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (leftInBlock < HEADER_BYTES) at += leftInBlock;
    const part = partAt(file, at);
    if (part === null) break;
    const isBeginning = part.type === WHOLE || part.type === FIRST;
    if (isBeginning !== (parts.length === 0)) break;
    parts.push(part.content);
    at = part.after;
    if (part.type === FIRST || part.type === MIDDLE) continue;
    records.push(joined(parts));
    parts = [];
    soundBytes = at;
  }
  return { records, soundBytes, isDamaged: soundBytes < file.length };
}

/** LevelDB stores checksums of what may itself hold checksums in a rotated form. */
export function maskedCrc32c(bytes: Uint8Array, start: number, end: number): number {
  const crc = crc32c(bytes, start, end);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

interface Part {
  readonly type: number;
  readonly content: Uint8Array;
  readonly after: number;
}

function partAt(file: Uint8Array, at: number): Part | null {
  if (at + HEADER_BYTES > file.length) return null;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = view.getUint16(at + 4, true);
  const type = file[at + 6] as number;
  const after = at + HEADER_BYTES + length;
  const leftInBlock = BLOCK_BYTES - (at % BLOCK_BYTES);
  if (HEADER_BYTES + length > leftInBlock || after > file.length) return null;
  if (type < WHOLE || type > LAST) return null;
  if (maskedCrc32c(file, at + 6, after) !== view.getUint32(at, true)) return null;
  return { type, content: file.subarray(at + HEADER_BYTES, after), after };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
