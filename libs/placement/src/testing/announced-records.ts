/**
 * A reader that refuses ranges which were not announced, and has no more of the others than a store
 * loads: up to what was announced, and to the record that exceeds the budget of the command.
 */
import type { KeyRange } from '../key-value.ts';
import type { StateMachineLimits } from '../limits.ts';
import type { MemoryRecords } from '../memory-records.ts';
import type { AnnouncedRange, RecordReader } from '../record-store.ts';
import { TouchBudget } from '../touch-budget.ts';

type Entry = readonly [string, Uint8Array];

export function announcedRecords(
  records: MemoryRecords,
  announced: readonly AnnouncedRange[],
  limits: StateMachineLimits,
): RecordReader {
  const budget = new TouchBudget(limits);
  const loaded = announced.map((range) => [range, load(records, range, budget)] as const);
  return {
    get: (key) => records.get(key),
    range: ({ first, after }) => {
      const known = loaded.filter(([range]) => range.first === first && range.after === after);
      const [longest] = known.map(([, entries]) => entries).toSorted((a, b) => b.length - a.length);
      if (longest === undefined) throw new Error(`the range from ${first} was not announced`);
      return longest;
    },
  };
}

function load(
  records: MemoryRecords,
  range: KeyRange & Pick<AnnouncedRange, 'recordsMax'>,
  budget: TouchBudget,
): readonly Entry[] {
  const loaded: Entry[] = [];
  if (budget.isExceeded) return loaded;
  for (const entry of records.range(range)) {
    if (loaded.length === range.recordsMax) break;
    loaded.push(entry);
    if (!budget.take(...entry)) break;
  }
  return loaded;
}
