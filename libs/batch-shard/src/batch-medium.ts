/**
 * What a store has to do so that a shard can live in it: keep batches in order, keep the index of each
 * sealed segment beside them, and forget whole segments.
 *
 * ```text
 *   sealed segment          sealed segment          active segment
 * ┌──────────────────────┬──────────────────────┬─────────────┄┄┄
 * │ batch batch … index  │ batch batch … index  │ batch batch →
 * └──────────────────────┴──────────────────────┴─────────────┄┄┄
 *  first      after = first of the next
 * ```
 *
 * A segment is a stretch of offsets, not a file. A *place* is where the medium keeps a batch, counted in
 * its own units (bytes, messages) from the start of the shard: it rises with the offsets and is below 2^53.
 */
import type { JournalCapabilities } from '@robustmq/journal';

/** A store of shards. Failures are errors of any kind; a `JournalError` is passed on as it is. */
export interface BatchStore {
  readonly capabilities: JournalCapabilities;
  /** Opens a shard, creating it when absent, and keeps every former writer from writing on. */
  openMedium(shard: string): Promise<BatchMedium>;
  /** Sorted. */
  listShards(): Promise<readonly string[]>;
  /** The shard's medium is closed by then. Idempotent. */
  deleteShard(name: string): Promise<void>;
  /** Why the store takes no more bytes, or null when they are welcome. */
  refusal(byteCount: number): Promise<string | null>;
  close(): Promise<void>;
}

/** The calls that write come one at a time, except `remove`. */
export interface BatchMedium {
  /** How many places a batch of so many bytes takes up, at least 1. */
  placesOf(byteLength: number): number;
  load(): Promise<ShardContents>;
  /** The batches from a segment's start on, in order, up to before `after`; null: all there are. */
  scan(from: SegmentStart, after: number | null): AsyncIterable<StoredBatch>;
  /** Writes all or, when it fails, any. On return they are in order behind what was written before. */
  write(batches: readonly StoredBatch[], flush: 'sync' | 'async'): Promise<void>;
  /** The batches at these spots, which belong to one segment; null for one that is missing. */
  read(segment: SegmentStart, spots: readonly BatchSpot[]): Promise<readonly (Uint8Array | null)[]>;
  /**
   * Makes everything durable, keeps the index, and begins the next segment at `segment.after`.
   *
   * @returns the place of the next segment
   */
  seal(segment: SealedSegment, index: Uint8Array): Promise<number>;
  /** Null when it is lost: then it is made anew from the batches. */
  readIndex(segment: SealedSegment): Promise<Uint8Array | null>;
  /** Forgets sealed segments, the oldest ones, in order. A crash on the way leaves the later ones. */
  remove(segments: readonly SealedSegment[]): Promise<void>;
  /** What names the batch to an operator. */
  nameOf(spot: BatchSpot): string;
  /** Makes everything written durable and frees everything. */
  close(): Promise<void>;
}

export interface ShardContents {
  /** Ascending, without gaps, up to `active.first`. */
  readonly sealed: readonly SealedSegment[];
  readonly active: SegmentStart;
  /** Where the next batch goes, where this is not right behind the last one. */
  readonly end?: number;
}

export interface SegmentStart {
  readonly first: number;
  readonly place: number;
}

export interface SealedSegment extends SegmentStart {
  /** One past the last offset. */
  readonly after: number;
  /** Sum of its batches. */
  readonly bytes: number;
  /** Places that its batches take up. */
  readonly span: number;
}

export interface BatchSpot {
  readonly first: number;
  /** One past the last offset. */
  readonly after: number;
  readonly place: number;
  readonly byteLength: number;
}

/** The bytes may be damaged when they come from the medium: the shard checks them. */
export interface StoredBatch {
  readonly first: number;
  readonly after: number;
  readonly place: number;
  readonly bytes: Uint8Array;
}
