import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { DEFAULT_STATE_MACHINE_LIMITS } from '@robustmq/placement';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '@robustmq/level-state';
import { loadRanges } from './load-ranges.ts';

let directory: string;
let database: Database;

beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/placement-load-`);
  database = await openDatabase(`${directory}/state`, 'new');
  for (const first of ['a', 'b', 'c']) {
    for (let at = 0; at < 10; at += 1) await database.put(`${first}${at}`, new Uint8Array(100));
  }
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true });
});

const RANGES = ['a', 'b', 'c'].map((first) => ({
  first,
  after: `${first}:`,
  recordsMax: first === 'b' ? 3 : null,
}));

for (const { why, limits, loaded } of [
  { why: 'all of it', limits: {}, loaded: [10, 3, 10] },
  { why: 'all that is within the limit', limits: { touchedKeysMax: 23 }, loaded: [10, 3, 10] },
  { why: 'one key more', limits: { touchedKeysMax: 22 }, loaded: [10, 3, 10] },
  { why: 'to one key beyond the limit', limits: { touchedKeysMax: 15 }, loaded: [10, 3, 3] },
  { why: 'not the ranges after it', limits: { touchedKeysMax: 4 }, loaded: [5] },
  { why: 'to the limit of bytes', limits: { touchedBytesMax: 1100 }, loaded: [10, 1] },
]) {
  test(`what a command reads is loaded: ${why}`, async () => {
    const found = await loadRanges(database, RANGES, {
      ...DEFAULT_STATE_MACHINE_LIMITS,
      ...limits,
    });
    expect(found.map(([, entries]) => entries.length)).toEqual(loaded);
  });
}
