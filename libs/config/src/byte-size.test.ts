import { describe, expect, test } from 'vitest';
import { formatBytes, parseBytes } from './byte-size.ts';
import { editDistance, nearestName } from './suggestion.ts';

describe('sizes', () => {
  const rows = [
    ['4096', 4096, 'plain bytes'],
    ['64 MiB', 67_108_864, 'a binary unit'],
    ['1.5GiB', 1_610_612_736, 'a fraction, no blank'],
    ['2 MB', 2_000_000, 'a decimal unit'],
    ['0.3 B', null, 'no fraction of a byte'],
    ['1 mib', null, 'units are written one way'],
    ['-1', null, 'no negative size'],
    ['', null, 'nothing'],
  ] as const;
  for (const [text, bytes, why] of rows) {
    test(why, () => expect(parseBytes(text)).toBe(bytes));
  }

  test('a size is written with the largest unit that divides it', () => {
    expect([formatBytes(2 ** 31), formatBytes(1536), formatBytes(0)]).toEqual([
      '"2 GiB"',
      '1536',
      '0',
    ]);
  });
});

describe('suggestions', () => {
  test('the distance counts letters inserted, removed, replaced and swapped', () => {
    expect([
      editDistance('port', 'prot'),
      editDistance('', 'abc'),
      editDistance('kitten', 'sitting'),
    ]).toEqual([1, 3, 3]);
  });

  test('a name that is not near is not suggested', () => {
    expect(nearestName('zzzzzz', ['tcp_port'])).toBeNull();
  });
});
