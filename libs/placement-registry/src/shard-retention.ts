import { count, fields, oneOf, orNull } from './record-shape.ts';
import type { RecordShape } from './record-shape.ts';

/**
 * How much of a shard of messages is kept beside what readers release (`trimBefore`); whole segments go, and
 * never the newest. null: no such bound. A keyed shard keeps the last record of each key.
 */
export interface ShardRetention {
  /** Records older than this go, read or not. */
  readonly ageMsMax: number | null;
  /** Beyond so many bytes of log on a server `whenFull` says what happens. */
  readonly bytesMax: number | null;
  /** An append is refused with JOURNAL_FULL, or the oldest records go, read or not. */
  readonly whenFull: 'refuse' | 'drop-oldest';
}

/** Nothing goes but what readers release, and nothing is refused but by a full disk. */
export const KEEP_UNTIL_RELEASED: ShardRetention = {
  ageMsMax: null,
  bytesMax: null,
  whenFull: 'refuse',
};

export const RETENTION: RecordShape<ShardRetention> = fields<ShardRetention>({
  ageMsMax: orNull(count),
  bytesMax: orNull(count),
  whenFull: oneOf(['refuse', 'drop-oldest']),
});
