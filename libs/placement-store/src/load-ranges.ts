/** Brings the ranges of a command into memory: no more than the command may touch. */
import { type AnnouncedRange, type StateMachineLimits, TouchBudget } from '@robustmq/placement';
import { type Database, type Entry, scan } from '@robustmq/level-state';

/** Stops with the record that exceeds the budget: the command does not get as far as what is left out. */
export async function loadRanges(
  database: Database,
  ranges: readonly AnnouncedRange[],
  limits: StateMachineLimits,
): Promise<readonly (readonly [range: AnnouncedRange, entries: readonly Entry[]])[]> {
  const budget = new TouchBudget(limits);
  const loaded: [AnnouncedRange, Entry[]][] = [];
  for (const range of ranges) {
    const entries: Entry[] = [];
    loaded.push([range, entries]);
    await loadRange(database, range, { entries, budget });
    if (budget.isExceeded) break;
  }
  return loaded;
}

async function loadRange(
  database: Database,
  range: AnnouncedRange,
  into: { readonly entries: Entry[]; readonly budget: TouchBudget },
): Promise<void> {
  const options = { snapshot: undefined, recordsMax: range.recordsMax };
  for await (const step of scan(database, range, options)) {
    for (const entry of step) {
      into.entries.push(entry);
      if (!into.budget.take(entry[0], entry[1])) return;
    }
  }
}
