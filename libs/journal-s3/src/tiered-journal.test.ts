import { ManualClock, ManualTimers, MemoryFileSystem, SeededRandom } from '@robustmq/environment';
import type { JournalShard, Offset, RecordSelector } from '@robustmq/journal';
import { appendSamples, describeJournal, readToEnd, textOf } from '@robustmq/journal-conformance';
import { expect, test } from 'vitest';
import { MemoryObjects } from './memory-objects.fixture.ts';
import { openTieredJournal } from './s3-journal.ts';
import type { TieredJournal } from './s3-journal.ts';

const START = 0 as Offset;
const EVERYTHING: RecordSelector = { kind: 'everything' };

/** The longest wait between two attempts, in milliseconds. */
const RETRY_MS_MAX = 60_000;

/** A machine with a disk, and the bucket it uses. */
class World {
  objects = new MemoryObjects();
  fileSystem = new MemoryFileSystem();
  readonly timers: ManualTimers = new ManualTimers(0);
  readonly reports: unknown[] = [];

  open(options: Partial<Parameters<typeof openTieredJournal>[1]> = {}): Promise<TieredJournal> {
    const { fileSystem, timers } = this;
    const report = (error: unknown): void => void this.reports.push(error);
    return openTieredJournal(
      this.objects,
      { directory: 'data', segmentBytesMax: 400, localBytesMax: 0, report, ...options },
      { fileSystem, clock: new ManualClock(0), random: new SeededRandom(1), timers },
    );
  }

  async localSegments(): Promise<readonly string[]> {
    const names = await this.fileSystem.list('data/shards/a');
    return names.filter((name) => name.endsWith('.log'));
  }

  get remoteSegments(): readonly string[] {
    return [...this.objects.objects.keys()].filter((key) => key.endsWith('.log')).toSorted();
  }
}

async function fill(shard: JournalShard, batches: number): Promise<void> {
  for (let i = 0; i < batches; i += 1) {
    await appendSamples(shard, ['x', 'y', `z/${i % 7}`], 'sync');
  }
}

async function textsOf(shard: JournalShard): Promise<string[]> {
  return (await readToEnd(shard.openReader(shard.oldest, EVERYTHING), 7)).map(textOf);
}

let world = new World();
let segmentBytes = 0;
for (const localBytesMax of [0, 1_000_000]) {
  describeJournal(`segments in a bucket, with ${localBytesMax} bytes kept here`, {
    open: (segmentBytesMax) => {
      world = new World();
      segmentBytes = segmentBytesMax;
      return world.open({ segmentBytesMax, localBytesMax });
    },
    reopen: () => world.open({ segmentBytesMax: segmentBytes, localBytesMax }),
    openBounded: (journalBytesMax) =>
      new World().open({ journalBytesMax, segmentBytesMax: journalBytesMax / 10 }),
  });
}

test('sealed segments move to the bucket, and are read from there', async () => {
  const here = new World();
  const journal = await here.open();
  const shard = await journal.openShard('a');
  await fill(shard, 40);
  await journal.settle();
  expect(await here.localSegments()).toHaveLength(2);
  expect(here.remoteSegments.length).toBeGreaterThan(5);
  const texts = await textsOf(shard);
  expect(texts).toHaveLength(120);
  expect(texts[60]).toBe('60 x body 60');
  await journal.close();
});

test('one topic is read by ranges that hold little else', async () => {
  const here = new World();
  const options = { segmentBytesMax: 100_000, cacheBytesMax: 0 };
  const journal = await here.open(options);
  const shard = await journal.openShard('a');
  for (let i = 0; i < 600; i += 1) {
    await appendSamples(shard, [i === 50 ? 'rare' : 'often', 'x'.repeat(1000)], 'sync');
  }
  await journal.settle();
  const stored = [...here.objects.objects.values()].reduce((sum, { length }) => sum + length, 0);
  here.objects.rangeBytes = 0;
  const wanted: RecordSelector = { kind: 'topics', exact: ['rare'], matches: null };
  const found = await readToEnd(shard.openReader(START, wanted), 10);
  expect(found.map((record) => record.offset)).toEqual([100]);
  expect(stored).toBeGreaterThan(400_000);
  // Indexes of the sealed segments, and one batch.
  expect(here.objects.rangeBytes).toBeLessThan(stored / 10);
  await journal.close();
});

test('a start asks the bucket for a list, and for nothing else', async () => {
  const here = new World();
  const first = await here.open();
  const shard = await first.openShard('a');
  await fill(shard, 40);
  const texts = await textsOf(shard);
  await first.settle();
  await first.close();
  here.objects.rangeBytes = 0;
  const second = await here.open();
  const again = await second.openShard('a');
  expect(here.objects.rangeBytes).toBe(0);
  expect(await textsOf(again)).toEqual(texts);
  await second.close();
});

test('a lost disk costs what was not in the bucket, and no more', async () => {
  const here = new World();
  const first = await here.open();
  const shard = await first.openShard('a');
  await fill(shard, 40);
  await first.settle();
  const texts = await textsOf(shard);
  await first.close();
  here.fileSystem = new MemoryFileSystem();
  const second = await here.open();
  expect(await second.listShards()).toEqual(['a']);
  const again = await second.openShard('a');
  expect(again.next).toBeGreaterThan(90);
  expect(again.recovery.quarantined).toEqual([]);
  expect(await textsOf(again)).toEqual(texts.slice(0, again.next));
  const { next } = again;
  await fill(again, 40);
  expect(again.next).toBe(next + 120);
  await second.settle();
  expect(await textsOf(again)).toHaveLength(next + 120);
  await second.close();
});

test('a bucket that fails is tried again, later and later, until appends are refused', async () => {
  const here = new World();
  const journal = await here.open({ waitingBytesMax: 2000 });
  const shard = await journal.openShard('a');
  here.objects.fault = new Error('the bucket is on fire');
  let refused: unknown = null;
  while (refused === null) {
    refused = await appendSamples(shard, ['x', 'y'], 'sync').then(
      () => null,
      (error: unknown) => error,
    );
    await journal.settle();
  }
  expect(String(refused)).toContain(
    'wait for the bucket, 2000 are allowed (the bucket is on fire)',
  );
  const { next } = shard;
  const waits: number[] = [];
  for (let i = 0; i < 9; i += 1) {
    waits.push(...here.timers.waitsMs);
    here.timers.advance(RETRY_MS_MAX);
    await journal.settle();
  }
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  here.objects.fault = null;
  here.timers.advance(RETRY_MS_MAX);
  await journal.settle();
  expect(await appendSamples(shard, ['x'], 'sync')).toBe(next);
  expect(await textsOf(shard)).toHaveLength(next + 1);
  expect(here.timers.waitsMs).toEqual([]);
  await journal.close();
});

test('what comes back changed is kept here', async () => {
  const here = new World();
  const journal = await here.open();
  const shard = await journal.openShard('a');
  here.objects.damages = true;
  await fill(shard, 40);
  await journal.settle();
  expect(String(here.reports[0])).toContain('came back changed');
  expect((await here.localSegments()).length).toBeGreaterThan(5);
  here.objects.damages = false;
  here.timers.advance(RETRY_MS_MAX);
  await journal.settle();
  expect(await here.localSegments()).toHaveLength(2);
  expect(await textsOf(shard)).toHaveLength(120);
  await journal.close();
});

test('trimmed segments leave the bucket, even when it was away at the time', async () => {
  const here = new World();
  const first = await here.open();
  const shard = await first.openShard('a');
  await fill(shard, 40);
  await first.settle();
  here.objects.fault = new Error('away');
  await shard.trimBefore(60 as Offset);
  await first.settle();
  const { oldest } = shard;
  expect(oldest).toBeGreaterThan(30);
  await first.close();
  here.objects.fault = null;
  const second = await here.open();
  const again = await second.openShard('a');
  expect(again.oldest).toBe(oldest);
  await second.settle();
  const base = /(\d{20})\.log$/.exec(here.remoteSegments[0] ?? '')?.[1];
  expect(Number(base)).toBe(oldest);
  await second.close();
});

test('a shard that is deleted has nothing left in the bucket', async () => {
  const here = new World();
  const first = await here.open();
  await fill(await first.openShard('a'), 40);
  await first.settle();
  await first.close();
  const second = await here.open();
  await second.deleteShard('a');
  expect(here.remoteSegments).toEqual([]);
  expect((await second.openShard('a')).next).toBe(0);
  await second.close();
});

test('a start goes on without the bucket when everything is known here', async () => {
  const here = new World();
  const first = await here.open();
  await fill(await first.openShard('a'), 40);
  await first.settle();
  await first.close();
  here.objects.fault = new Error('away');
  const second = await here.open();
  const shard = await second.openShard('a');
  expect(await appendSamples(shard, ['x'], 'sync')).toBe(120);
  await expect(shard.readAt(START)).rejects.toMatchObject({
    fault: { code: 'JOURNAL_UNAVAILABLE' },
  });
  await second.close();
});

test('a broker whose prefix another one has taken over sends nothing any more', async () => {
  const here = new World();
  const first = await here.open();
  const shard = await first.openShard('a');
  await fill(shard, 10);
  await first.settle();
  const other = new World();
  other.objects = here.objects;
  const second = await other.open();
  const before = here.remoteSegments;
  await fill(shard, 30);
  await first.settle();
  expect(here.remoteSegments).toEqual(before);
  expect(String(here.reports[0])).toContain('names another owner');
  await first.close();
  await second.close();
});

test('an object that has vanished is damage, told with its records, and the rest is served', async () => {
  const here = new World();
  const first = await here.open();
  await fill(await first.openShard('a'), 40);
  await first.settle();
  await first.close();
  const [gone = ''] = here.remoteSegments.slice(2);
  here.objects.objects.delete(gone);
  const second = await here.open({ cacheBytesMax: 0 });
  const shard = await second.openShard('a');
  const base = Number(/(\d{20})/.exec(gone)?.[1]) as Offset;
  await expect(shard.readAt(base)).rejects.toMatchObject({
    fault: { code: 'JOURNAL_RECORD_CORRUPT', first: base },
  });
  expect((await shard.readAt((base - 1) as Offset))?.offset).toBe(base - 1);
  await second.close();
});
