import { assert } from '@robustmq/errors';

/**
 * How often values fell between fixed bounds: two typed arrays and two sums.
 *
 * `observe` costs a binary search over the bounds and no allocation, so it may sit beside a flush
 * or a commit (not beside each message).
 */
export class BucketHistogram {
  /** Upper bounds, inclusive, ascending, in the unit of the observed values. */
  readonly bounds: Float64Array;
  /** One count per bound, not cumulative, and last the count of values above every bound. */
  readonly counts: Float64Array;
  /** Sum of the observed values, in their unit. */
  sum = 0;
  /** How many values were observed. */
  count = 0;

  constructor(bounds: readonly number[]) {
    for (let i = 1; i < bounds.length; i++) {
      assert(
        (bounds[i - 1] as number) < (bounds[i] as number),
        `histogram bounds ascend, but bound ${i} is ${bounds[i]} after ${bounds[i - 1]}`,
      );
    }
    this.bounds = Float64Array.from(bounds);
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** Counts one value. A value that is not a number (NaN) is ignored: it would poison the sum. */
  observe(value: number): void {
    if (Number.isNaN(value)) return;
    let low = 0;
    let high = this.bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (value <= (this.bounds[middle] as number)) high = middle;
      else low = middle + 1;
    }
    this.counts[low] = (this.counts[low] as number) + 1;
    this.sum += value;
    this.count += 1;
  }
}
