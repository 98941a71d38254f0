/**
 * What is where in one segment: which records have which topic, and where each batch stands.
 *
 * Records are named by ordinal, their offset minus the segment's base offset. Indexes are derived
 * from the segment's bytes alone, so they need no flush and can always be rebuilt.
 */

import type { IndexedAttribute } from './record-attributes.ts';

/** A stretch of a segment whose bytes fail their checksum: ordinals from `first` to before `after`. */
export interface DamagedRange {
  readonly first: number;
  readonly after: number;
  /** Where the damage starts in the file, in bytes. */
  readonly position: number;
}

/** Ordinals that a reader wants, ascending; complete for everything below `after`. */
export interface WantedOrdinals {
  readonly ordinals: Uint32Array;
  readonly after: number;
}

export interface SegmentIndex {
  /** Every ordinal below it is indexed or damaged. */
  readonly recordsAfter: number;
  readonly topicCount: number;
  readonly batchCount: number;
  readonly damage: readonly DamagedRange[];
  /** Approximate memory held. */
  readonly byteLength: number;
  topicText(id: number): string;
  /** The id of a topic given as UTF-8, or -1. */
  findTopic(topic: Uint8Array): number;
  /** The wanted ordinals from `from` on: at least the first one if any, usually up to {@link WANTED_MAX}. */
  collect(topicIds: Uint32Array, from: number): WantedOrdinals;
  /**
   * The records from `from` on whose attribute has this hash (`attributeHash`), as `collect`; among
   * them may be some with another value.
   */
  collectAttribute(attribute: IndexedAttribute, hash: number, from: number): WantedOrdinals;
  /** The number of the last batch whose first record is not past `ordinal`; -1 when there is none. */
  findBatch(ordinal: number): number;
  batchFirst(batch: number): number;
  /** One past the last ordinal of the batch. */
  batchAfter(batch: number): number;
  batchPosition(batch: number): number;
  batchLength(batch: number): number;
}

/** How many ordinals one `collect` aims at. */
export const WANTED_MAX = 4096;

/** The last position in the ascending `values[0, count)` that holds at most `value`, or -1. */
export function lastAtMost(values: Uint32Array, count: number, value: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
