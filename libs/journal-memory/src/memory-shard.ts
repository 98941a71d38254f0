/** One shard in memory: segments of copied batches, each with the index that files would have. */
import { GrowingIndex, JournalError, RecordBatchReader } from '@robustmq/journal';
import type {
  JournalReader,
  JournalRecord,
  JournalShard,
  Offset,
  RecordBatch,
  RecordSelector,
  RecoveryReport,
  SegmentSummary,
  ShardStats,
} from '@robustmq/journal';
import type { MemoryBudget } from './memory-journal.ts';
import { MemoryReader } from './memory-reader.ts';

export interface MemorySegment {
  readonly first: number;
  readonly index: GrowingIndex;
  readonly batches: Uint8Array[];
  bytes: number;
}

const NOTHING_RECOVERED: RecoveryReport = { recordsScanned: 0, truncatedBytes: 0, quarantined: [] };

export class MemoryShard implements JournalShard {
  readonly name: string;
  readonly recovery: RecoveryReport = NOTHING_RECOVERED;
  /** Ascending; the last one is active. Invariant: never empty. */
  readonly segments: MemorySegment[] = [emptySegment(0)];
  readonly #budget: MemoryBudget;
  readonly #counters = { appendedBatches: 0, appendedRecords: 0 };
  #next = 0;
  #bytes = 0;
  #closed = false;

  constructor(name: string, budget: MemoryBudget) {
    this.name = name;
    this.#budget = budget;
  }

  get oldest(): Offset {
    return (this.segments[0] as MemorySegment).first as Offset;
  }

  get next(): Offset {
    return this.#next as Offset;
  }

  get committed(): Offset {
    return this.#next as Offset;
  }

  get stats(): ShardStats {
    const { appendedBatches, appendedRecords } = this.#counters;
    const segments = this.segments.length;
    return { bytes: this.#bytes, segments, appendedBatches, appendedRecords, flushes: 0 };
  }

  async append(batch: RecordBatch, _ack: 'sync' | 'async'): Promise<Offset> {
    this.assertOpen();
    return this.add({ bytes: new Uint8Array(batch.bytes), recordCount: batch.recordCount });
  }

  /** As `append`, in one step, and the bytes of `batch` are the shard's from now on. */
  add(batch: RecordBatch): Offset {
    const length = batch.bytes.length;
    if (this.#budget.bytes + length > this.#budget.bytesMax) {
      const detail = `${length} more bytes exceed the ${this.#budget.bytesMax} allowed in memory`;
      throw new JournalError({ code: 'JOURNAL_FULL', limit: 'configured', detail });
    }
    const first = this.#next;
    const segment = this.#activeSegment();
    segment.index.addBatch(batch.bytes, 0, segment.bytes);
    segment.batches.push(batch.bytes);
    segment.bytes += length;
    this.#bytes += length;
    this.#budget.bytes += length;
    this.#next += batch.recordCount;
    this.#counters.appendedBatches += 1;
    this.#counters.appendedRecords += batch.recordCount;
    return first as Offset;
  }

  openReader(from: Offset, selector: RecordSelector): JournalReader {
    return new MemoryReader(this, from, selector);
  }

  async readAt(offset: Offset): Promise<JournalRecord | null> {
    this.assertOpen();
    if (offset < this.oldest || offset >= this.#next) return null;
    const segment = this.segmentOf(offset);
    const batch = segment.index.findBatch(offset - segment.first);
    const reader = new RecordBatchReader();
    reader.open(segment.batches[batch] as Uint8Array, 0);
    while (reader.next()) if (reader.offset === offset) return reader.record();
    return null;
  }

  async oldestSegment(): Promise<SegmentSummary | null> {
    const [segment, following] = this.segments;
    if (segment === undefined || following === undefined) return null;
    const { index, bytes } = segment;
    const topics = Array.from({ length: index.topicCount }, (_, id) => index.topicText(id));
    return { first: segment.first as Offset, after: following.first as Offset, bytes, topics };
  }

  async trimBefore(offset: Offset): Promise<void> {
    while (this.segments.length > 1 && (this.segments[1] as MemorySegment).first <= offset) {
      this.#forget(this.segments.shift() as MemorySegment);
    }
    const active = this.segments[0] as MemorySegment;
    if (this.segments.length === 1 && offset >= this.#next && active.first < this.#next) {
      this.#forget(active);
      this.segments[0] = emptySegment(this.#next);
    }
  }

  /** The segment that holds `offset`, which is neither trimmed nor past the end. */
  segmentOf(offset: number): MemorySegment {
    let at = this.segments.length - 1;
    while (at > 0 && (this.segments[at] as MemorySegment).first > offset) at -= 1;
    return this.segments[at] as MemorySegment;
  }

  assertOpen(): void {
    if (this.#closed) throw new JournalError({ code: 'JOURNAL_CLOSED' });
  }

  free(): void {
    this.#closed = true;
    this.#budget.bytes -= this.#bytes;
    this.#bytes = 0;
  }

  #activeSegment(): MemorySegment {
    const active = this.segments.at(-1) as MemorySegment;
    if (active.bytes < this.#budget.segmentBytesMax) return active;
    const created = emptySegment(this.#next);
    this.segments.push(created);
    return created;
  }

  #forget(segment: MemorySegment): void {
    this.#bytes -= segment.bytes;
    this.#budget.bytes -= segment.bytes;
  }
}

function emptySegment(first: number): MemorySegment {
  return { first, index: new GrowingIndex(first), batches: [], bytes: 0 };
}
