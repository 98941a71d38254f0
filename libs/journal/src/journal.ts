import type { Branded } from '@robustmq/errors';
import type { IndexedAttribute, RecordAttributes } from './record-attributes.ts';

/** Position of a record in a shard, counted from 0, never reused. */
export type Offset = Branded<number, 'Offset'>;

/** What an adapter can do. The conformance suite skips exactly what is declared false here. */
export interface JournalCapabilities {
  /** `sync` appends survive loss of power. False for the memory adapter. */
  readonly durable: boolean;
  /** Appends are kept by more than one machine. */
  readonly replicated: boolean;
  /**
   * Another machine can open the journal when this one is gone. It then fences the writer before it:
   * appends of that one fail with JOURNAL_FENCED.
   */
  readonly shared: boolean;
  /** `openReader` skips what a selector does not match without reading it. */
  readonly indexed: boolean;
}

/**
 * A place to keep shards: ordered, append-only sequences of records.
 *
 * Adapters implement this interface and pass `@robustmq/journal-conformance`. Arguments reach an
 * adapter validated; an adapter never re-checks them.
 */
export interface Journal {
  readonly capabilities: JournalCapabilities;
  /**
   * Opens a shard, creating it when absent, and recovers it: a torn tail is truncated, a segment
   * with a corrupt middle is quarantined and reported in `recovery`, never silently dropped.
   */
  openShard(name: string): Promise<JournalShard>;
  listShards(): Promise<readonly string[]>;
  deleteShard(name: string): Promise<void>;
  /** Waits for appends in flight, then frees everything. Called once. */
  close(): Promise<void>;
}

export interface JournalShard {
  readonly name: string;
  /** The oldest offset still readable. */
  readonly oldest: Offset;
  /** The offset that the next appended record gets; grows synchronously inside `append`. */
  readonly next: Offset;
  /** Records below this are committed (durable, for `sync`) and may be read. */
  readonly committed: Offset;
  readonly recovery: RecoveryReport;
  readonly stats: ShardStats;

  /**
   * Appends the records of `batch` (made by `RecordBatchBuilder`): all of them or none.
   *
   * The offset of the first record is `next` at the time of the call. Calls may overlap: they are
   * committed in the order of the calls, and those waiting for the disk share one flush (group
   * commit). The adapter owns `batch.bytes` until the promise settles.
   *
   * @param ack `sync` settles once durable; `async` once ordered and handed to the system
   * @throws JournalError JOURNAL_FULL       nothing was written; the offsets are not used; every later
   *   append in flight fails alike, so the caller sees a gapless shard; try later
   * @throws JournalError JOURNAL_IO_FAILED  the outcome is unknown; the shard refuses appends until reopened
   */
  append(batch: RecordBatch, ack: 'sync' | 'async'): Promise<Offset>;

  /** Reads committed records in order; see {@link JournalReader}. Cheap to open; holds no file open between calls. */
  openReader(from: Offset, selector: RecordSelector): JournalReader;

  /** The committed record at `offset`, or null when it was trimmed. */
  readAt(offset: Offset): Promise<JournalRecord | null>;

  /** Every topic (with kind > 0 rules as in the selector) of the records in the oldest sealed segment, or null when only the active one is left. Used to advance idle cursors. */
  oldestSegment(): Promise<SegmentSummary | null>;

  /** Forgets every record before `offset`. Idempotent. May keep more than asked for (whole segments). */
  trimBefore(offset: Offset): Promise<void>;
}

/** The topics that one sealed segment holds, so that a caller can tell who still needs it. */
export interface SegmentSummary {
  readonly first: Offset;
  readonly after: Offset;
  readonly bytes: number;
  readonly topics: readonly string[];
}

/**
 * Which records a reader wants: those whose topic is in `exact`, or for which `matches` says yes
 * (asked once per distinct topic of a segment), or that have this very value as an attribute, or,
 * with `everything`, all.
 */
export type RecordSelector =
  | { readonly kind: 'everything' }
  | {
      readonly kind: 'topics';
      readonly exact: readonly string[];
      readonly matches: ((topic: string) => boolean) | null;
      /**
       * Topic filters (MQTT-5.0 §4.7) that match all that `matches` says yes to, and perhaps more: a
       * function can't travel to a server, and without them all records do.
       */
      readonly filters?: readonly string[];
    }
  | {
      readonly kind: 'attribute';
      readonly attribute: IndexedAttribute;
      /** A sender as UTF-8. */
      readonly value: Uint8Array;
    };

export interface JournalReader {
  /** Every wanted committed record below this has been returned. */
  readonly position: Offset;
  /**
   * Up to `recordsMax` wanted records, and at least one if there is any, up to about `bytesMax`.
   * An empty array means: nothing wanted below `shard.committed` at the time of the call, and
   * `position` has moved there. One call at a time.
   *
   * @throws JournalError JOURNAL_OFFSET_TRIMMED  reopen at `oldest`
   * @throws JournalError JOURNAL_RECORD_CORRUPT  the checksum does not match: never served; the
   *   fault names the first and after-last offset of the damaged range so that the caller can skip it
   */
  read(recordsMax: number, bytesMax: number): Promise<readonly JournalRecord[]>;
}

/** A record as read. Its byte arrays may share one buffer; they are never reused by the journal. */
export interface JournalRecord {
  readonly offset: Offset;
  readonly appendedAtMs: number;
  /** The caller's own record type, 0 to 255. */
  readonly kind: number;
  /** May be empty: then no selector of topics finds it. */
  readonly topic: string;
  readonly body: Uint8Array;
  /** Absent when it has none. */
  readonly attributes?: RecordAttributes;
}

/** Encoded once by whoever sees the message first, then stored, replicated and forwarded as the same bytes. */
export interface RecordBatch {
  /** The whole batch, header and checksum included, as laid out in record-batch.ts. */
  readonly bytes: Uint8Array;
  readonly recordCount: number;
}

export interface RecoveryReport {
  readonly recordsScanned: number;
  readonly truncatedBytes: number;
  /** Segments set aside, with the reason and the range of offsets that is now missing. */
  readonly quarantined: readonly {
    readonly file: string;
    readonly reason: string;
    readonly first: Offset;
    readonly after: Offset;
  }[];
}

/** Plain counters, read by telemetry. */
export interface ShardStats {
  readonly bytes: number;
  readonly segments: number;
  readonly appendedBatches: number;
  readonly appendedRecords: number;
  readonly flushes: number;
}
