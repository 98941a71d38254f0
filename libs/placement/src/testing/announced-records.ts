/** A reader that refuses ranges which were not announced, and those read beyond what was. */
import type { KeyRange } from '../key-value.ts';
import type { MemoryRecords } from '../memory-records.ts';
import type { AnnouncedRange, RecordReader } from '../record-store.ts';

export function announcedRecords(
  records: MemoryRecords,
  announced: readonly AnnouncedRange[],
): RecordReader {
  return {
    get: (key) => records.get(key),
    range: (range) => limited(records, announced, range),
  };
}

function* limited(
  records: MemoryRecords,
  announced: readonly AnnouncedRange[],
  range: KeyRange,
): Generator<readonly [string, Uint8Array]> {
  const limits = announced
    .filter((each) => each.first === range.first && each.after === range.after)
    .map((each) => each.recordsMax ?? Number.POSITIVE_INFINITY);
  if (limits.length === 0) throw new Error(`the range from ${range.first} was not announced`);
  let left = Math.max(...limits);
  for (const record of records.range(range)) {
    if (left === 0) return;
    left -= 1;
    yield record;
  }
}
