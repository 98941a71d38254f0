/** One segment of a shard, as the shard keeps it in memory. */
import type { GrowingIndex } from '@robustmq/journal';
import type { ReadableSegment } from './corrupt-records.ts';

export interface Segment extends ReadableSegment {
  readonly baseOffset: number;
  readonly path: string;
  readonly indexPath: string;
  /** Null when the header is damaged: then place stamps are not checked. */
  readonly salt: number | null;
  /** Good bytes in the file, the header included. */
  bytes: number;
  /** One past the last offset; for the active segment, one past the last committed one. */
  after: number;
  /** Of the active segment; null once sealed. */
  growing: GrowingIndex | null;
}
