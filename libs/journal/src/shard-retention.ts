/** What of a shard may go because of its age or its size. */

/** Absent limits do not exist. */
export interface ShardRetention {
  /** Records older than this may go, once nobody needs them. */
  readonly ageMsMax?: number;
  /** LIMIT: beyond so many bytes of its log the oldest records may go, once nobody needs them. */
  readonly bytesSoftMax?: number;
  /** LIMIT: beyond so many bytes of its log `atHardLimit` says what happens. */
  readonly bytesHardMax?: number;
  /** `dropOldest`: the oldest records go, needed or not. `refuse`: appends fail with JOURNAL_FULL. */
  readonly atHardLimit?: 'dropOldest' | 'refuse';
}

/** A file of the log. */
export interface RetainedSegment {
  readonly baseOffset: number;
  /** Nothing in it was appended earlier. */
  readonly beginMs: number;
  readonly bytes: number;
}

/**
 * Records go in whole files, and never those of the newest file.
 *
 * @param segments  oldest first
 * @param facts.neededFrom  somebody still has to read the records from here on
 * @returns records below may go; null when all stay
 */
export function retentionTarget(
  segments: readonly RetainedSegment[],
  retention: ShardRetention,
  facts: { readonly nowMs: number; readonly neededFrom: number },
): number | null {
  const { ageMsMax, bytesSoftMax, bytesHardMax, atHardLimit } = retention;
  let bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  let target: number | null = null;
  for (const [at, segment] of segments.entries()) {
    const next = segments[at + 1];
    if (next === undefined) break;
    const isOld = ageMsMax !== undefined && next.beginMs < facts.nowMs - ageMsMax;
    const isLarge = bytesSoftMax !== undefined && bytes > bytesSoftMax;
    const isUnneeded = next.baseOffset <= facts.neededFrom;
    const isTooLarge =
      bytesHardMax !== undefined && atHardLimit === 'dropOldest' && bytes > bytesHardMax;
    if (!isTooLarge && !(isUnneeded && (isOld || isLarge))) break;
    target = next.baseOffset;
    bytes -= segment.bytes;
  }
  return target;
}
