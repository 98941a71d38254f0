import { GrowingIndex } from '@robustmq/journal';
import type { SegmentStart } from './batch-medium.ts';

/** One segment of a shard, as the shard keeps it in memory. */
export interface ShardSegment extends SegmentStart {
  /** One past the last committed offset. */
  after: number;
  /** Sum of its batches. */
  bytes: number;
  /** Places that its batches take up. */
  span: number;
  /** Of the active segment; null once sealed. */
  growing: GrowingIndex | null;
}

export function emptySegment({ first, place }: SegmentStart): ShardSegment {
  return { first, place, after: first, bytes: 0, span: 0, growing: new GrowingIndex(first) };
}
