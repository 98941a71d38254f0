/** Reads a group's log when it is opened. */
import type { FileSystem } from '@robustmq/environment';
import {
  type Entry,
  type EntryId,
  type HardState,
  LOG_START,
  type LogIndex,
  NO_HARD_STATE,
} from '@robustmq/raft';
import { EntryPlaces } from './entry-places.ts';
import {
  type BatchBody,
  batchEntriesOffset,
  parseSegmentHeader,
  parseSegmentName,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  segmentName,
} from './log-format.ts';
import { LogReplay } from './log-replay.ts';
import { readSeal, SEAL_SUFFIX, sealPath } from './log-seal.ts';
import { type LogSegment, markBatch, newLogSegment, noteEntries } from './log-segment.ts';
import { RaftError } from './raft-error.ts';
import { type BatchFound, scanSegment } from './segment-scan.ts';

export interface RecoveredLog {
  readonly segments: LogSegment[];
  readonly hardState: HardState;
  readonly base: EntryId;
  readonly last: EntryId;
  /** What is applied already. */
  readonly earlier: LogReplay['earlier'];
  /** Behind it. */
  readonly entries: readonly Entry[];
  /** Of the entries that are not applied yet. */
  readonly places: EntryPlaces;
  /** Of a torn tail. */
  readonly truncatedBytes: number;
}

/** What the scans share. */
interface Progress {
  readonly fileSystem: FileSystem;
  readonly replay: LogReplay;
  readonly places: EntryPlaces;
  readonly keepAfter: LogIndex;
  hardState: HardState;
  truncatedBytes: number;
}

/**
 * Reads what is not applied yet, and what nobody has summed up (log-seal.ts), once; memory holds
 * what is not applied yet.
 *
 * @param keepAfter  the index up to which the state machine has applied
 * @throws RaftError RAFT_LOG_CORRUPT
 */
export async function recoverLog(
  fileSystem: FileSystem,
  directory: string,
  keepAfter: LogIndex,
): Promise<RecoveredLog> {
  const names = await fileSystem.list(directory);
  const numbers = names.map(parseSegmentName).filter((number) => number !== null);
  numbers.sort((left, right) => left - right);
  const replay = new LogReplay(LOG_START, keepAfter);
  const places = new EntryPlaces();
  const progress: Progress = {
    fileSystem,
    replay,
    places,
    keepAfter,
    hardState: NO_HARD_STATE,
    truncatedBytes: 0,
  };
  const segments: LogSegment[] = [];
  for (const [at, number] of numbers.entries()) {
    const path = `${directory}/${segmentName(number)}`;
    const before = segments.at(-1);
    if (before !== undefined && number !== before.number + 1) {
      throw corrupt(path, 0, `segment ${before.number + 1} is missing before it`);
    }
    const role = at === numbers.length - 1 ? 'last' : 'sealed';
    const segment = await recoverSegment(progress, { path, number, role, isFirst: at === 0 });
    if (segment !== null) segments.push(segment);
  }
  await dropStraySeals(fileSystem, { directory, names }, numbers);
  const { base, last } = replay;
  const { hardState, truncatedBytes } = progress;
  return {
    segments,
    hardState,
    base,
    last,
    earlier: replay.earlier,
    entries: replay.kept,
    places,
    truncatedBytes,
  };
}

/** A segment goes before its seal. */
async function dropStraySeals(
  fileSystem: FileSystem,
  { directory, names }: { readonly directory: string; readonly names: readonly string[] },
  numbers: readonly number[],
): Promise<void> {
  const known = new Set(numbers.map((number) => sealPath(segmentName(number))));
  for (const name of names) {
    const isStray = name.endsWith(SEAL_SUFFIX) && !known.has(name);
    if (isStray) await fileSystem.unlink(`${directory}/${name}`);
  }
}

interface SegmentPlace {
  readonly path: string;
  readonly number: number;
  readonly role: 'last' | 'sealed';
  readonly isFirst: boolean;
}

/** Null when its creation was cut short: it never held a batch, and is removed. */
async function recoverSegment(progress: Progress, place: SegmentPlace): Promise<LogSegment | null> {
  const { path, role } = place;
  const file = await progress.fileSystem.open(path, 'read');
  try {
    const header = await readHeader(file, place);
    const length = await file.byteLength();
    if (header !== null) {
      const sealed = await sealedSegment(progress, place, { header, length });
      if (sealed !== null) return sealed;
      const segment = newLogSegment(placeOf(place), header, SEGMENT_HEADER_BYTES);
      let batches = 0;
      const onBatch = (batch: BatchBody, { position, durableBefore }: BatchFound): void => {
        if (batches === 0) begin(progress, header, place);
        batches += 1;
        segment.trustedBytes = Math.max(segment.trustedBytes, durableBefore);
        takeBatch(progress, segment, { batch, position });
      };
      const end = await scanSegment(file, { salt: header.salt, role, onBatch });
      if (end.kind === 'damaged') {
        throw corrupt(path, end.position, 'the bytes fail their checksum and are no torn tail');
      }
      segment.bytes = end.position;
      progress.truncatedBytes += length - end.position;
      if (batches > 0) return segment;
      if (role === 'sealed') throw corrupt(path, end.position, 'a segment without content');
    }
  } finally {
    await file.close();
  }
  await progress.fileSystem.unlink(path);
  return null;
}

/** Null when the header never became durable. */
async function readHeader(
  file: {
    read(target: Uint8Array, position: number): Promise<number>;
    byteLength(): Promise<number>;
  },
  { path, number, role }: SegmentPlace,
): Promise<SegmentHeader | null> {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const length = await file.read(bytes, 0);
  const header = parseSegmentHeader(bytes.subarray(0, length));
  if (header !== null && header.number === number) return header;
  // Nothing is added to a segment before its header is durable.
  const wasDurable = role === 'sealed' || (await file.byteLength()) > SEGMENT_HEADER_BYTES;
  if (wasDurable) throw corrupt(path, 0, 'the header fails its checksum');
  return null;
}

function placeOf({ number, path }: SegmentPlace): { number: number; path: string } {
  return { number, path };
}

/** Null when it must be read, because it was never summed up, or is not applied. */
async function sealedSegment(
  progress: Progress,
  place: SegmentPlace,
  file: { readonly header: SegmentHeader; readonly length: number },
): Promise<LogSegment | null> {
  const { header, length } = file;
  if (place.role === 'last') return null;
  const seal = await readSeal(progress.fileSystem, placeOf(place));
  const fits = seal?.salt === header.salt && seal.bytes === length;
  if (seal === null || !fits || seal.lastIndex > progress.keepAfter) return null;
  begin(progress, header, place);
  progress.replay.appendTerms(seal);
  return { ...newLogSegment(placeOf(place), header, length), ...seal, hasSeal: true };
}

/** Places the segment after what was read so far. */
function begin(progress: Progress, header: SegmentHeader, place: SegmentPlace): void {
  const { replay } = progress;
  const { previous, kind, hardState } = header;
  progress.hardState = hardState;
  // A segment that replaces everything since an index that is compacted away restarts the log.
  if (place.isFirst || kind === 'resets' || previous.index < replay.base.index) {
    replay.resetTo(previous);
    return;
  }
  if (replay.termAt(previous.index) !== previous.term) {
    const last = replay.last.index;
    const detail = `it follows entry ${previous.index} of term ${previous.term}, which is not in the log that ends at ${last}`;
    throw corrupt(place.path, 0, detail);
  }
  replay.truncateAfter(previous.index);
}

function takeBatch(
  progress: Progress,
  segment: LogSegment,
  found: { readonly batch: BatchBody; readonly position: number },
): void {
  const { batch, position } = found;
  const { replay } = progress;
  if (batch.hardState !== null) progress.hardState = batch.hardState;
  if (batch.entries.length === 0) return;
  const { index, term } = replay.last;
  if (batch.firstIndex !== index + 1 || (batch.entries[0]?.term ?? 0) < term) {
    throw corrupt(segment.path, position, `entry ${batch.firstIndex} does not follow ${index}`);
  }
  markBatch(segment, batch.firstIndex, position);
  for (const entry of batch.entries) replay.append(entry);
  noteEntries(segment, batch.entries);
  if (segment.lastIndex <= progress.keepAfter) return;
  const start = position + batchEntriesOffset(batch.hardState);
  progress.places.put(segment.number, start, batch.entries);
}

export function corrupt(file: string, position: number, detail: string): RaftError {
  return new RaftError({ code: 'RAFT_LOG_CORRUPT', file, position, detail });
}
