/**
 * Finds damage in complete segments, and mends it with entries of another member.
 *
 * A damaged batch is replaced by one of the same length at the same place, in a copy of the file that
 * takes its name when it is durable: positions that others know stay valid, and a crash leaves the
 * damaged file or the mended one. That needs no trust in the other member: by index and term an
 * entry is what every member has (Raft §5.3), and both are known here.
 */
import type { FileSystem, OpenFile } from '@robustmq/environment';
import type { Entry, HardState, LogIndex, Term } from '@robustmq/raft';
import { ByteReader, MalformedError, writeUint32, writeUint53 } from './byte-reader.ts';
import { encodedEntriesBytes, readEntries, writeEntry } from './entry-codec.ts';
import { FileWindow } from './file-window.ts';
import {
  BATCH_HEADER_BYTES,
  encodedBatchBytes,
  parseBatchHeader,
  SEGMENT_HEADER_BYTES,
  writeBatch,
} from './log-format.ts';
import type { LogSegment } from './log-segment.ts';
import { readBatch } from './segment-scan.ts';

const COPY_BYTES = 1024 * 1024;

/** A stretch of a complete segment whose bytes fail their checksum. */
export interface DamagedBatch {
  readonly position: number;
  readonly after: number;
  /** Of the entries in it; `through` below `from` when there are none. */
  readonly from: LogIndex;
  readonly through: LogIndex;
}

/** How far a look at a segment came. */
export interface SegmentLook {
  /** Null: at the end. */
  readonly next: LookPlace | null;
  readonly damaged: readonly DamagedBatch[];
  readonly bytes: number;
}

/** Before a batch, and the index of the last entry before that. */
export interface LookPlace {
  readonly position: number;
  readonly lastIndex: number;
}

/**
 * Compares the checksums of a complete segment with its bytes, from a place on (null: its begin), and
 * about `bytesMax` of them.
 */
export async function lookAtSegment(
  fileSystem: FileSystem,
  segment: LogSegment,
  range: { readonly from: LookPlace | null; readonly bytesMax: number },
): Promise<SegmentLook> {
  const file = await fileSystem.open(segment.path, 'read');
  try {
    const begin = { position: SEGMENT_HEADER_BYTES, lastIndex: segment.previous.index };
    let { position, lastIndex } = range.from ?? begin;
    const start = position;
    const end = position + range.bytesMax;
    const window = new FileWindow(file, segment.bytes);
    const damaged: DamagedBatch[] = [];
    while (position < segment.bytes && position < end) {
      const found = await readBatch(window, position, segment.salt);
      if (found === null) {
        const stretch = await damagedStretch(file, segment, { position, lastIndex });
        damaged.push(stretch);
        position = stretch.after;
        lastIndex = Math.max(lastIndex, stretch.through);
        continue;
      }
      position += BATCH_HEADER_BYTES + found.header.bodyBytes;
      lastIndex = found.body.entries.at(-1)?.index ?? lastIndex;
    }
    const next = position < segment.bytes ? { position, lastIndex } : null;
    return { next, damaged, bytes: position - start };
  } finally {
    await file.close();
  }
}

/** From the damaged place to the next whole batch. */
async function damagedStretch(
  file: OpenFile,
  segment: LogSegment,
  at: LookPlace,
): Promise<DamagedBatch> {
  const rest = new Uint8Array(segment.bytes - at.position);
  await file.read(rest, at.position);
  const from = (at.lastIndex + 1) as LogIndex;
  const window = new FileWindow(file, segment.bytes);
  let after = at.position + 1;
  for (; after + BATCH_HEADER_BYTES <= segment.bytes; after += 1) {
    const place = { salt: segment.salt, position: after };
    if (parseBatchHeader(rest, after - at.position, place) === null) continue;
    const first = await firstEntryFrom(window, segment, after);
    const through = ((first ?? segment.lastIndex + 1) - 1) as LogIndex;
    return { position: at.position, after, from, through };
  }
  return { position: at.position, after: segment.bytes, from, through: segment.lastIndex };
}

/** The index of the first entry at a place or behind it; null when there is none, or damage before it. */
async function firstEntryFrom(
  window: FileWindow,
  segment: LogSegment,
  start: number,
): Promise<number | null> {
  let position = start;
  while (position < segment.bytes) {
    const found = await readBatch(window, position, segment.salt);
    if (found === null) return null;
    if (found.body.entries.length > 0) return found.body.firstIndex;
    position += BATCH_HEADER_BYTES + found.header.bodyBytes;
  }
  return null;
}

/**
 * Puts entries into the place of a damaged batch. Durable on return.
 *
 * @returns false when they are others than the damaged ones: nothing was changed
 */
export async function mendSegment(
  fileSystem: FileSystem,
  segment: LogSegment,
  mending: { readonly damage: DamagedBatch; readonly entries: readonly Entry[] },
): Promise<boolean> {
  const bytes = replacementFor(segment, mending);
  if (bytes === null) return false;
  const { path } = segment;
  const copy = `${path}.mending`;
  if ((await fileSystem.status(copy)) !== null) await fileSystem.unlink(copy);
  const source = await fileSystem.open(path, 'read');
  const target = await fileSystem.open(copy, 'create');
  try {
    for (let at = 0; at < segment.bytes; at += COPY_BYTES) {
      const piece = new Uint8Array(Math.min(COPY_BYTES, segment.bytes - at));
      await source.read(piece, at);
      await target.write(piece, at);
    }
    await target.write(bytes, mending.damage.position);
    await target.syncData();
  } finally {
    await source.close();
    await target.close();
  }
  await fileSystem.rename(copy, path);
  await fileSystem.syncDirectory(path.slice(0, path.lastIndexOf('/')));
  return true;
}

/** Null when no batch of these entries has the length that is missing. */
function replacementFor(
  segment: LogSegment,
  { damage, entries }: { readonly damage: DamagedBatch; readonly entries: readonly Entry[] },
): Uint8Array | null {
  const { position, after, from, through } = damage;
  if (entries.length !== Math.max(0, through - from + 1)) return null;
  for (const [at, { index, term }] of entries.entries()) {
    if (index !== from + at || term !== termIn(segment, index)) return null;
  }
  const length = after - position;
  const term = entries[0]?.term ?? segment.previous.term;
  // Whatever was voted then, the header of the next segment says what counts.
  const choices: (HardState | null)[] = [null, { term, votedFor: null }];
  for (const hardState of choices) {
    if (encodedBatchBytes(hardState, entries) !== length) continue;
    const bytes = new Uint8Array(length);
    const place = { salt: segment.salt, position, durableBefore: position };
    writeBatch(bytes, 0, { hardState, firstIndex: entries[0]?.index ?? 0, entries }, place);
    return bytes;
  }
  return null;
}

function termIn({ runs }: LogSegment, index: number): Term | null {
  return runs.findLast(({ first }) => first <= index)?.term ?? null;
}

/** Consecutive entries as one member hands them to another: first index u64, count u32, entries. */
export function encodeEntries(entries: readonly Entry[]): Uint8Array {
  const bytes = new Uint8Array(12 + encodedEntriesBytes(entries));
  let at = writeUint53(bytes, 0, entries[0]?.index ?? 0);
  at = writeUint32(bytes, at, entries.length);
  for (const entry of entries) at = writeEntry(bytes, at, entry);
  return bytes;
}

/** Null when the bytes are no entries. */
export function decodeEntries(bytes: Uint8Array): readonly Entry[] | null {
  const reader = new ByteReader(bytes, 0, bytes.length);
  try {
    const first = reader.uint53();
    const entries = readEntries(reader, first, reader.uint32());
    reader.expectEnd();
    return entries;
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
}
