/** The segments of one shard, oldest first, and how their batches are read. */
import { fileErrorCode } from '@robustmq/environment';
import type { FileSystem, OpenFile } from '@robustmq/environment';
import { JournalError, batchRecordCountAt } from '@robustmq/journal';
import type {
  DamagedRange,
  GrowingIndex,
  Offset,
  RecordBatchReader,
  SegmentIndex,
} from '@robustmq/journal';
import type { BatchCache, CachedChunk } from './batch-cache.ts';
import { corruptBatch } from './corrupt-records.ts';
import type { IndexStore } from './index-store.ts';
import { isBatchOf } from './segment-file.ts';
import type { BatchOf, BatchRange, ReadableSegments } from './segment-reader.ts';
import type { Segment } from './segment.ts';

/** One read of the disk fetches wanted batches up to about this many bytes. */
const CHUNK_BYTES = 256 * 1024;

/** What all shards of a journal share. */
export interface SharedStores {
  readonly fileSystem: FileSystem;
  readonly batches: BatchCache;
  readonly indexes: IndexStore;
}

export type ReportDamage = (
  segment: Segment,
  damage: DamagedRange,
  file: Uint8Array,
) => Promise<void>;

export class ShardSegments implements ReadableSegments<Segment> {
  /** Invariant: ascending, never empty; only the last one grows. */
  readonly list: Segment[];
  readonly #stores: SharedStores;
  readonly #report: ReportDamage;

  constructor(list: Segment[], stores: SharedStores, report: ReportDamage) {
    this.list = list;
    this.#stores = stores;
    this.#report = report;
  }

  get oldest(): Offset {
    return (this.list[0] as Segment).baseOffset as Offset;
  }

  get active(): Segment {
    return this.list.at(-1) as Segment;
  }

  /** The segment with `offset`; throws JOURNAL_OFFSET_TRIMMED below the oldest. */
  at(offset: number): Segment {
    if (offset < this.oldest) {
      const requested = offset as Offset;
      throw new JournalError({ code: 'JOURNAL_OFFSET_TRIMMED', requested, oldest: this.oldest });
    }
    let low = 0;
    let high = this.list.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.list[middle] as Segment).baseOffset <= offset) low = middle;
      else high = middle - 1;
    }
    return this.list[low] as Segment;
  }

  /** The index if it needs no reading. */
  indexInMemory(segment: Segment): SegmentIndex | undefined {
    return segment.growing ?? this.#stores.indexes.find(segment);
  }

  async loadIndex(segment: Segment): Promise<SegmentIndex> {
    try {
      return await this.#stores.indexes.load(segment, (damaged, index, file) =>
        this.#reportAll(damaged, index, file),
      );
    } catch (error) {
      throw this.#readError(segment, error);
    }
  }

  /** The batch's bytes if they are in memory. */
  batchInMemory(segment: Segment, position: number): CachedChunk | undefined {
    return this.#stores.batches.find(segment, position);
  }

  /**
   * Reads the batches from `first` up to `last`, as many as one chunk holds, and at least the first.
   * Throws JOURNAL_RECORD_CORRUPT when the first one fails its checksum; others that fail are left out.
   */
  async loadBatches(
    segment: Segment,
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
      if (this.#isIntact(segment, index, batch, bytes, position)) {
        positions.push(index.batchPosition(batch));
      } else if (batch === range.first) throw corruptBatch(segment, index, batch);
    }
    const chunk = { segment, position, bytes, positions };
    this.#stores.batches.add(chunk);
    return chunk;
  }

  openBatch(cursor: RecordBatchReader, chunk: CachedChunk, at: BatchOf<Segment>): void {
    cursor.open(chunk.bytes, at.index.batchPosition(at.batch) - chunk.position);
  }

  #isIntact(
    segment: Segment,
    index: SegmentIndex,
    batch: number,
    bytes: Uint8Array,
    chunkPosition: number,
  ): boolean {
    const position = index.batchPosition(batch);
    const first = segment.baseOffset + index.batchFirst(batch);
    const start = position - chunkPosition;
    if (!isBatchOf(bytes, start, { salt: segment.salt, position, first })) return false;
    return batchRecordCountAt(bytes, start) === index.batchAfter(batch) - index.batchFirst(batch);
  }

  async #readRange(segment: Segment, position: number, after: number): Promise<Uint8Array> {
    let file: OpenFile | null = null;
    try {
      file = await this.#stores.fileSystem.open(segment.path, 'read');
      const bytes = new Uint8Array(after - position);
      // Bytes that are missing stay zero and fail the checksum.
      await file.read(bytes, position);
      return bytes;
    } catch (error) {
      throw this.#readError(segment, error);
    } finally {
      await file?.close();
    }
  }

  async #reportAll(segment: Segment, index: GrowingIndex, file: Uint8Array): Promise<void> {
    for (const damage of index.damage) await this.#report(segment, damage, file);
  }

  #readError(segment: Segment, error: unknown): JournalError {
    if (error instanceof JournalError) return error;
    if (fileErrorCode(error) === 'ENOENT' && segment.baseOffset < this.oldest) {
      const requested = segment.baseOffset as Offset;
      return new JournalError({ code: 'JOURNAL_OFFSET_TRIMMED', requested, oldest: this.oldest });
    }
    const detail = `${segment.path}: ${error instanceof Error ? error.message : String(error)}`;
    return new JournalError(
      { code: 'JOURNAL_IO_FAILED', operation: 'read', detail },
      { cause: error },
    );
  }
}
