/**
 * How much one command may read through its ranges, so that none holds up or fills a member.
 *
 * A store that loads ranges stops where the budget is exceeded; the state machine takes the same
 * records in the same order from the same budget, and so refuses before it misses what was left out.
 */
import type { StateMachineLimits } from './limits.ts';
import type { AnnouncedRange, RecordReader } from './record-store.ts';

export class TouchBudget {
  #keysLeft: number;
  #bytesLeft: number;

  constructor(limits: StateMachineLimits) {
    this.#keysLeft = limits.touchedKeysMax;
    this.#bytesLeft = limits.touchedBytesMax;
  }

  get isExceeded(): boolean {
    return this.#keysLeft < 0 || this.#bytesLeft < 0;
  }

  /** @returns whether the record is still within the budget */
  take(key: string, value: Uint8Array): boolean {
    this.#keysLeft -= 1;
    this.#bytesLeft -= key.length + value.length;
    return !this.isExceeded;
  }

  /** What is read beside the ranges. */
  takeBytes(bytes: number): void {
    this.#bytesLeft -= bytes;
  }
}

/** Takes from the budget what the ranges hold. @returns whether all of it is within the budget */
export function takeRanges(
  budget: TouchBudget,
  reader: RecordReader,
  ranges: readonly AnnouncedRange[],
): boolean {
  for (const range of ranges) {
    let left = range.recordsMax ?? Number.POSITIVE_INFINITY;
    for (const [key, value] of reader.range(range)) {
      if (left === 0) break;
      left -= 1;
      if (!budget.take(key, value)) return false;
    }
  }
  return true;
}
