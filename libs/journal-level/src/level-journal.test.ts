import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JournalError } from '@robustmq/journal';
import type { Offset, RecordSelector } from '@robustmq/journal';
import { appendSamples, describeJournal, readToEnd } from '@robustmq/journal-conformance';
import { Level } from 'level';
import { afterAll, expect, test } from 'vitest';
import { openLevelJournal } from './level-journal.ts';

/** Flushes cost nothing in memory, and thousands of them are made here. */
const MEMORY_DISK = '/dev/shm';
const parent = mkdtempSync(join(existsSync(MEMORY_DISK) ? MEMORY_DISK : tmpdir(), 'level-'));
let directories = 0;
let segmentBytes = 0;

function current(): string {
  return join(parent, String(directories));
}

function fresh(): string {
  directories += 1;
  return current();
}

afterAll(() => rmSync(parent, { recursive: true, force: true }));

describeJournal('LevelDB', {
  open: (segmentBytesMax) => {
    segmentBytes = segmentBytesMax;
    return openLevelJournal({ directory: fresh(), segmentBytesMax, cacheBytesMax: 0 });
  },
  reopen: () =>
    openLevelJournal({ directory: current(), segmentBytesMax: segmentBytes, cacheBytesMax: 0 }),
  openBounded: (journalBytesMax) => {
    const segmentBytesMax = journalBytesMax / 10;
    return openLevelJournal({ directory: fresh(), journalBytesMax, segmentBytesMax });
  },
});

const EVERYTHING: RecordSelector = { kind: 'everything' };
const SMALL = { segmentBytesMax: 400, cacheBytesMax: 0 };

async function fill(directory: string): Promise<void> {
  const journal = await openLevelJournal({ directory, ...SMALL });
  const shard = await journal.openShard('a');
  for (let i = 0; i < 20; i += 1) await appendSamples(shard, ['x', `y/${i}`], 'sync');
  await journal.close();
}

async function keysOf(directory: string): Promise<string[]> {
  const database = new Level(directory);
  const keys = await database.keys().all();
  await database.close();
  return keys;
}

test('a directory that is in use is refused with a sentence that names it', async () => {
  const directory = fresh();
  const journal = await openLevelJournal({ directory });
  const refused = openLevelJournal({ directory });
  await expect(refused).rejects.toThrow(JournalError);
  await expect(refused).rejects.toThrow(`${directory} is in use by another process`);
  await journal.close();
});

test('trimmed segments leave nothing behind, and neither does a deleted shard', async () => {
  const directory = fresh();
  await fill(directory);
  const journal = await openLevelJournal({ directory, ...SMALL });
  const shard = await journal.openShard('a');
  await shard.trimBefore(30 as Offset);
  const { oldest } = shard;
  await journal.close();
  expect(oldest).toBeGreaterThan(20);
  const firsts = (await keysOf(directory))
    .filter((key) => key !== 's/a')
    .map((key) => Number.parseInt(key.slice(4, 20), 16));
  expect(Math.min(...firsts)).toBe(oldest);
  const again = await openLevelJournal({ directory, ...SMALL });
  await again.deleteShard('a');
  await again.close();
  expect(await keysOf(directory)).toEqual([]);
});

test('a trim that was cut short is finished at the next opening', async () => {
  const directory = fresh();
  await fill(directory);
  const database = new Level(directory);
  const [segment] = await database.keys({ gte: 't/', lt: 't0', limit: 1 }).all();
  await database.del(segment as string);
  await database.close();
  const journal = await openLevelJournal({ directory, ...SMALL });
  const { oldest } = await journal.openShard('a');
  await journal.close();
  expect(oldest).toBeGreaterThan(0);
  const [batch] = (await keysOf(directory)).filter((key) => key.startsWith('b/'));
  expect(Number.parseInt(batch?.slice(4, 20) ?? '', 16)).toBe(oldest);
});

test('a shard whose head is lost is found again from its batches', async () => {
  const directory = fresh();
  await fill(directory);
  const database = new Level(directory);
  await database.del('s/a');
  await database.close();
  const journal = await openLevelJournal({ directory, ...SMALL });
  const shard = await journal.openShard('a');
  expect([shard.oldest, shard.next]).toEqual([0, 40]);
  expect(await readToEnd(shard.openReader(0 as Offset, EVERYTHING), 100)).toHaveLength(40);
  await journal.close();
});

test('a batch that LevelDB lost is reported with its offsets', async () => {
  const directory = fresh();
  const journal = await openLevelJournal({ directory });
  const shard = await journal.openShard('a');
  for (let i = 0; i < 5; i += 1) await appendSamples(shard, ['x', 'y'], 'sync');
  await journal.close();
  const database = new Level(directory);
  const keys = await database.keys({ gte: 'b/', lt: 'b0' }).all();
  await database.del(keys[2] as string);
  await database.close();
  const again = await openLevelJournal({ directory });
  const recovered = await again.openShard('a');
  expect(recovered.recovery.quarantined).toMatchObject([{ first: 4, after: 6 }]);
  expect(recovered.next).toBe(10);
  await again.close();
});

test('appends are refused while the disk is to stay free', async () => {
  const diskFreeBytesMin = Number.MAX_SAFE_INTEGER;
  const journal = await openLevelJournal({ directory: fresh(), diskFreeBytesMin });
  const shard = await journal.openShard('a');
  await expect(appendSamples(shard, ['x'], 'sync')).rejects.toMatchObject({
    fault: { code: 'JOURNAL_FULL' },
  });
  expect(shard.next).toBe(0);
  await journal.close();
});
