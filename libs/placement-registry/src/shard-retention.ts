import { count, fields, oneOf, orNull } from './record-shape.ts';
import type { RecordShape } from './record-shape.ts';

/** How much of a shard is kept; whole segments go. null: no such bound. */
export interface ShardRetention {
  /** Beyond these the oldest records go once no reader asked to keep them (`trimBefore`). */
  readonly softBytes: number | null;
  readonly softMs: number | null;
  /** Records older than this go whether they were read or not. */
  readonly hardMs: number | null;
  /** The shard never holds more on one server than this. */
  readonly hardBytes: number | null;
  /** What an append meets there: JOURNAL_FULL, or room made by forgetting the oldest records. */
  readonly whenFull: 'refuse' | 'drop-oldest';
}

/** Nothing goes but what readers release, and nothing is refused but by a full disk. */
export const KEEP_UNTIL_RELEASED: ShardRetention = {
  softBytes: null,
  softMs: null,
  hardMs: null,
  hardBytes: null,
  whenFull: 'refuse',
};

export const RETENTION: RecordShape<ShardRetention> = fields<ShardRetention>({
  softBytes: orNull(count),
  softMs: orNull(count),
  hardMs: orNull(count),
  hardBytes: orNull(count),
  whenFull: oneOf(['refuse', 'drop-oldest']),
});
