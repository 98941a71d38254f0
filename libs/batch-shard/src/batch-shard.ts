/**
 * One shard in a store of batches: appends wait in a queue, one write at a time serves all that wait.
 *
 * ```text
 * append ─► queue ─► gather ─► one write of the medium ─► index, cache, committed, promises
 *             ▲                          │
 *             └── further appends gather here
 * ```
 *
 * Costs per append: one promise and one copy of the batch, which then serves readers near the tail.
 */
import { JournalError, PackedIndex, RecordBatchReader } from '@robustmq/journal';
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
import { BatchReader } from './batch-reader.ts';
import type { StoredBatch } from './batch-medium.ts';
import { CommitQueue, type QueuedAppend } from './commit-queue.ts';
import { mediumFault } from './medium-fault.ts';
import { emptySegment } from './shard-segment.ts';
import type { ShardSegment } from './shard-segment.ts';
import type { ShardStore } from './shard-store.ts';

/** Trimming everything seals the active segment if that frees at least this much. */
const SEAL_BYTES_MIN = 1024 * 1024;

/** The size of all shards of a journal, and its limit. */
export interface SpaceBudget {
  journalBytes: number;
  /** Why so many more bytes are refused, or null when they are welcome. */
  refusal(byteCount: number): Promise<string | null>;
}

export interface ShardParts {
  readonly name: string;
  readonly recovery: RecoveryReport;
  readonly store: ShardStore;
  readonly space: SpaceBudget;
  readonly segmentBytesMax: number;
}

export class BatchShard implements JournalShard {
  readonly name: string;
  readonly recovery: RecoveryReport;
  readonly store: ShardStore;
  readonly #parts: ShardParts;
  readonly #counters = { appendedBatches: 0, appendedRecords: 0, flushes: 0 };
  readonly #queue: CommitQueue;
  #bytes: number;

  constructor(parts: ShardParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.recovery = parts.recovery;
    this.store = parts.store;
    this.#queue = new CommitQueue(parts.store.active.after, {
      roll: (isSealWanted) => this.#rollIfNeeded(isSealWanted),
      write: (group) => this.#write(group),
      faultOf: (error) => mediumFault(error, 'append'),
    });
    this.#bytes = parts.store.list.reduce((sum, segment) => sum + segment.bytes, 0);
    parts.space.journalBytes += this.#bytes;
  }

  get oldest(): Offset {
    return this.store.oldest;
  }

  get next(): Offset {
    return this.#queue.next as Offset;
  }

  get committed(): Offset {
    return this.#queue.committed as Offset;
  }

  get stats(): ShardStats {
    return { bytes: this.#bytes, segments: this.store.list.length, ...this.#counters };
  }

  /** Why appends are refused until the shard is opened again; null while all is well. */
  get failure(): JournalError | null {
    return this.#queue.failure;
  }

  append(batch: RecordBatch, ack: 'sync' | 'async'): Promise<Offset> {
    return this.#queue.append(batch, ack);
  }

  openReader(from: Offset, selector: RecordSelector): JournalReader {
    return new BatchReader(this, from, selector);
  }

  async readAt(offset: Offset): Promise<JournalRecord | null> {
    this.assertOpen();
    if (offset < this.oldest || offset >= this.committed) return null;
    const segment = this.store.at(offset);
    const index = await this.store.indexOf(segment);
    const ordinal = offset - segment.first;
    for (const damage of index.damage) {
      if (damage.first <= ordinal && ordinal < damage.after) {
        throw this.store.corruptRange(segment, damage);
      }
    }
    const number = index.findBatch(ordinal);
    if (number < 0) return null;
    const [bytes] = await this.store.batches(segment, index, [number]);
    const reader = new RecordBatchReader();
    reader.open(bytes as Uint8Array, 0);
    while (reader.next()) if (reader.offset === offset) return reader.record();
    return null;
  }

  async oldestSegment(): Promise<SegmentSummary | null> {
    this.assertOpen();
    const segment = this.store.list[0] as ShardSegment;
    if (segment === this.store.active) return null;
    const index = await this.store.indexOf(segment);
    const topics = Array.from({ length: index.topicCount }, (_, id) => index.topicText(id));
    const { first, after, bytes } = segment;
    return { first: first as Offset, after: after as Offset, bytes, topics };
  }

  async trimBefore(offset: Offset): Promise<void> {
    this.assertOpen();
    const { store } = this;
    const sealBytesMin = Math.min(SEAL_BYTES_MIN, this.#parts.segmentBytesMax / 4);
    const isAll = offset >= this.next && store.active.bytes >= sealBytesMin;
    if (isAll && this.failure === null) await this.#queue.seal();
    const gone: ShardSegment[] = [];
    while (store.list.length > 1 && (store.list[1] as ShardSegment).first <= offset) {
      gone.push(store.list.shift() as ShardSegment);
    }
    if (gone.length === 0) return;
    for (const segment of gone) this.#forget(segment);
    try {
      await store.medium.remove(gone);
    } catch (error) {
      throw mediumFault(error, 'trim');
    }
  }

  assertOpen(): void {
    if (this.#queue.isClosed) throw new JournalError({ code: 'JOURNAL_CLOSED' });
  }

  /** Waits for appends in flight, makes all of them durable and frees everything. */
  async close(): Promise<void> {
    if ((await this.#queue.close()) === 'closed') return;
    // Failing is no news for the caller: what was acknowledged is durable already.
    await this.store.medium.close().catch(() => undefined);
    this.#parts.space.journalBytes -= this.#bytes;
    for (const segment of this.store.list) this.store.forget(segment);
  }

  async #write(group: readonly QueuedAppend[]): Promise<() => void> {
    const { store } = this;
    const byteCount = group.reduce((sum, { batch }) => sum + batch.bytes.length, 0);
    const refusal = await this.#parts.space.refusal(byteCount);
    if (refusal !== null) {
      throw new JournalError({ code: 'JOURNAL_FULL', limit: 'configured', detail: refusal });
    }
    const segment = store.active;
    let place = segment.place + segment.span;
    const batches = group.map(({ batch, first }): StoredBatch => {
      const stored = { first, after: first + batch.recordCount, place };
      place += store.medium.placesOf(batch.bytes.length);
      return { ...stored, bytes: new Uint8Array(batch.bytes) };
    });
    await store.medium.write(batches, group.some(({ ack }) => ack === 'sync') ? 'sync' : 'async');
    this.#counters.flushes += 1;
    return () => {
      for (const batch of batches) this.#show(segment, batch);
    };
  }

  #show(segment: ShardSegment, batch: StoredBatch): void {
    const { length } = batch.bytes;
    segment.growing?.addBatch(batch.bytes, 0, batch.place - segment.place);
    this.store.cache.add(batch.first, batch.bytes);
    segment.bytes += length;
    segment.span = batch.place - segment.place + this.store.medium.placesOf(length);
    segment.after = batch.after;
    this.#bytes += length;
    this.#parts.space.journalBytes += length;
    this.#counters.appendedBatches += 1;
    this.#counters.appendedRecords += batch.after - batch.first;
  }

  async #rollIfNeeded(isSealWanted: boolean): Promise<void> {
    const sealed = this.store.active;
    if (sealed.bytes < this.#parts.segmentBytesMax && !isSealWanted) return;
    const { growing } = sealed;
    if (growing === null || sealed.after === sealed.first) return;
    const index = PackedIndex.pack(growing, sealed.first, sealed.span);
    const place = await this.store.medium.seal({ ...sealed }, index.bytes);
    this.store.indexes.keep(sealed, index);
    sealed.growing = null;
    this.store.list.push(emptySegment({ first: sealed.after, place }));
  }

  #forget(segment: ShardSegment): void {
    this.#bytes -= segment.bytes;
    this.#parts.space.journalBytes -= segment.bytes;
    this.store.forget(segment);
  }
}
