/** Which records of a segment can't be served, as a fault. */
import { JournalError } from '@robustmq/journal';
import type { DamagedRange, Offset, SegmentIndex } from '@robustmq/journal';
import type { CachedSegment } from './batch-cache.ts';

/** What reading needs to know of a segment. */
export interface ReadableSegment extends CachedSegment {
  readonly baseOffset: number;
  readonly path: string;
  /** Good bytes in the file. */
  readonly bytes: number;
  /** One past the last offset. */
  readonly after: number;
}

export function corruptBatch(
  segment: ReadableSegment,
  index: SegmentIndex,
  batch: number,
): JournalError {
  return new JournalError({
    code: 'JOURNAL_RECORD_CORRUPT',
    file: segment.path,
    position: index.batchPosition(batch),
    first: (segment.baseOffset + index.batchFirst(batch)) as Offset,
    after: (segment.baseOffset + index.batchAfter(batch)) as Offset,
  });
}

export function corruptRange(segment: ReadableSegment, damage: DamagedRange): JournalError {
  return new JournalError({
    code: 'JOURNAL_RECORD_CORRUPT',
    file: segment.path,
    position: damage.position,
    first: (segment.baseOffset + damage.first) as Offset,
    after: (segment.baseOffset + damage.after) as Offset,
  });
}
