/** The segments of one replica, oldest first, and how their batches come into memory. */
import { fileErrorCode, type OpenFile } from '@robustmq/environment';
import {
  batchLengthAt,
  batchRecordCountAt,
  inspectBatch,
  JournalError,
  type Offset,
  type RecordBatchReader,
  type SegmentIndex,
} from '@robustmq/journal';
import {
  type BatchOf,
  type BatchRange,
  type CachedChunk,
  corruptBatch,
  type ReadableSegments,
} from '@robustmq/journal-segment';
import { RaftError } from '@robustmq/raft-driver';
import type { ReplicaSegment } from './replica-segment.ts';
import type { ReplicaStores } from './replica-stores.ts';
import type { TimedIndex } from './timed-index.ts';

/** One read of the disk fetches wanted batches up to about this many bytes. */
const CHUNK_BYTES = 256 * 1024;

export class ReplicaSegments implements ReadableSegments<ReplicaSegment> {
  /** Ascending; only the last one grows. Empty until there is something in the log. */
  list: ReplicaSegment[] = [];
  /** Bytes of segment files that readers have read. */
  bytesRead = 0;
  readonly #stores: ReplicaStores;
  readonly #oldest: () => number;
  readonly #rebuild: (segment: ReplicaSegment) => Promise<TimedIndex>;
  readonly #onDamage: (segment: ReplicaSegment) => void;

  /** @param parts.oldest  records below are trimmed, even where a segment still holds them */
  constructor(parts: {
    readonly stores: ReplicaStores;
    readonly oldest: () => number;
    readonly rebuild: (segment: ReplicaSegment) => Promise<TimedIndex>;
    readonly onDamage: (segment: ReplicaSegment) => void;
  }) {
    this.#stores = parts.stores;
    this.#oldest = parts.oldest;
    this.#rebuild = parts.rebuild;
    this.#onDamage = parts.onDamage;
  }

  /** The number of the segment with `offset` in the list; -1 when it is trimmed. */
  find(offset: number): number {
    let low = 0;
    let high = this.list.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.list[middle] as ReplicaSegment).baseOffset <= offset) low = middle;
      else high = middle - 1;
    }
    return (this.list[low]?.baseOffset ?? Number.POSITIVE_INFINITY) <= offset ? low : -1;
  }

  at(offset: number): ReplicaSegment {
    const segment = offset < this.#oldest() ? undefined : this.list[this.find(offset)];
    if (segment === undefined) throw this.#trimmed(offset);
    return segment;
  }

  indexInMemory(segment: ReplicaSegment): TimedIndex | undefined {
    return segment.growing ?? this.#stores.indexes.find(segment);
  }

  async loadIndex(segment: ReplicaSegment): Promise<TimedIndex> {
    try {
      return await this.#stores.indexes.load(segment, () => this.#rebuild(segment));
    } catch (error) {
      throw this.#readError(segment, error);
    }
  }

  batchInMemory(segment: ReplicaSegment, position: number): CachedChunk | undefined {
    return this.#stores.batches.find(segment, position);
  }

  async loadBatches(
    segment: ReplicaSegment,
    index: SegmentIndex,
    range: BatchRange,
  ): Promise<CachedChunk> {
    const position = index.batchPosition(range.first);
    let after = position + index.batchLength(range.first);
    let last = range.first;
    while (last < range.last) {
      const end = index.batchPosition(last + 1) + index.batchLength(last + 1);
      if (end - position > CHUNK_BYTES) break;
      last += 1;
      after = end;
    }
    const bytes = await this.#readRange(segment, position, after);
    const positions: number[] = [];
    for (let batch = range.first; batch <= last; batch += 1) {
      const start = index.batchPosition(batch) - position;
      if (isIntact(bytes, start, index, batch)) positions.push(position + start);
      else if (batch === range.first) {
        this.#onDamage(segment);
        throw corruptBatch(segment, index, batch);
      }
    }
    const chunk = { segment, position, bytes, positions };
    this.#stores.batches.add(chunk);
    return chunk;
  }

  openBatch(cursor: RecordBatchReader, chunk: CachedChunk, at: BatchOf<ReplicaSegment>): void {
    const { segment, index, batch } = at;
    cursor.open(chunk.bytes, index.batchPosition(batch) - chunk.position);
    const base = segment.baseOffset + index.batchFirst(batch);
    cursor.placeAt(base, (index as TimedIndex).appendedAtMs(batch));
  }

  /** Forgets the segments before `count`, or all, from memory. @returns them */
  forget(count: number): readonly ReplicaSegment[] {
    const gone = this.list.splice(0, count);
    for (const segment of gone) {
      this.#stores.batches.drop(segment);
      this.#stores.indexes.drop(segment);
    }
    return gone;
  }

  async #readRange(segment: ReplicaSegment, position: number, after: number): Promise<Uint8Array> {
    let file: OpenFile | null = null;
    try {
      file = await this.#stores.fileSystem.open(segment.path, 'read');
      const bytes = new Uint8Array(after - position);
      // Bytes that are missing stay zero and fail the checksum.
      await file.read(bytes, position);
      this.bytesRead += bytes.length;
      return bytes;
    } catch (error) {
      throw this.#readError(segment, error);
    } finally {
      await file?.close();
    }
  }

  #trimmed(offset: number): JournalError {
    const requested = offset as Offset;
    const oldest = this.#oldest() as Offset;
    return new JournalError({ code: 'JOURNAL_OFFSET_TRIMMED', requested, oldest });
  }

  #readError(segment: ReplicaSegment, error: unknown): JournalError {
    if (error instanceof JournalError) return error;
    if (error instanceof RaftError && error.fault.code === 'RAFT_LOG_CORRUPT') {
      this.#onDamage(segment);
      const { file, position } = error.fault;
      const first = segment.baseOffset as Offset;
      const after = segment.after as Offset;
      return new JournalError({ code: 'JOURNAL_RECORD_CORRUPT', file, position, first, after });
    }
    const isGone = fileErrorCode(error) === 'ENOENT' && segment.after <= this.#oldest();
    if (isGone) return this.#trimmed(segment.baseOffset);
    const detail = `${segment.path}: ${error instanceof Error ? error.message : String(error)}`;
    return new JournalError(
      { code: 'JOURNAL_IO_FAILED', operation: 'read', detail },
      { cause: error },
    );
  }
}

function isIntact(bytes: Uint8Array, start: number, index: SegmentIndex, batch: number): boolean {
  if (inspectBatch(bytes, start, bytes.length) !== 'valid') return false;
  if (batchLengthAt(bytes, start) !== index.batchLength(batch)) return false;
  return batchRecordCountAt(bytes, start) === index.batchAfter(batch) - index.batchFirst(batch);
}
