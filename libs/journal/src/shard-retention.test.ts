import { describe, expect, test } from 'vitest';
import { retentionTarget, type ShardRetention } from './shard-retention.ts';

/** Four files of 100 bytes and ten records; each begins 1000 ms after the one before. */
const segments = [0, 1, 2, 3].map((at) => ({
  baseOffset: at * 10,
  beginMs: at * 1000,
  bytes: 100,
}));
const ALL = Number.POSITIVE_INFINITY;
const drop = { bytesHardMax: 250, atHardLimit: 'dropOldest' } as const;

describe('what may go', () => {
  const rows: [ShardRetention, number, number, number | null, string][] = [
    [{}, 9999, ALL, null, 'there is no limit'],
    [{ ageMsMax: 1000 }, 2500, ALL, 10, 'a file is old when the next one began so long ago'],
    [{ ageMsMax: 1000 }, 2000, ALL, null, 'the limit itself is no excess'],
    [{ ageMsMax: 1 }, 99_999, ALL, 30, 'the newest file stays however old it is'],
    [{ ageMsMax: 1 }, 99_999, 25, 20, 'what somebody needs stays, with the rest of its file'],
    [{ bytesSoftMax: 250 }, 0, ALL, 20, 'as much as it takes to be below'],
    [{ bytesSoftMax: 250 }, 0, 15, 10, 'the soft limit yields to who needs it'],
    [{ bytesSoftMax: 400 }, 0, ALL, null, 'exactly the limit is no excess'],
    [drop, 0, 0, 20, 'the hard limit yields to nobody'],
    [{ bytesHardMax: 250, atHardLimit: 'refuse' }, 0, ALL, null, 'refusing drops nothing'],
    [{ ...drop, bytesHardMax: 350, ageMsMax: 1 }, 99_999, 25, 20, 'the limits add up'],
  ];
  for (const [retention, nowMs, neededFrom, expected, why] of rows) {
    test(why, () => {
      expect(retentionTarget(segments, retention, { nowMs, neededFrom })).toBe(expected);
    });
  }
});
