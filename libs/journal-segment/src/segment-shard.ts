/**
 * One shard in segment files: appends wait in a queue, one flush at a time serves all that wait.
 *
 * ```text
 * append ─► queue ─► gather ─► one durable write ─► index, cache, committed, promises
 *             ▲                          │
 *             └── appends gather here ◄──┘
 * ```
 *
 * Costs per append: one promise and one copy of the batch, into the buffer that is written and then
 * serves readers near the tail.
 */
import { CommitQueue, type QueuedAppend } from '@robustmq/batch-shard';
import { JournalError, RecordBatchReader } from '@robustmq/journal';
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
import { AppendError } from '@robustmq/record-log';
import type { AppendFile } from '@robustmq/record-log';
import type { ClosedMark } from './closed-mark.ts';
import { corruptBatch, corruptRange } from './corrupt-records.ts';
import { placeBatch } from './segment-file.ts';
import { SegmentReader } from './segment-reader.ts';
import type { Segment } from './segment.ts';
import type { ShardSegments, SharedStores } from './shard-segments.ts';
import type { SpaceGuard } from './space-guard.ts';

/** Trimming everything seals the active segment if that frees at least this much. */
const SEAL_BYTES_MIN = 1024 * 1024;

/** What recovery found, and how to make the next segment. */
export interface ShardParts {
  readonly name: string;
  readonly recovery: RecoveryReport;
  readonly segments: ShardSegments;
  readonly file: AppendFile;
  readonly stores: SharedStores;
  readonly space: SpaceGuard;
  readonly segmentBytesMax: number;
  createSegment(baseOffset: number): Promise<{ segment: Segment; file: AppendFile }>;
  markClosed(mark: ClosedMark): Promise<void>;
}

export class SegmentShard implements JournalShard {
  readonly name: string;
  readonly recovery: RecoveryReport;
  readonly segments: ShardSegments;
  readonly #parts: ShardParts;
  readonly #counters = { appendedBatches: 0, appendedRecords: 0, flushes: 0 };
  readonly #queue: CommitQueue;
  #file: AppendFile;
  #bytes: number;

  constructor(parts: ShardParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.recovery = parts.recovery;
    this.segments = parts.segments;
    this.#file = parts.file;
    this.#queue = new CommitQueue(parts.segments.active.after, {
      roll: (isSealWanted) => this.#rollIfNeeded(isSealWanted),
      write: (group) => this.#flush(group),
      faultOf: (error) => journalErrorOf(error, 'append'),
    });
    this.#bytes = parts.segments.list.reduce((sum, segment) => sum + segment.bytes, 0);
    parts.space.journalBytes += this.#bytes;
  }

  get oldest(): Offset {
    return this.segments.oldest;
  }

  get next(): Offset {
    return this.#queue.next as Offset;
  }

  get committed(): Offset {
    return this.#queue.committed as Offset;
  }

  get stats(): ShardStats {
    return { bytes: this.#bytes, segments: this.segments.list.length, ...this.#counters };
  }

  /** Why appends are refused until the shard is opened again; null while all is well. */
  get failure(): JournalError | null {
    return this.#queue.failure;
  }

  /** Where a failed flush leaves the active file in doubt, in bytes. */
  get trustedBytes(): number {
    return this.#file.durableLength;
  }

  append(batch: RecordBatch, ack: 'sync' | 'async'): Promise<Offset> {
    return this.#queue.append(batch, ack);
  }

  openReader(from: Offset, selector: RecordSelector): JournalReader {
    return new SegmentReader(this, from, selector);
  }

  async readAt(offset: Offset): Promise<JournalRecord | null> {
    this.assertOpen();
    if (offset < this.oldest || offset >= this.committed) return null;
    const segment = this.segments.at(offset);
    const index = this.segments.indexInMemory(segment) ?? (await this.segments.loadIndex(segment));
    const ordinal = offset - segment.baseOffset;
    for (const damage of index.damage) {
      if (damage.first <= ordinal && ordinal < damage.after) throw corruptRange(segment, damage);
    }
    const batch = index.findBatch(ordinal);
    if (batch < 0) return null;
    const position = index.batchPosition(batch);
    const chunk =
      this.segments.batchInMemory(segment, position) ??
      (await this.segments.loadBatches(segment, index, { first: batch, last: batch }));
    const reader = new RecordBatchReader();
    reader.open(chunk.bytes, position - chunk.position);
    while (reader.next()) if (reader.offset === offset) return reader.record();
    throw corruptBatch(segment, index, batch);
  }

  async oldestSegment(): Promise<SegmentSummary | null> {
    this.assertOpen();
    const segment = this.segments.list[0] as Segment;
    if (segment === this.segments.active) return null;
    const index = this.segments.indexInMemory(segment) ?? (await this.segments.loadIndex(segment));
    const topics = Array.from({ length: index.topicCount }, (_, id) => index.topicText(id));
    const { baseOffset, after, bytes } = segment;
    return { first: baseOffset as Offset, after: after as Offset, bytes, topics };
  }

  async trimBefore(offset: Offset): Promise<void> {
    this.assertOpen();
    const sealBytesMin = Math.min(SEAL_BYTES_MIN, this.#parts.segmentBytesMax / 4);
    if (offset >= this.next && this.#file.length >= sealBytesMin && this.failure === null) {
      await this.seal();
    }
    const { list } = this.segments;
    const gone: Segment[] = [];
    while (list.length > 1 && (list[1] as Segment).baseOffset <= offset) {
      gone.push(list.shift() as Segment);
    }
    for (const segment of gone) await this.#remove(segment);
  }

  /** Starts a new segment, so that the present one never changes again. */
  async seal(): Promise<void> {
    await this.#queue.seal();
  }

  assertOpen(): void {
    if (this.#queue.isClosed) throw new JournalError({ code: 'JOURNAL_CLOSED' });
  }

  /** Waits for appends in flight, makes all of them durable and frees everything. */
  async close(): Promise<void> {
    const before = await this.#queue.close();
    if (before === 'closed') return;
    if (before === 'open') await this.#finish().catch(() => undefined);
    await this.#file.close().catch(() => undefined);
    this.#parts.space.journalBytes -= this.#bytes;
    for (const segment of this.segments.list) this.#forget(segment);
  }

  /** Failing is no news for the caller: what was acknowledged is durable already. */
  async #finish(): Promise<void> {
    await this.#file.sync();
    const { baseOffset } = this.segments.active;
    await this.#parts.markClosed({ baseOffset, next: this.committed });
  }

  async #flush(group: readonly QueuedAppend[]): Promise<() => void> {
    const { active } = this.segments;
    const position = this.#file.length;
    const byteCount = group.reduce((sum, append) => sum + append.batch.bytes.length, 0);
    const refusal = await this.#parts.space.refusal(byteCount);
    if (refusal !== null) {
      throw new JournalError({ code: 'JOURNAL_FULL', limit: 'configured', detail: refusal });
    }
    const bytes = new Uint8Array(byteCount);
    const positions: number[] = [];
    const durableBefore = this.#file.durableLength;
    let start = 0;
    for (const { batch } of group) {
      bytes.set(batch.bytes, start);
      placeBatch(bytes, start, {
        salt: active.salt ?? 0,
        position: position + start,
        durableBefore,
      });
      positions.push(position + start);
      start += batch.bytes.length;
    }
    await this.#file.append(bytes, group.some(({ ack }) => ack === 'sync') ? 'sync' : 'async');
    this.#counters.flushes += 1;
    return () => this.#show(group, { segment: active, position, bytes, positions });
  }

  #show(
    group: readonly QueuedAppend[],
    chunk: { segment: Segment; position: number; bytes: Uint8Array; positions: number[] },
  ): void {
    const { segment, position, bytes, positions } = chunk;
    for (const at of positions) segment.growing?.addBatch(bytes, at - position, at);
    this.#parts.stores.batches.add(chunk);
    segment.bytes += bytes.length;
    this.#bytes += bytes.length;
    this.#parts.space.journalBytes += bytes.length;
    for (const { batch, first } of group) {
      this.#counters.appendedBatches += 1;
      this.#counters.appendedRecords += batch.recordCount;
      segment.after = first + batch.recordCount;
    }
  }

  async #rollIfNeeded(isSealWanted: boolean): Promise<void> {
    const isLarge = this.#file.length >= this.#parts.segmentBytesMax;
    if (!isLarge && !isSealWanted) return;
    const sealed = this.segments.active;
    if (sealed.after === sealed.baseOffset) return;
    await this.#file.sync();
    const { segment, file } = await this.#parts.createSegment(sealed.after);
    const full = this.#file;
    this.#file = file;
    this.segments.list.push(segment);
    this.#bytes += segment.bytes;
    this.#parts.space.journalBytes += segment.bytes;
    const { growing } = sealed;
    if (growing !== null) await this.#parts.stores.indexes.seal(sealed, growing);
    sealed.growing = null;
    await full.close();
  }

  async #remove(segment: Segment): Promise<void> {
    const { fileSystem } = this.#parts.stores;
    this.#bytes -= segment.bytes;
    this.#parts.space.journalBytes -= segment.bytes;
    this.#forget(segment);
    try {
      if ((await fileSystem.status(segment.indexPath)) !== null) {
        await fileSystem.unlink(segment.indexPath);
      }
      await fileSystem.unlink(segment.path);
    } catch (error) {
      throw journalErrorOf(error, 'trim');
    }
  }

  #forget(segment: Segment): void {
    this.#parts.stores.batches.drop(segment);
    this.#parts.stores.indexes.drop(segment);
  }
}

/** What a failure below means to a caller of the journal. */
export function journalErrorOf(
  error: unknown,
  operation: 'append' | 'read' | 'trim' | 'open',
): JournalError {
  if (error instanceof JournalError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  if (error instanceof AppendError && error.fault.kind === 'full') {
    return new JournalError({ code: 'JOURNAL_FULL', limit: 'disk', detail }, { cause: error });
  }
  return new JournalError({ code: 'JOURNAL_IO_FAILED', operation, detail }, { cause: error });
}
