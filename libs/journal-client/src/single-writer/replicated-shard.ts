import {
  JournalError,
  type JournalFault,
  type JournalReader,
  type JournalRecord,
  type JournalShard,
  type Offset,
  type ProducerName,
  type RecordBatch,
  type RecordSelector,
  type RecoveryReport,
  type SegmentSummary,
  type SharedShard,
  type ShardStats,
} from '@robustmq/journal';
import { recordCredit } from '@robustmq/rpc';

/** What a shard is opened with. */
export interface ReplicatedShardOptions {
  readonly producer: ProducerName;
  /** Of the first append. */
  readonly next: Offset;
  readonly deadlineMs: number;
  readonly segmentBytesMax: number;
}

/** Recovery is the servers' own. */
const NOTHING_RECOVERED: RecoveryReport = { recordsScanned: 0, truncatedBytes: 0, quarantined: [] };
/** LIMIT: summaryRecordsMax (of one `oldestSegment`) */
const summaryRecordsMax = 10_000;
const PAGE_RECORDS = 1_000;
/** Of the smallest record, about. */
const RECORD_BYTES_MIN = 32;

/** See `JournalShard` for what each method promises. */
export class ReplicatedShard implements JournalShard {
  readonly recovery: RecoveryReport = NOTHING_RECOVERED;
  next: Offset;
  committed: Offset;
  readonly #shard: SharedShard;
  readonly #options: ReplicatedShardOptions;
  readonly #counters = { appendedBatches: 0, appendedRecords: 0, bytes: 0 };
  readonly #underWay = new Set<Promise<unknown>>();
  /** Rises when offsets are given again after a refusal. */
  #epoch = 0;
  /** Set for good: the shard takes no append any more. */
  #over: JournalFault | null = null;
  #isClosed = false;

  constructor(shard: SharedShard, options: ReplicatedShardOptions) {
    this.#shard = shard;
    this.#options = options;
    this.next = options.next;
    this.committed = options.next;
  }

  get name(): string {
    return this.#shard.name;
  }

  get oldest(): Offset {
    return this.#shard.oldest;
  }

  /** Of what this writer appended: what the replicas hold is told by their servers. */
  get stats(): ShardStats {
    return { ...this.#counters, segments: 1, flushes: 0 };
  }

  append(batch: RecordBatch, ack: 'sync' | 'async'): Promise<Offset> {
    if (this.#over !== null) return Promise.reject(new JournalError(this.#over));
    const expected = this.next;
    const epoch = this.#epoch;
    const { producer, deadlineMs } = this.#options;
    const acknowledgement = ack === 'sync' ? 'all-synced' : 'memory';
    this.next = (expected + batch.recordCount) as Offset;
    const bytes = batch.bytes.length;
    const appended = this.#shard.append(batch, { producer, acknowledgement, deadlineMs }).then(
      (offset) => this.#settle({ expected, offset, recordCount: batch.recordCount, bytes }),
      (error: unknown) => {
        throw this.#failure(error, { expected, epoch });
      },
    );
    this.#underWay.add(appended);
    const forget = (): void => void this.#underWay.delete(appended);
    appended.then(forget, forget);
    return appended;
  }

  openReader(from: Offset, selector: RecordSelector): JournalReader {
    const reader = this.#shard.openReader(from, selector);
    const assertOpen = (): void => this.#assertOpen();
    return {
      get position() {
        return reader.position;
      },
      read: async (recordsMax, bytesMax) => {
        assertOpen();
        return reader.read(recordsMax, bytesMax);
      },
    };
  }

  async readAt(offset: Offset): Promise<JournalRecord | null> {
    this.#assertOpen();
    return this.#shard.readAt(offset);
  }

  /** The oldest records up to a size, if there are others behind them: segments are the servers' own. */
  async oldestSegment(): Promise<SegmentSummary | null> {
    this.#assertOpen();
    const first = this.oldest;
    const reader = this.#shard.openReader(first, { kind: 'everything' });
    const topics = new Set<string>();
    let bytes = 0;
    let after: Offset = first;
    while (bytes < this.#options.segmentBytesMax && after - first < summaryRecordsMax) {
      const leftBytes = this.#options.segmentBytesMax - bytes;
      const recordsMax = Math.min(PAGE_RECORDS, Math.ceil(leftBytes / RECORD_BYTES_MIN));
      const records = await reader.read(recordsMax, leftBytes);
      if (records.length === 0) return null;
      for (const record of records) {
        if (record.topic !== '') topics.add(record.topic);
        // With about what a record takes on disk beside topic and body.
        bytes += recordCredit(record);
      }
      after = reader.position;
    }
    if (after >= this.committed) return null;
    return { first, after, bytes, topics: [...topics] };
  }

  async trimBefore(offset: Offset): Promise<void> {
    this.#assertOpen();
    await this.#shard.trimBefore(offset);
  }

  /** Once every append under way has settled. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  /** Refuses everything from now on. */
  close(): void {
    this.#isClosed = true;
    this.#over ??= { code: 'JOURNAL_CLOSED' };
  }

  #settle(appended: {
    readonly expected: Offset;
    readonly offset: Offset;
    readonly recordCount: number;
    readonly bytes: number;
  }): Offset {
    const { expected, offset, recordCount, bytes } = appended;
    if (offset !== expected) {
      const detail = `another writer is at work: record ${expected} was written as ${offset}`;
      this.#over ??= { code: 'JOURNAL_FENCED', shard: this.name, detail };
      throw new JournalError(this.#over);
    }
    this.#counters.appendedBatches += 1;
    this.#counters.appendedRecords += recordCount;
    this.#counters.bytes += bytes;
    const after = (offset + recordCount) as Offset;
    if (after > this.committed) this.committed = after;
    return offset;
  }

  /** After a refusal the offsets are given again, from the first one on that was refused. */
  #failure(
    error: unknown,
    { expected, epoch }: { readonly expected: Offset; readonly epoch: number },
  ): unknown {
    if (!(error instanceof JournalError)) return error;
    const { fault } = error;
    if (fault.code === 'JOURNAL_FULL') {
      if (epoch === this.#epoch) {
        this.#epoch += 1;
        this.next = expected;
      }
      return error;
    }
    const over: JournalFault =
      fault.code === 'JOURNAL_UNAVAILABLE'
        ? { code: 'JOURNAL_IO_FAILED', operation: 'append', detail: fault.detail }
        : fault;
    this.#over ??= over;
    return new JournalError(over, { cause: error });
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new JournalError({ code: 'JOURNAL_CLOSED' });
  }
}
