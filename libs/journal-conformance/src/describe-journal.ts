/** The suite that every journal adapter passes. */
import { JournalError } from '@robustmq/journal';
import type { Journal, JournalShard, Offset, RecordSelector } from '@robustmq/journal';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readToEnd } from './read-to-end.ts';
import { appendSamples, sampleBatch, textOf } from './sample-batches.ts';

/** How to make the adapter under test, with small segments so that a few records fill several. */
export interface JournalFixture {
  /** A new, empty journal whose segments hold about `segmentBytesMax` bytes. */
  open(segmentBytesMax: number): Promise<Journal>;
  /** For durable adapters: the same data, opened again after `close`. */
  reopen?(): Promise<Journal>;
  /** For shared adapters: the same data, opened beside the journal that has it open now. */
  openSuccessor?(): Promise<Journal>;
  /** For adapters with a limit: a journal that takes about `bytesMax` bytes. */
  openBounded?(bytesMax: number): Promise<Journal>;
}

const START = 0 as Offset;
const EVERYTHING: RecordSelector = { kind: 'everything' };
const SEGMENT_BYTES = 1000;

function topics(...exact: string[]): RecordSelector {
  return { kind: 'topics', exact, matches: null };
}

async function faultOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof JournalError ? error.fault : error;
}

async function fill(shard: JournalShard, batches: number): Promise<void> {
  for (let i = 0; i < batches; i += 1) {
    await appendSamples(shard, [`t/${i % 5}`, 'common', ''], 'sync');
  }
}

export function describeJournal(name: string, fixture: JournalFixture): void {
  describe(`${name}, read as a journal`, () => {
    let journal: Journal;
    let shard: JournalShard;

    beforeAll(async () => {
      journal = await fixture.open(SEGMENT_BYTES);
      shard = await journal.openShard('first');
      await fill(shard, 30);
    });

    afterAll(async () => {
      await journal.close();
    });

    describeSelectors(() => shard);
  });

  describe(`${name}, as a journal`, () => {
    let journal: Journal;
    let shard: JournalShard;

    beforeEach(async () => {
      journal = await fixture.open(SEGMENT_BYTES);
      shard = await journal.openShard('first');
    });

    afterEach(async () => {
      await journal.close();
    });

    describeAppend(() => shard);
    describeRead(() => shard);
    describeTrim(() => shard);
    describeShards(() => journal);
    const { reopen, openSuccessor, openBounded } = fixture;
    if (openSuccessor !== undefined) describeSuccession(() => journal, openSuccessor);
    if (reopen !== undefined)
      describeReopen(
        () => journal,
        reopen,
        (again) => (journal = again),
      );
    if (openBounded !== undefined) describeLimit(openBounded);
  });
}

function describeAppend(current: () => JournalShard): void {
  test('an empty shard starts at offset 0 and has nothing to read', async () => {
    const shard = current();
    expect([shard.oldest, shard.next, shard.committed]).toEqual([0, 0, 0]);
    expect(await shard.openReader(START, EVERYTHING).read(10, 1000)).toEqual([]);
    expect(await shard.oldestSegment()).toBeNull();
  });

  test('next grows inside append and committed once it has settled', async () => {
    const shard = current();
    const appended = appendSamples(shard, ['a', 'b'], 'sync');
    expect(shard.next).toBe(2);
    expect(await appended).toBe(0);
    expect(shard.committed).toBe(2);
  });

  test('appends that overlap are committed in the order of the calls', async () => {
    const shard = current();
    const settled: number[] = [];
    const appends = Array.from({ length: 50 }, (_, i) => {
      const ack = i % 3 === 0 ? 'async' : 'sync';
      return appendSamples(shard, [`t/${i}`], ack).then((first) => settled.push(first));
    });
    await Promise.all(appends);
    expect(settled).toEqual(Array.from({ length: 50 }, (_, i) => i));
    const records = await readToEnd(shard.openReader(START, EVERYTHING), 7);
    expect(records.map((record) => record.topic)).toEqual(settled.map((i) => `t/${i}`));
  });

  test('a record comes back with kind, time, topic and body', async () => {
    const shard = current();
    const sample = { kind: 200, topic: 'caf\u00e9/\ufefftemperature', body: 'x'.repeat(5000) };
    await shard.append(sampleBatch([sample], START, 1_700_000_000_123), 'sync');
    const [record] = await shard.openReader(START, EVERYTHING).read(1, 1);
    expect(record).toMatchObject({ offset: 0, kind: 200, topic: sample.topic });
    expect(record?.appendedAtMs).toBe(1_700_000_000_123);
    expect(new TextDecoder().decode(record?.body)).toBe(sample.body);
  });

  test('a reused builder buffer does not change what was appended', async () => {
    const shard = current();
    const batch = sampleBatch([{ kind: 1, topic: 'a', body: 'kept' }], START, 1);
    await shard.append(batch, 'sync');
    batch.bytes.fill(0xff);
    const [record] = await shard.openReader(START, topics('a')).read(1, 100);
    expect(record && textOf(record)).toBe('0 a kept');
  });

  test('the counters tell what was appended', async () => {
    const shard = current();
    await fill(shard, 3);
    expect(shard.stats).toMatchObject({ appendedBatches: 3, appendedRecords: 9 });
    expect(shard.stats.bytes).toBeGreaterThan(0);
  });
}

/** On a shard with 30 batches of three records that nobody changes. */
function describeSelectors(current: () => JournalShard): void {
  const selectors: { why: string; selector: RecordSelector; wants: (topic: string) => boolean }[] =
    [
      { why: 'everything', selector: EVERYTHING, wants: () => true },
      { why: 'one topic', selector: topics('t/3'), wants: (topic) => topic === 't/3' },
      {
        why: 'several topics, one unknown',
        selector: topics('t/1', 'none', 'common'),
        wants: (topic) => topic === 't/1' || topic === 'common',
      },
      {
        why: 'a predicate and a topic',
        selector: { kind: 'topics', exact: ['common'], matches: (topic) => topic > 't/2' },
        wants: (topic) => topic === 'common' || topic > 't/2',
      },
      {
        why: 'a predicate for all: records without a topic are not asked about',
        selector: { kind: 'topics', exact: [], matches: () => true },
        wants: (topic) => topic !== '',
      },
    ];

  for (const { why, selector, wants } of selectors) {
    for (const from of [0, 1, 17, 88]) {
      for (const recordsMax of [1, 4, 1000]) {
        test(`${why}, from ${from} in pages of ${recordsMax}, comes in order and whole`, async () => {
          const shard = current();
          const all = await readToEnd(shard.openReader(START, EVERYTHING), 1000);
          expect(all).toHaveLength(90);
          const reader = shard.openReader(from as Offset, selector);
          const found = await readToEnd(reader, recordsMax);
          const wanted = all.filter((record) => record.offset >= from && wants(record.topic));
          expect(found.map(textOf)).toEqual(wanted.map(textOf));
          expect(reader.position).toBe(shard.committed);
        });
      }
    }
  }
}

function describeRead(current: () => JournalShard): void {
  test('a page ends at about bytesMax but holds at least one record', async () => {
    const shard = current();
    await fill(shard, 10);
    expect(await shard.openReader(START, EVERYTHING).read(100, 0)).toHaveLength(1);
    const page = await shard.openReader(START, EVERYTHING).read(100, 60);
    expect(page.length).toBeGreaterThan(1);
    expect(page.length).toBeLessThan(30);
  });

  test('a reader at the tail sees what is appended later, new topics too', async () => {
    const shard = current();
    const reader = shard.openReader(START, { kind: 'topics', exact: ['x'], matches: null });
    for (let round = 0; round < 40; round += 1) {
      expect(await reader.read(10, 1000)).toEqual([]);
      expect(reader.position).toBe(shard.committed);
      const first = await appendSamples(shard, [`new/${round}`, 'x'], 'sync');
      expect((await reader.read(10, 1000)).map(textOf)).toEqual([
        `${first + 1} x body ${first + 1}`,
      ]);
    }
  });

  test('readAt finds each record, and null outside', async () => {
    const shard = current();
    await fill(shard, 30);
    for (const offset of [0, 1, 44, 89]) {
      const record = await shard.readAt(offset as Offset);
      expect(record?.offset).toBe(offset);
    }
    expect(await shard.readAt(90 as Offset)).toBeNull();
  });
}

function describeTrim(current: () => JournalShard): void {
  test('trimming forgets whole old segments and keeps the rest readable', async () => {
    const shard = current();
    await fill(shard, 40);
    await shard.trimBefore(60 as Offset);
    expect(shard.oldest).toBeGreaterThan(0);
    expect(shard.oldest).toBeLessThanOrEqual(60);
    expect(await shard.readAt(START)).toBeNull();
    const records = await readToEnd(shard.openReader(shard.oldest, EVERYTHING), 100);
    expect(records[0]?.offset).toBe(shard.oldest);
    expect(records.at(-1)?.offset).toBe(119);
    await shard.trimBefore(60 as Offset);
    await shard.trimBefore(10 as Offset);
  });

  test('a reader behind the oldest record is told so', async () => {
    const shard = current();
    await fill(shard, 40);
    const reader = shard.openReader(START, topics('common'));
    await shard.trimBefore(60 as Offset);
    const fault = await faultOf(reader.read(10, 1000));
    expect(fault).toEqual({ code: 'JOURNAL_OFFSET_TRIMMED', requested: 0, oldest: shard.oldest });
  });

  test('trimming everything does not reuse offsets', async () => {
    const shard = current();
    await fill(shard, 40);
    await shard.trimBefore(shard.next);
    expect(shard.next).toBe(120);
    expect(await appendSamples(shard, ['later'], 'sync')).toBe(120);
    const records = await readToEnd(shard.openReader(shard.oldest, topics('later')), 10);
    expect(records.map(textOf)).toEqual(['120 later body 120']);
  });

  test('the oldest sealed segment tells its range and topics', async () => {
    const shard = current();
    await fill(shard, 40);
    const summary = await shard.oldestSegment();
    expect(summary?.first).toBe(0);
    expect([...(summary?.topics ?? [])].sort()).toEqual([
      'common',
      't/0',
      't/1',
      't/2',
      't/3',
      't/4',
    ]);
    await shard.trimBefore(summary?.after as Offset);
    expect(shard.oldest).toBe(summary?.after);
    expect((await shard.oldestSegment())?.first).toBe(summary?.after);
  });
}

function describeShards(current: () => Journal): void {
  test('shards are apart, listed, and gone once deleted', async () => {
    const journal = current();
    const other = await journal.openShard('other/of*them.~');
    await appendSamples(other, ['a'], 'sync');
    expect(await journal.listShards()).toEqual(['first', 'other/of*them.~']);
    expect(await journal.openShard('other/of*them.~')).toBe(other);
    await journal.deleteShard('other/of*them.~');
    expect(await journal.listShards()).toEqual(['first']);
    expect((await journal.openShard('other/of*them.~')).next).toBe(0);
  });

  test('a closed journal refuses everything', async () => {
    const journal = current();
    const shard = await journal.openShard('first');
    await journal.close();
    expect(await faultOf(appendSamples(shard, ['a'], 'sync'))).toEqual({ code: 'JOURNAL_CLOSED' });
    expect(await faultOf(shard.openReader(START, EVERYTHING).read(1, 1))).toEqual({
      code: 'JOURNAL_CLOSED',
    });
    expect(await faultOf(journal.openShard('first'))).toEqual({ code: 'JOURNAL_CLOSED' });
  });
}

function describeReopen(
  current: () => Journal,
  reopen: () => Promise<Journal>,
  replace: (journal: Journal) => void,
): void {
  test('everything is there after closing and opening, and offsets go on', async () => {
    const shard = await current().openShard('first');
    await fill(shard, 30);
    await appendSamples(shard, ['late'], 'async');
    const before = await readToEnd(shard.openReader(START, EVERYTHING), 1000);
    await shard.trimBefore(20 as Offset);
    const { oldest } = shard;
    await current().close();
    const again = await reopen();
    replace(again);
    const recovered = await again.openShard('first');
    expect([recovered.oldest, recovered.next, recovered.committed]).toEqual([oldest, 91, 91]);
    expect(recovered.recovery.quarantined).toEqual([]);
    const after = await readToEnd(recovered.openReader(oldest, EVERYTHING), 10);
    expect(after.map(textOf)).toEqual(before.slice(oldest).map(textOf));
    const late = await readToEnd(recovered.openReader(oldest, topics('late')), 10);
    expect(late.map(textOf)).toEqual(['90 late body 90']);
    expect(await appendSamples(recovered, ['more'], 'sync')).toBe(91);
  });
}

function describeSuccession(current: () => Journal, openSuccessor: () => Promise<Journal>): void {
  test('a successor finds everything, and the writer before it can write no more', async () => {
    expect(current().capabilities.shared).toBe(true);
    const shard = await current().openShard('first');
    await fill(shard, 20);
    const successor = await openSuccessor();
    const taken = await successor.openShard('first');
    expect(taken.next).toBe(60);
    expect(await faultOf(appendSamples(shard, ['stale'], 'sync'))).toMatchObject({
      code: 'JOURNAL_FENCED',
    });
    expect(await appendSamples(taken, ['fresh'], 'sync')).toBe(60);
    const records = await readToEnd(taken.openReader(START, EVERYTHING), 100);
    expect(records.at(-1)?.topic).toBe('fresh');
    expect(records).toHaveLength(61);
    await successor.close();
  });
}

function describeLimit(openBounded: (bytesMax: number) => Promise<Journal>): void {
  test('a full journal refuses appends, loses nothing, and accepts again after a trim', async () => {
    const journal = await openBounded(20_000);
    const shard = await journal.openShard('bounded');
    let fault: unknown = null;
    while (fault === null) {
      const before = shard.next;
      fault = await faultOf(appendSamples(shard, ['x'.repeat(500)], 'sync'));
      if (fault !== null) expect(shard.next).toBe(before);
    }
    expect(fault).toMatchObject({ code: 'JOURNAL_FULL', limit: 'configured' });
    const count = shard.next;
    expect(await readToEnd(shard.openReader(START, EVERYTHING), 10)).toHaveLength(count);
    await shard.trimBefore(shard.next);
    expect(await appendSamples(shard, ['again'], 'sync')).toBe(count);
    await journal.close();
  });
}
