import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BucketHistogram } from './bucket-histogram.ts';

describe('a histogram with fixed bounds', () => {
  const rows = [
    { value: 0, bucket: 0, why: 'below every bound' },
    { value: 10, bucket: 0, why: 'a bound belongs to its own bucket' },
    { value: 10.5, bucket: 1, why: 'between two bounds' },
    { value: 30, bucket: 2, why: 'the last bound' },
    { value: 31, bucket: 3, why: 'above every bound' },
    { value: Infinity, bucket: 3, why: 'infinity is above every bound' },
  ];
  test.each(rows)('$why: $value', ({ value, bucket }) => {
    const histogram = new BucketHistogram([10, 20, 30]);
    histogram.observe(value);
    expect(histogram.counts.indexOf(1)).toBe(bucket);
    expect(histogram.count).toBe(1);
  });

  test('ignores what is not a number, which would poison the sum', () => {
    const histogram = new BucketHistogram([1]);
    histogram.observe(Number.NaN);
    expect([histogram.count, histogram.sum]).toEqual([0, 0]);
  });

  test('refuses bounds that do not ascend', () => {
    expect(() => new BucketHistogram([1, 1])).toThrow('histogram bounds ascend');
  });

  test('agrees with counting by filter', () => {
    const numbers = fc.integer({ min: -50, max: 200 });
    fc.assert(
      fc.property(
        fc.uniqueArray(numbers, { minLength: 1 }),
        fc.array(numbers),
        (bounds, values) => {
          const ascending = bounds.toSorted((a, b) => a - b);
          const histogram = new BucketHistogram(ascending);
          for (const value of values) histogram.observe(value);
          let below = 0;
          ascending.forEach((bound, index) => {
            below += histogram.counts[index] ?? 0;
            expect(below).toBe(values.filter((value) => value <= bound).length);
          });
          expect(histogram.count).toBe(values.length);
        },
      ),
    );
  });
});
