/**
 * The log of one group on disk: segment files that are only appended to (log-format.ts).
 *
 *      enqueue ─▶ waiting ─▶ flush: one buffer, one durable write for everything waiting
 *
 * What replaces a suffix of the log, or the whole of it, begins a new segment, so that within one
 * file indexes only rise. Old segments are deleted whole, oldest first.
 *
 * Cost: one copy of each entry into the write buffer and one checksum over it; no promise and no
 * buffer per entry.
 */
import { fileErrorCode } from '@robustmq/environment';
import type { FileSystem, OpenFile, RandomSource } from '@robustmq/environment';
import type {
  Entry,
  EntryId,
  HardState,
  LogIndex,
  Persist,
  PersistNumber,
  Term,
} from '@robustmq/raft';
import { entryBytes } from '@robustmq/raft';
import { AppendError, AppendFile } from '@robustmq/record-log';
import { FileWindow } from './file-window.ts';
import type { EntryPlace, EntryPlaces } from './entry-places.ts';
import type { LogSegmentView } from './group-log.ts';
import {
  batchEntriesOffset,
  encodedBatchBytes,
  encodeSegmentHeader,
  BATCH_HEADER_BYTES,
  segmentName,
  writeBatch,
} from './log-format.ts';
import { corrupt, type RecoveredLog } from './log-recovery.ts';
import { sealAll, sealPath } from './log-seal.ts';
import {
  type LogSegment,
  markBatch,
  newLogSegment,
  noteEntries,
  positionBefore,
} from './log-segment.ts';
import { RaftError } from './raft-error.ts';
import { readBatch } from './segment-scan.ts';

export interface LogPlace {
  readonly fileSystem: FileSystem;
  readonly random: RandomSource;
  readonly directory: string;
  readonly segmentBytesMax: number;
}

interface WaitingPersist {
  readonly persist: Persist;
  /** Set when it begins a new segment. */
  readonly restart: { readonly kind: 'follows' | 'resets'; readonly previous: EntryId } | null;
}

/** Write buffers up to this size are kept for the next flush. */
const SCRATCH_BYTES_MAX = 4 * 1024 * 1024;

const READ_PAGE_BYTES = 1024 * 1024;
/** LIMIT: what one call of `readAll` gives, but for the last page. */
const READ_ALL_BYTES_MAX = 64 * 1024 * 1024;
/**
 * One flush writes about so much; the rest goes with the next one. While the disk is busy with
 * that, what the first one made durable is applied, and its callers bring more.
 */
const FLUSH_BYTES_MAX = 2 * 1024 * 1024;

export class RaftLogStore {
  readonly #place: LogPlace;
  /** Oldest first; the last one is being written. Each holds a batch at least. */
  #segments: LogSegment[];
  #active: AppendFile | null;
  /** Created, and not in `#segments` until its first batch is durable. */
  #fresh: LogSegment | null = null;
  /** The fresh segment drops those before it. */
  #resets = false;
  #nextNumber: number;
  #waiting: WaitingPersist[] = [];
  /** As it will be when everything waiting is written. */
  #enqueuedLast: EntryId;
  #writtenLast: EntryId;
  #hardState: HardState;
  /** Null unless somebody reads the log's files. */
  #places: EntryPlaces | null = null;
  readonly #recoveredPlaces: EntryPlaces;
  #scratch = new Uint8Array(64 * 1024);
  #reader: { readonly number: number; readonly file: OpenFile } | null = null;
  #reads: Promise<void> = Promise.resolve();
  bytesWritten = 0;

  private constructor(place: LogPlace, recovered: RecoveredLog, active: AppendFile | null) {
    this.#place = place;
    this.#segments = recovered.segments;
    this.#active = active;
    this.#nextNumber = (recovered.segments.at(-1)?.number ?? 0) + 1;
    this.#enqueuedLast = recovered.last;
    this.#writtenLast = recovered.last;
    this.#hardState = recovered.hardState;
    this.#recoveredPlaces = recovered.places;
  }

  /** Cuts off a torn tail; the rest is durable on return. @throws RaftError RAFT_IO_FAILED, RAFT_FULL */
  static async open(place: LogPlace, recovered: RecoveredLog): Promise<RaftLogStore> {
    const last = recovered.segments.at(-1);
    try {
      if (last === undefined) return new RaftLogStore(place, recovered, null);
      await sealAll(place.fileSystem, recovered.segments.slice(0, -1));
      await rewriteDoubtful(place.fileSystem, last);
      const active = await AppendFile.open(place.fileSystem, last.path, last.bytes);
      return new RaftLogStore(place, recovered, active);
    } catch (error) {
      throw ioFault(error);
    }
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Of the segments with entries after `index` alone. */
  bytesAfter(index: number): number {
    let bytes = 0;
    for (const segment of this.#segments)
      if (segment.previous.index >= index) bytes += segment.bytes;
    return bytes;
  }

  /** From now on `placeOf` knows what is written, until `forgetPlaces`. Called before any write. */
  trackPlaces(): void {
    this.#places = this.#recoveredPlaces;
  }

  placeOf(index: number): EntryPlace | null {
    return this.#places?.find(index) ?? null;
  }

  forgetPlaces(through: number): void {
    this.#places?.forgetThrough(through);
  }

  segmentViews(): readonly LogSegmentView[] {
    let through: number = Number.POSITIVE_INFINITY;
    const views: LogSegmentView[] = [];
    for (const { number, path, previous, lastIndex, bytes } of this.#segments.toReversed()) {
      const last = Math.max(previous.index, Math.min(lastIndex, through)) as LogIndex;
      views.push({ number, path, previousIndex: previous.index, lastIndex: last, bytes });
      through = Math.min(through, previous.index);
    }
    return views.reverse();
  }

  /** Null when there is no such segment. */
  saltOf(number: number): number | null {
    return this.#segments.find((each) => each.number === number)?.salt ?? null;
  }

  /** Null for the one that is written, and for one that is gone. */
  completeSegment(number: number): LogSegment | null {
    return this.#segments.slice(0, -1).find((each) => each.number === number) ?? null;
  }

  get segmentCount(): number {
    return this.#segments.length;
  }

  /** @param termAt  of the log as it is after the step that asks for this persist */
  enqueue(persist: Persist, termAt: (index: number) => Term | null): void {
    const { resetTo, entries } = persist;
    const first = entries[0];
    let restart: WaitingPersist['restart'] = null;
    if (resetTo !== null) restart = { kind: 'resets', previous: resetTo };
    else if (first !== undefined && first.index !== this.#enqueuedLast.index + 1) {
      const index = (first.index - 1) as EntryId['index'];
      const term = termAt(index) ?? (0 as Term);
      restart = { kind: 'follows', previous: { term, index } };
    }
    const last = entries.at(-1) ?? resetTo;
    if (last !== null) this.#enqueuedLast = { term: last.term, index: last.index };
    this.#waiting.push({ persist, restart });
  }

  /**
   * Writes and flushes what waits, the oldest first and not much more than `FLUSH_BYTES_MAX`. One
   * call at a time.
   *
   * @returns the last persist that is durable now
   * @throws RaftError RAFT_FULL, RAFT_IO_FAILED: what was waiting is lost to this run, and the
   *   group can't go on
   */
  async flush(): Promise<PersistNumber> {
    const taken = this.#takeWaiting();
    let run: Persist[] = [];
    let runBytes = 0;
    try {
      for (const { persist, restart } of taken) {
        const bytes = encodedBatchBytes(persist.hardState, persist.entries);
        const needsRoom =
          this.#active !== null &&
          this.#active.length + runBytes + bytes > this.#place.segmentBytesMax;
        if (restart !== null || needsRoom || this.#active === null) {
          await this.#write(run, runBytes);
          run = [];
          runBytes = 0;
          await this.#roll(restart ?? { kind: 'follows', previous: this.#writtenLast });
        }
        run.push(persist);
        runBytes += bytes;
      }
      await this.#write(run, runBytes);
    } catch (error) {
      throw ioFault(error);
    }
    return taken.at(-1)?.persist.number ?? (0 as PersistNumber);
  }

  /**
   * Durable entries from `from` to `through`, at most `bytesMax` yet at least one; empty when it is
   * gone.
   *
   * @throws RaftError RAFT_LOG_CORRUPT, RAFT_IO_FAILED
   */
  read(
    from: number,
    bytesMax: number,
    through: number = Number.POSITIVE_INFINITY,
  ): Promise<readonly Entry[]> {
    return this.#inTurn(() => this.#read(from, bytesMax, through));
  }

  async #read(from: number, bytesMax: number, last: number): Promise<readonly Entry[]> {
    const at = this.#segments.findLastIndex((each) => each.previous.index < from);
    const segment = this.#segments[at];
    if (segment === undefined) return [];
    // Later segments may replace the end of this one.
    let through: number = Math.min(segment.lastIndex, last);
    for (const later of this.#segments.slice(at + 1)) {
      through = Math.min(through, later.previous.index);
    }
    const found: Entry[] = [];
    let bytes = 0;
    try {
      const window = new FileWindow(await this.#readerOf(segment), segment.bytes);
      let position = positionBefore(segment, from);
      while (position < segment.bytes && bytes < bytesMax) {
        const batch = await readBatch(window, position, segment.salt);
        if (batch === null) throw corrupt(segment.path, position, 'a batch fails its checksum');
        for (const entry of batch.body.entries) {
          if (entry.index < from) continue;
          bytes += entryBytes(entry);
          const isEnough = found.length > 0 && bytes > bytesMax;
          if (isEnough || entry.index > through) return found;
          found.push(entry);
        }
        if (found.at(-1)?.index === through) return found;
        position += BATCH_HEADER_BYTES + batch.header.bodyBytes;
      }
    } catch (error) {
      throw error instanceof RaftError ? error : ioFault(error);
    }
    return found;
  }

  /** Entries from `from` to `through`; fewer when the rest is gone, or too long. @throws as `read` */
  async readAll(from: number, through: number): Promise<readonly Entry[]> {
    const found: Entry[] = [];
    let bytes = 0;
    for (let next = from; next <= through && bytes < READ_ALL_BYTES_MAX; ) {
      const page = await this.read(next, READ_PAGE_BYTES, through);
      if (page.length === 0) break;
      found.push(...page);
      bytes += page.reduce((sum, entry) => sum + entryBytes(entry), 0);
      next = (page.at(-1)?.index ?? through) + 1;
    }
    return found;
  }

  /** The file of a segment was replaced. */
  forgetReader(number: number): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#reader?.number !== number) return;
      await this.#reader.file.close();
      this.#reader = null;
    });
  }

  /** Deletes the segments of which nothing after `index` is needed. */
  async dropThrough(index: number): Promise<void> {
    let lowest = Number.POSITIVE_INFINITY;
    let keepFrom = this.#segments.length - 1;
    for (let at = this.#segments.length - 1; at > 0; at -= 1) {
      // Entries before this segment count up to the lowest index that it or a later one replaces.
      lowest = Math.min(lowest, this.#segments[at]?.previous.index ?? lowest);
      keepFrom = at;
      if (lowest <= index) break;
    }
    if (lowest > index || keepFrom < 1) return;
    await this.#delete(this.#segments.splice(0, keepFrom));
  }

  /** Flushes nothing. */
  async close(): Promise<void> {
    await this.#reads;
    await this.#reader?.file.close();
    await this.#active?.close();
    this.#reader = null;
    this.#active = null;
  }

  #takeWaiting(): readonly WaitingPersist[] {
    let bytes = 0;
    let count = 0;
    for (const { persist } of this.#waiting) {
      if (bytes >= FLUSH_BYTES_MAX) break;
      bytes += encodedBatchBytes(persist.hardState, persist.entries);
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #write(persists: readonly Persist[], byteCount: number): Promise<void> {
    if (persists.length === 0 || this.#active === null) return;
    const segment = this.#fresh ?? (this.#segments.at(-1) as LogSegment);
    const start = this.#active.length;
    const { salt } = segment;
    const durableBefore = this.#active.durableLength;
    const target = this.#buffer(byteCount);
    let at = 0;
    for (const { hardState, entries } of persists) {
      const position = start + at;
      const firstIndex = entries[0]?.index ?? 0;
      if (firstIndex > 0) markBatch(segment, firstIndex, position);
      this.#places?.put(segment.number, position + batchEntriesOffset(hardState), entries);
      at = writeBatch(
        target,
        at,
        { hardState, firstIndex, entries },
        { salt, position, durableBefore },
      );
      if (hardState !== null) this.#hardState = hardState;
    }
    await this.#active.append(target.subarray(0, at), 'sync');
    this.bytesWritten += at;
    segment.bytes = this.#active.length;
    const last = persists.findLast(({ entries }) => entries.length > 0)?.entries.at(-1);
    if (last !== undefined) this.#writtenLast = { term: last.term, index: last.index };
    for (const { entries } of persists) noteEntries(segment, entries);
    await this.#settleFresh();
  }

  /** The new segment holds its first batch: it counts from now on. */
  async #settleFresh(): Promise<void> {
    if (this.#fresh === null) return;
    const resets = this.#resets;
    const old = this.#segments;
    if (resets) this.#segments = [];
    this.#segments.push(this.#fresh);
    this.#fresh = null;
    if (resets) await this.#delete(old);
  }

  async #roll(restart: NonNullable<WaitingPersist['restart']>): Promise<void> {
    const { fileSystem, directory, random } = this.#place;
    await this.#active?.close();
    this.#active = null;
    await sealAll(fileSystem, this.#segments);
    const number = this.#nextNumber;
    const salt = random.uint32();
    const { kind, previous } = restart;
    const path = `${directory}/${segmentName(number)}`;
    const header = encodeSegmentHeader({
      salt,
      number,
      kind,
      previous,
      hardState: this.#hardState,
    });
    this.#active = await AppendFile.create(fileSystem, path, header);
    this.#nextNumber += 1;
    this.#writtenLast = previous;
    this.#resets = kind === 'resets';
    this.#fresh = newLogSegment({ number, path }, { salt, previous }, this.#active.length);
  }

  /** There is one reader of files: reads follow each other. */
  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const result = this.#reads.then(work);
    this.#reads = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  #buffer(byteCount: number): Uint8Array {
    if (byteCount <= this.#scratch.length) return this.#scratch;
    const bytes = new Uint8Array(Math.max(byteCount, this.#scratch.length * 2));
    if (bytes.length <= SCRATCH_BYTES_MAX) this.#scratch = bytes;
    return bytes;
  }

  async #readerOf(segment: LogSegment): Promise<OpenFile> {
    if (this.#reader?.number === segment.number) return this.#reader.file;
    await this.#reader?.file.close();
    this.#reader = null;
    const file = await this.#place.fileSystem.open(segment.path, 'read');
    this.#reader = { number: segment.number, file };
    return file;
  }

  async #delete(segments: readonly LogSegment[]): Promise<void> {
    const { fileSystem, directory } = this.#place;
    for (const { path, hasSeal } of segments) {
      await fileSystem.unlink(path);
      if (hasSeal) await fileSystem.unlink(sealPath(path));
    }
    if (segments.length > 0) await fileSystem.syncDirectory(directory);
  }
}

/**
 * After a failed flush the system may hold pages that it takes for written and that the disk never
 * got. Writing them once more makes it try again, and this time the flush is believed.
 */
async function rewriteDoubtful(fileSystem: FileSystem, segment: LogSegment): Promise<void> {
  const doubtful = new Uint8Array(segment.bytes - segment.trustedBytes);
  const file = await fileSystem.open(segment.path, 'write');
  try {
    await file.read(doubtful, segment.trustedBytes);
    await file.write(doubtful, segment.trustedBytes);
  } finally {
    await file.close();
  }
}

/** The group can't write any more, and says why. */
export function ioFault(error: unknown): RaftError {
  if (error instanceof RaftError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  const isFull =
    (error instanceof AppendError && error.fault.kind === 'full') ||
    fileErrorCode(error) === 'ENOSPC';
  return new RaftError({ code: isFull ? 'RAFT_FULL' : 'RAFT_IO_FAILED', detail }, { cause: error });
}
