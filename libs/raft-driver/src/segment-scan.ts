/**
 * Reads a segment batch by batch and says how far it can be trusted.
 *
 * A batch that is not whole is either torn or damaged. It is torn only in the last segment, when
 * nothing behind it was written after this place was durable, and when something is visibly
 * missing: the file ends early, or a sector that was never written reads as zeros. A torn batch
 * was never promised to anyone and is cut off. Everything else is damage to what may have been
 * acknowledged: the node must not go on, because it would forget a vote or a committed entry.
 */
import type { OpenFile } from '@robustmq/environment';
import { FileWindow } from './file-window.ts';
import {
  BATCH_HEADER_BYTES,
  type BatchBody,
  type BatchHeader,
  parseBatchBody,
  parseBatchHeader,
  SEGMENT_HEADER_BYTES,
} from './log-format.ts';

/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512;

export interface SegmentScan {
  readonly salt: number;
  /** The last segment's tail may be torn. */
  readonly role: 'last' | 'sealed';
  readonly onBatch: (batch: BatchBody, place: BatchFound) => void;
}

export interface BatchFound {
  readonly position: number;
  /** Bytes of the file that were durable when the batch was written. */
  readonly durableBefore: number;
}

export type ScanEnd =
  /** Good up to `position`; what follows is torn. */
  | { readonly kind: 'whole'; readonly position: number }
  | { readonly kind: 'damaged'; readonly position: number };

export async function scanSegment(file: OpenFile, scan: SegmentScan): Promise<ScanEnd> {
  const window = new FileWindow(file, await file.byteLength());
  let position = SEGMENT_HEADER_BYTES;
  while (position < window.length) {
    const found = await readBatch(window, position, scan.salt);
    if (found === null) {
      const torn = scan.role === 'last' && (await isTorn(file, position, scan.salt));
      return { kind: torn ? 'whole' : 'damaged', position };
    }
    scan.onBatch(found.body, { position, durableBefore: found.header.durableBefore });
    position += BATCH_HEADER_BYTES + found.header.bodyBytes;
  }
  return { kind: 'whole', position };
}

export interface FoundBatch {
  readonly header: BatchHeader;
  readonly body: BatchBody;
}

/** Null when no whole batch stands at `position`. */
export async function readBatch(
  window: FileWindow,
  position: number,
  salt: number,
): Promise<FoundBatch | null> {
  const at = await window.seek(position, BATCH_HEADER_BYTES);
  if (at < 0) return null;
  const header = parseBatchHeader(window.bytes, at, { salt, position });
  if (header === null) return null;
  const start = await window.seek(position + BATCH_HEADER_BYTES, header.bodyBytes);
  if (start < 0) return null;
  const body = parseBatchBody(window.bytes, start, header);
  return body === null ? null : { header, body };
}

/** Whether the bytes from `position` on are what a loss of power leaves of a last write. */
async function isTorn(file: OpenFile, position: number, salt: number): Promise<boolean> {
  const rest = new Uint8Array((await file.byteLength()) - position);
  await file.read(rest, position);
  if (rest.length < BATCH_HEADER_BYTES) return true;
  let firstBehind = rest.length;
  for (let at = 1; at + BATCH_HEADER_BYTES <= rest.length; at += 1) {
    const header = parseBatchHeader(rest, at, { salt, position: position + at });
    if (header === null) continue;
    if (header.durableBefore > position) return false;
    firstBehind = Math.min(firstBehind, at);
  }
  const header = parseBatchHeader(rest, 0, { salt, position });
  if (header !== null && BATCH_HEADER_BYTES + header.bodyBytes > rest.length) return true;
  return hasMissingSector(rest, position, firstBehind);
}

/** Whether some sector's share of `rest[0, after)` is all zeros; `rest` begins at `position`. */
function hasMissingSector(rest: Uint8Array, position: number, after: number): boolean {
  let start = 0;
  while (start < after) {
    const sectorEnd = SECTOR_BYTES - ((position + start) % SECTOR_BYTES) + start;
    // The sector in which the following batch starts was written, so it proves nothing.
    if (sectorEnd > after && after < rest.length) return false;
    const end = Math.min(sectorEnd, rest.length);
    if (isZero(rest, start, end)) return true;
    start = end;
  }
  return false;
}

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (bytes[at] !== 0) return false;
  return true;
}
