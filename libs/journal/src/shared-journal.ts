import type {
  JournalReader,
  JournalRecord,
  Offset,
  RecordBatch,
  RecordSelector,
} from './journal.ts';

/**
 * Shards that many processes append to at once. {@link Journal} is the contract of a shard with one
 * writer, who knows every offset when it appends; here an offset is known once the append is committed.
 *
 * `@robustmq/journal-client` implements it over journal servers, `@robustmq/journal-memory` in one
 * process. Everything is safe to call again after JOURNAL_UNAVAILABLE.
 */
export interface SharedJournal {
  /** Opens a handle; the shard exists. Handles are cheap and independent. */
  openShard(name: string): Promise<SharedShard>;
  openTable(name: string): Promise<KeyedShard>;
  /** Ends every handle and tail. Called once. */
  close(): Promise<void>;
}

/**
 * One life of one process that appends. Appends carry a sequence per producer and shard, so that a
 * repetition after a lost answer is written once, across changes of the leader and restarts of it.
 */
export interface ProducerName {
  /** A safe integer: the node id of a broker, for example. */
  readonly id: number;
  /** Rises with each life; a shard refuses every incarnation below one that was fenced or seen. */
  readonly incarnation: number;
}

/**
 * When an append settles.
 *
 * - `all-synced`: a majority of the replicas has it on disk. It is never lost, and readers see it.
 * - `leader`: the leader has it on disk. It is lost when the leader loses its office before a majority
 *   has it: by a crash, a loss of power or a partition, even if its disk comes back.
 * - `memory`: the leader has it in its memory. It is lost as with `leader`, and with the power of all.
 *
 * Of an append that settles early readers know nothing until it is committed, and its offset is another
 * record's if it is lost. What is lost is lost without a word, but never out of order: appends of one
 * producer that are there are in the order of the calls, and with one that settles as `all-synced` all
 * before it that were not lost are committed. An implementation may settle later than it must: it does
 * when the outcome is not certain before.
 */
export type AppendAcknowledgement = 'all-synced' | 'leader' | 'memory';

/** A shard of messages: ordered, append-only, read by place and by selector. */
export interface SharedShard {
  readonly name: string;

  /**
   * Appends the records of `batch`: all of them, once, or none. Calls on one handle are committed in
   * the order of the calls and may overlap; when one fails, those behind it fail alike. When it
   * settles, and what may be lost after that, is {@link AppendAcknowledgement}. The offset in the
   * batch's header means nothing here. The bytes belong to the shard until the promise settles.
   *
   * @returns the offset of the first record
   * @throws JournalError JOURNAL_FULL         nothing was written
   * @throws JournalError JOURNAL_FENCED       nothing was written: the producer is over
   * @throws JournalError JOURNAL_UNAVAILABLE  the deadline passed; the outcome is unknown
   */
  append(batch: RecordBatch, options: AppendOptions): Promise<Offset>;

  /**
   * Everything acknowledged before the call is below the result: a linearizable read.
   *
   * @throws JournalError JOURNAL_UNAVAILABLE
   */
  committed(deadlineMs: number): Promise<Offset>;

  /** The oldest record kept, as last heard of. */
  readonly oldest: Offset;

  /** As {@link JournalShard.openReader}; `read` answers an empty array at the end of what is committed. */
  openReader(from: Offset, selector: RecordSelector): JournalReader;

  /** The committed record at `offset`, or null when it was trimmed. */
  readAt(offset: Offset): Promise<JournalRecord | null>;

  /**
   * Records as they are committed, from `from` on, without a gap and without a repetition across
   * changes of the leader.
   */
  openTail(from: Offset, selector: RecordSelector): ShardTail;

  /** Where the first record appended at `atMs` or later is; the end when there is none. */
  offsetAt(atMs: number): Promise<Offset>;

  /** Forgets records before `offset`; may keep more. Idempotent. */
  trimBefore(offset: Offset): Promise<void>;

  /**
   * Every append of this producer and of its lower incarnations that is not committed when this
   * settles never will be. Idempotent.
   */
  fence(producer: ProducerName): Promise<void>;
}

export interface AppendOptions {
  readonly producer: ProducerName;
  readonly acknowledgement: AppendAcknowledgement;
  /** From the call on, repetitions included. */
  readonly deadlineMs: number;
}

export interface ShardTail {
  /** Every wanted record below this has been returned. */
  readonly position: Offset;
  /**
   * Waits for wanted records, or for `position` to move past records that are not wanted (then the
   * array is empty). What is fetched ahead is bounded; one call at a time.
   *
   * @throws JournalError JOURNAL_OFFSET_TRIMMED  open anew at `oldest`
   * @throws JournalError JOURNAL_RECORD_CORRUPT  as {@link JournalReader.read}
   * @throws JournalError JOURNAL_CLOSED          after `close`
   */
  next(recordsMax: number, bytesMax: number): Promise<readonly JournalRecord[]>;
  close(): void;
}

/**
 * A compacted shard: the last record per key. A record carries the number its writer is fenced by, and
 * one with a lower number than the stored one is refused; a removal leaves its number behind for a while.
 */
export interface KeyedShard {
  readonly name: string;

  /**
   * Writes in one step; each key is decided alone, and each write taken gets its own revision. Calls
   * on one handle take effect in the order of the calls. Safe to repeat: equal writes with equal fences
   * give the same state.
   *
   * @returns for each write whether it was taken: false, a higher fence stands there
   * @throws JournalError JOURNAL_FULL, JOURNAL_UNAVAILABLE (the outcome is unknown)
   */
  write(writes: readonly KeyedWrite[], deadlineMs: number): Promise<readonly boolean[]>;

  /**
   * Raises the fence of a key without changing its value or its revision, and reads it: what stands
   * there is final for every writer with a lower fence. No tail tells of it.
   *
   * @returns null as `record` when the key has no value; `taken` false when a higher fence stands there
   */
  claim(
    key: string,
    fence: number,
    deadlineMs: number,
  ): Promise<{ readonly taken: boolean; readonly record: KeyedRecord | null }>;

  /** Linearizable. */
  read(key: string, deadlineMs: number): Promise<KeyedRecord | null>;

  /** Keys in order of their UTF-8 bytes, `after` excluded (null: from the first). */
  list(after: string | null, limit: number, deadlineMs: number): Promise<readonly KeyedRecord[]>;

  /** The revision of the newest write: a linearizable read. */
  revision(deadlineMs: number): Promise<number>;

  /**
   * Everything there is, then every change in order of its revision, each key's newest at least, from
   * `after` (a revision; 0: all) on.
   */
  openTail(after: number): KeyedTail;
}

export interface KeyedWrite {
  readonly key: string;
  readonly fence: number;
  /** null removes it. */
  readonly value: Uint8Array | null;
}

export interface KeyedRecord {
  readonly key: string;
  readonly fence: number;
  readonly value: Uint8Array;
  readonly revision: number;
}

export interface KeyedChange {
  readonly key: string;
  readonly fence: number;
  /** null: removed. */
  readonly value: Uint8Array | null;
  readonly revision: number;
}

export interface KeyedTail {
  /** Every change up to this revision has been returned. */
  readonly position: number;
  /**
   * Waits for changes; an empty array: `position` moved. One call at a time.
   *
   * @throws JournalError JOURNAL_OFFSET_TRIMMED  removals newer than `position` are forgotten: forget
   *   everything that was returned, and open anew at 0
   * @throws JournalError JOURNAL_CLOSED          after `close`
   */
  next(changesMax: number): Promise<readonly KeyedChange[]>;
  close(): void;
}
