import { JournalError } from '@robustmq/journal';
import type { Journal, JournalShard, Offset, RecordSelector } from '@robustmq/journal';
import { appendSamples, describeJournal, readToEnd, textOf } from '@robustmq/journal-conformance';
import { expect, test } from 'vitest';
import { openBatchJournal } from './batch-journal.ts';
import { MemoryStore } from './memory-store.fixture.ts';
import type { MemoryStoreContents } from './memory-store.fixture.ts';

let store = new MemoryStore();
let segmentBytes = 0;

for (const cacheBytesMax of [0, 1_000_000]) {
  describeJournal(`a store of batches with a cache of ${cacheBytesMax} bytes`, {
    open: async (segmentBytesMax) => {
      store = new MemoryStore();
      segmentBytes = segmentBytesMax;
      return openBatchJournal(store, { segmentBytesMax, cacheBytesMax });
    },
    reopen: async () => openBatchJournal(store, { segmentBytesMax: segmentBytes, cacheBytesMax }),
    openBounded: async (journalBytesMax) => {
      const segmentBytesMax = journalBytesMax / 10;
      return openBatchJournal(new MemoryStore(), { journalBytesMax, segmentBytesMax });
    },
  });
}

const START = 0 as Offset;
const EVERYTHING: RecordSelector = { kind: 'everything' };
const OPTIONS = { segmentBytesMax: 400, cacheBytesMax: 0, indexCacheBytesMax: 0 };

/** A shard of 30 records in batches of three, in several segments. */
async function filledShard(): Promise<{
  journal: Journal;
  shard: JournalShard;
  contents: MemoryStoreContents;
}> {
  store = new MemoryStore();
  const journal = openBatchJournal(store, OPTIONS);
  const shard = await journal.openShard('a');
  for (let i = 0; i < 10; i += 1) await appendSamples(shard, ['x', 'y', `z/${i}`], 'sync');
  return { journal, shard, contents: store.shards.get('a') as MemoryStoreContents };
}

async function faultOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof JournalError ? error.fault : error;
}

/** Reads everything, stepping over damage. */
async function readAround(shard: JournalShard): Promise<{ texts: string[]; faults: unknown[] }> {
  const texts: string[] = [];
  const faults: unknown[] = [];
  let reader = shard.openReader(START, EVERYTHING);
  for (;;) {
    try {
      texts.push(...(await readToEnd(reader, 4)).map(textOf));
      return { texts, faults };
    } catch (error) {
      if (!(error instanceof JournalError) || error.fault.code !== 'JOURNAL_RECORD_CORRUPT') {
        throw error;
      }
      faults.push(error.fault);
      texts.length = 0;
      reader = shard.openReader(error.fault.after, EVERYTHING);
    }
  }
}

test('appends that wait while one is written share the next write', async () => {
  store = new MemoryStore();
  const shard = await openBatchJournal(store).openShard('a');
  await Promise.all(Array.from({ length: 100 }, () => appendSamples(shard, ['x'], 'sync')));
  expect(store.writes).toBe(1);
  expect(shard.stats).toMatchObject({ flushes: 1, appendedBatches: 100 });
});

test('a failed write fails all that wait, and the shard goes on once it is opened anew', async () => {
  const { journal, shard } = await filledShard();
  store.nextWriteFault = new Error('the cable was cut');
  const appends = [1, 2, 3].map(() => appendSamples(shard, ['late'], 'sync'));
  for (const append of appends) {
    expect(await faultOf(append)).toMatchObject({
      code: 'JOURNAL_IO_FAILED',
      detail: 'the cable was cut',
    });
  }
  expect(await faultOf(appendSamples(shard, ['later'], 'sync'))).toMatchObject({
    code: 'JOURNAL_IO_FAILED',
  });
  const again = await journal.openShard('a');
  expect(again).not.toBe(shard);
  expect(await appendSamples(again, ['later'], 'sync')).toBe(30);
});

test('a batch whose bytes rot is never served, and the ones around it are', async () => {
  const { shard, contents } = await filledShard();
  const rotten = contents.batches.get(9);
  if (rotten !== undefined) rotten.bytes[60] = 0xff;
  const { texts, faults } = await readAround(shard);
  expect(faults).toMatchObject([{ code: 'JOURNAL_RECORD_CORRUPT', first: 9, after: 12 }]);
  expect(texts[0]).toBe('12 x body 12');
  expect(texts.at(-1)).toBe('29 z/9 body 29');
  expect(await faultOf(shard.readAt(10 as Offset))).toMatchObject({
    code: 'JOURNAL_RECORD_CORRUPT',
  });
});

test('batches that are missing from a sealed segment are told when they are read', async () => {
  const { shard, contents } = await filledShard();
  contents.batches.delete(3);
  const { faults } = await readAround(shard);
  expect(faults).toMatchObject([{ first: 3, after: 6, file: 'batch 3' }]);
});

test('a gap in the active segment is reported at the opening', async () => {
  store = new MemoryStore();
  const journal = openBatchJournal(store);
  const shard = await journal.openShard('a');
  for (let i = 0; i < 4; i += 1) await appendSamples(shard, ['x', 'y'], 'sync');
  await journal.close();
  store.shards.get('a')?.batches.delete(2);
  const again = await openBatchJournal(store).openShard('a');
  expect(again.recovery.quarantined).toMatchObject([{ first: 2, after: 4 }]);
  expect(again.next).toBe(8);
  const { texts, faults } = await readAround(again);
  expect(faults).toMatchObject([{ first: 2, after: 4 }]);
  expect(texts).toEqual(['4 x body 4', '5 y body 5', '6 x body 6', '7 y body 7']);
});

test('a lost or damaged index is made anew from the batches', async () => {
  const { journal, contents } = await filledShard();
  await journal.close();
  const [first, second] = contents.segments.values();
  if (first !== undefined) first.index = null;
  second?.index?.fill(0xff, 100);
  const again = await openBatchJournal(store, OPTIONS).openShard('a');
  const wanted: RecordSelector = { kind: 'topics', exact: ['y'], matches: null };
  const found = await readToEnd(again.openReader(START, wanted), 100);
  expect(found.map((record) => record.offset)).toEqual([1, 4, 7, 10, 13, 16, 19, 22, 25, 28]);
  expect(again.recovery.quarantined).toEqual([]);
});
