import { assert } from '@robustmq/errors';

/**
 * Where a record is in the message shards, as one safe number: windows and exchanges keep one number
 * for each message, in a cluster as in a journal with one shard.
 */
const SHARD_STEP = 2 ** 44;
/** LIMIT: messageShardsMax */
export const MESSAGE_SHARDS_MAX = 256;

export function placeOf(shard: number, offset: number): number {
  assert(offset < SHARD_STEP && shard < MESSAGE_SHARDS_MAX, `offset ${offset} of shard ${shard}`);
  return shard * SHARD_STEP + offset;
}

export function shardAt(place: number): number {
  return Math.floor(place / SHARD_STEP);
}

export function offsetAt(place: number): number {
  return place % SHARD_STEP;
}

/** The shard of a name whose hash this is; the same in every broker. */
export function shardOf(hash: number, shards: number): number {
  return hash % shards;
}
