/**
 * Reads a segment batch by batch and says how far it can be trusted.
 *
 * A batch that is not whole is either torn or damaged. It is torn only in the last segment, when
 * nothing behind it was written after this place was durable, and when it is more than one flipped
 * bit that is wrong: a loss of power leaves sectors out, as zeros or as garbage. A torn batch was
 * never promised to anyone and is cut off. Everything else is damage to what may have been
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
import { isOneBitOff } from './one-bit-off.ts';

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
  for (let at = 1; at + BATCH_HEADER_BYTES <= rest.length; at += 1) {
    const header = parseBatchHeader(rest, at, { salt, position: position + at });
    if (header !== null && header.durableBefore > position) return false;
  }
  return !isOneBitOff(rest, { salt, position });
}
