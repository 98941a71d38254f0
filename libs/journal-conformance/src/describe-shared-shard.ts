/** What every message shard does that many processes append to. */
import { SeededRandom } from '@robustmq/environment';
import type { JournalRecord, Offset, RecordSelector, SharedShard } from '@robustmq/journal';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeAcknowledgements } from './describe-acknowledgements.ts';
import { readToEnd } from './read-to-end.ts';
import { faultOf, LONG_MS } from './shared-journal-fixture.ts';
import type {
  SharedJournalCapabilities,
  SharedJournalFactory,
  SharedJournalUnderTest,
} from './shared-journal-fixture.ts';
import {
  appendTexts,
  bodyOf,
  contentOf,
  EVERYTHING,
  type ProcessName,
  SharedShardBench,
  START,
  takeRecords,
} from './shared-shard-bench.ts';

/** What the tests of one part need. */
interface Stage {
  readonly bench: SharedShardBench;
  readonly underTest: SharedJournalUnderTest;
  readonly one: SharedShard;
  readonly two: SharedShard;
}

export function describeSharedShard(
  open: SharedJournalFactory,
  capabilities: SharedJournalCapabilities,
): void {
  describe('a message shard', () => {
    let stage: Stage;
    let bench: SharedShardBench;
    let underTest: SharedJournalUnderTest;

    beforeAll(async () => {
      underTest = await open();
      bench = new SharedShardBench(underTest);
    });

    beforeEach(async () => {
      await bench.begin();
      const one = await bench.handle('one');
      stage = { bench, underTest, one, two: await bench.handle('two') };
    });

    afterAll(() => bench.close());

    describeAppends(() => stage);
    describeAcknowledgements(() => stage);
    describeFences(() => stage);
    describeReads(() => stage);
    describeTails(() => stage);
    describeTrims(() => stage);
    test.skipIf(!capabilities.losesAnswers)(
      'an append whose answers are lost is written once',
      async () => {
        const { bench, one } = stage;
        const producer = bench.producer('one');
        await appendTexts(one, ['a first'], { producer });
        underTest.loseAnswers?.('one', 2);
        const appends = ['a 1', 'a 2', 'a 3'].map((text) => appendTexts(one, [text], { producer }));
        expect(await Promise.all(appends)).toEqual([1, 2, 3]);
        expect(await contentOf(one)).toEqual(['a first', 'a 1', 'a 2', 'a 3']);
      },
    );
    test.skipIf(!capabilities.holdsWrites)(
      'an append that arrives after its producer was fenced is not written',
      () => arrivesTooLate(stage),
    );
    // The last: it ends a process.
    test('a closed journal refuses everything, and its tails end', () => closes(stage));
  });
}

async function arrivesTooLate({ bench, underTest, one, two }: Stage): Promise<void> {
  const producer = bench.producer('one');
  await appendTexts(one, ['a kept'], { producer });
  const hold = underTest.holdWrites?.('one');
  const late = faultOf(appendTexts(one, ['a late'], { producer, deadlineMs: 200 }));
  expect((await late)?.code).toBe('JOURNAL_UNAVAILABLE');
  await two.fence(producer);
  const end = await two.committed(LONG_MS);
  hold?.release();
  const next = bench.producer('one', 1);
  const first = await appendTexts(one, ['a next'], { producer: next });
  expect(first).toBe(end);
  expect(await contentOf(two)).toEqual(['a kept', 'a next']);
}

async function closes({ bench, one, two }: Stage): Promise<void> {
  await appendTexts(two, ['a 1'], { producer: bench.producer('two') });
  const tail = one.openTail(1 as Offset, EVERYTHING);
  const waiting = faultOf(tail.next(10, 1000));
  const journal = await bench.journal('one');
  await bench.closeJournal('one');
  const closed = { code: 'JOURNAL_CLOSED' };
  expect(await waiting).toEqual(closed);
  expect(await faultOf(tail.next(1, 1))).toEqual(closed);
  expect(await faultOf(one.committed(LONG_MS))).toEqual(closed);
  expect(await faultOf(journal.openShard(bench.name))).toEqual(closed);
  const producer = bench.producer('one');
  expect(await faultOf(appendTexts(one, ['a 2'], { producer }))).toEqual(closed);
  expect(await contentOf(two)).toEqual(['a 1']);
}

function describeAppends(stage: () => Stage): void {
  test('an empty shard has nothing', async () => {
    const { one } = stage();
    expect(await one.committed(LONG_MS)).toBe(0);
    expect(await one.openReader(START, EVERYTHING).read(10, 1000)).toEqual([]);
    expect(await one.readAt(START)).toBeNull();
    expect(await one.offsetAt(0)).toBe(0);
  });

  test('a batch gets the offset of its first record, and stays together', async () => {
    const { bench, one, two } = stage();
    const producer = bench.producer('one');
    expect(await appendTexts(one, ['a 1', 'b 2', 'c 3'], { producer })).toBe(0);
    expect(await appendTexts(two, ['a 4'], { producer: bench.producer('two') })).toBe(3);
    expect(await appendTexts(one, ['a 5'], { producer })).toBe(4);
    const records = await readToEnd(two.openReader(START, EVERYTHING), 2);
    expect(records.map((record) => [record.offset, record.kind, record.topic])).toEqual([
      [0, 1, 'a'],
      [1, 1, 'b'],
      [2, 1, 'c'],
      [3, 1, 'a'],
      [4, 1, 'a'],
    ]);
    expect(records.map(bodyOf)).toEqual(['a 1', 'b 2', 'c 3', 'a 4', 'a 5']);
  });

  test('appends that overlap are committed in the order of the calls', async () => {
    const { bench, one } = stage();
    const producer = bench.producer('one');
    const texts = Array.from({ length: 60 }, (_, i) => `t ${i}`);
    const offsets = await Promise.all(texts.map((text) => appendTexts(one, [text], { producer })));
    expect(offsets).toEqual(texts.map((_, i) => i));
    expect(await contentOf(one)).toEqual(texts);
  });

  test('processes that append at once share the offsets, each in its order', async () => {
    const { bench, one, two } = stage();
    const work: [SharedShard, ProcessName][] = [
      [one, 'one'],
      [two, 'two'],
      [await bench.handle('three'), 'three'],
    ];
    const appended = work.flatMap(([shard, process]) =>
      Array.from({ length: 30 }, async (_, i) => {
        const texts = Array.from({ length: 1 + (i % 3) }, (_, at) => `${process} ${i}.${at}`);
        const first = await appendTexts(shard, texts, { producer: bench.producer(process) });
        return texts.map((text, at) => [first + at, text] as const);
      }),
    );
    const expected: string[] = [];
    for (const [offset, text] of (await Promise.all(appended)).flat()) expected[offset] = text;
    const content = await contentOf(one);
    expect(content).toEqual(expected);
    expect(content).toHaveLength(180);
    for (const [, process] of work) {
      const own = content
        .filter((text) => text.startsWith(process))
        .map((text) => text.split(' ')[1]);
      const inOrder = Array.from({ length: 30 }, (_, i) =>
        Array.from({ length: 1 + (i % 3) }, (_, at) => `${i}.${at}`),
      );
      expect(own).toEqual(inOrder.flat());
    }
  });

  test('the bytes of a batch may be used again once it is settled', async () => {
    const { bench, one } = stage();
    const producer = bench.producer('one');
    const body = 'x'.repeat(3000);
    await appendTexts(one, [`a ${body}`], { producer });
    const [record] = await one.openReader(START, EVERYTHING).read(1, 1);
    expect(record && bodyOf(record)).toBe(`a ${body}`);
  });

  test('what is acknowledged to one process is committed for every other', async () => {
    const { bench, one, two } = stage();
    for (let round = 0; round < 20; round += 1) {
      const [writer, reader] = round % 2 === 0 ? [one, two] : [two, one];
      const process = round % 2 === 0 ? 'one' : 'two';
      const first = await appendTexts(writer, [`r ${round}`], {
        producer: bench.producer(process),
      });
      expect(await reader.committed(LONG_MS)).toBeGreaterThan(first);
      const record = await reader.readAt(first);
      expect(record && bodyOf(record)).toBe(`r ${round}`);
    }
  });
}

function describeFences(stage: () => Stage): void {
  test('a fenced producer is refused, its next life is not', async () => {
    const { bench, one, two } = stage();
    const producer = bench.producer('one', 5);
    await appendTexts(one, ['a kept'], { producer });
    await two.fence(producer);
    await two.fence(producer);
    const refused = [1, 2, 3].map((i) => faultOf(appendTexts(one, [`a ${i}`], { producer })));
    for (const fault of await Promise.all(refused)) expect(fault?.code).toBe('JOURNAL_FENCED');
    const earlier = appendTexts(one, ['a earlier'], { producer: bench.producer('one', 4) });
    expect((await faultOf(earlier))?.code).toBe('JOURNAL_FENCED');
    const next = await bench.handle('one');
    expect(await appendTexts(next, ['a next'], { producer: bench.producer('one', 6) })).toBe(1);
    expect(await contentOf(two)).toEqual(['a kept', 'a next']);
  });

  test('an incarnation ends those before it', async () => {
    const { bench, one, two } = stage();
    await appendTexts(one, ['a 2'], { producer: bench.producer('one', 2) });
    const earlier = faultOf(appendTexts(two, ['a 1'], { producer: bench.producer('one', 1) }));
    expect((await earlier)?.code).toBe('JOURNAL_FENCED');
    await appendTexts(two, ['b 1'], { producer: bench.producer('two', 1) });
    expect(await contentOf(one)).toEqual(['a 2', 'b 1']);
  });

  test('once a fence has settled, nothing more of the producer is committed', async () => {
    const { bench, one, two } = stage();
    const producer = bench.producer('one');
    const outcomes: { readonly text: string; readonly offset: Offset | null }[] = [];
    const appends = Array.from({ length: 40 }, async (_, i) => {
      const text = `a ${i}`;
      try {
        outcomes[i] = { text, offset: await appendTexts(one, [text], { producer }) };
      } catch {
        outcomes[i] = { text, offset: null };
      }
    });
    await two.fence(producer);
    const end = await two.committed(LONG_MS);
    await Promise.all(appends);
    await appendTexts(two, ['b after'], { producer: bench.producer('two') });
    const content = await contentOf(two);
    expect(content.slice(end)).toEqual(['b after']);
    // Whatever was acknowledged is there, and what is there is a beginning of what was appended.
    for (const { text, offset } of outcomes)
      if (offset !== null) expect(content[offset]).toBe(text);
    expect(content.slice(0, end)).toEqual(outcomes.slice(0, end).map(({ text }) => text));
    const refused = outcomes.findIndex(({ offset }) => offset === null);
    if (refused >= 0)
      expect(outcomes.slice(refused).every(({ offset }) => offset === null)).toBe(true);
  });
}

function describeReads(stage: () => Stage): void {
  test('selectors find what a look at each record finds', async () => {
    const { bench, one, two } = stage();
    const seed = Math.floor(Math.random() * 1_000_000);
    const random = new SeededRandom(seed);
    const topics = Array.from({ length: 12 }, (_, i) => `t${i}`);
    for (let batch = 0; batch < 40; batch += 1) {
      const texts = Array.from({ length: 1 + random.below(6) }, () => {
        return `${topics[random.below(random.below(topics.length) + 1)] as string} ${batch}`;
      });
      await appendTexts(one, texts, { producer: bench.producer('one') });
    }
    const all = await readToEnd(two.openReader(START, EVERYTHING), 1000);
    for (let round = 0; round < 25; round += 1) {
      const exact = topics.filter(() => random.below(6) === 0);
      const last = String(random.below(10));
      const matches = random.below(2) === 0 ? null : (topic: string) => topic.endsWith(last);
      const from = random.below(all.length) as Offset;
      const selector: RecordSelector = { kind: 'topics', exact, matches };
      const found = await readToEnd(two.openReader(from, selector), 1 + random.below(20));
      const wanted = all.filter(({ offset, topic }) => {
        return offset >= from && (exact.includes(topic) || matches?.(topic) === true);
      });
      expect(found.map(placed), `seed ${seed}, round ${round}`).toEqual(wanted.map(placed));
    }
  });

  test('a reader at the end sees what is appended later', async () => {
    const { bench, one, two } = stage();
    const reader = two.openReader(START, { kind: 'topics', exact: ['x'], matches: null });
    for (let round = 0; round < 5; round += 1) {
      expect(await reader.read(10, 1000)).toEqual([]);
      await appendTexts(one, [`new/${round}`, `x ${round}`], { producer: bench.producer('one') });
      await two.committed(LONG_MS);
      expect((await reader.read(10, 1000)).map(bodyOf)).toEqual([`x ${round}`]);
      expect(reader.position).toBe(2 * round + 2);
    }
  });

  test('offsetAt finds the first record of a time or later', async () => {
    const { bench, one, two } = stage();
    for (let i = 0; i < 20; i += 1) {
      await appendTexts(one, [`a ${i}`, `b ${i}`], { producer: bench.producer('one') });
    }
    const all = await readToEnd(two.openReader(START, EVERYTHING), 100);
    const newest = Math.max(...all.map(({ appendedAtMs }) => appendedAtMs));
    for (const atMs of [0, ...all.map(({ appendedAtMs }) => appendedAtMs), newest + 1]) {
      const first = all.find(({ appendedAtMs }) => appendedAtMs >= atMs);
      expect(await two.offsetAt(atMs)).toBe(first?.offset ?? 40);
    }
  });

  test('readAt finds each record, and null outside', async () => {
    const { bench, one, two } = stage();
    await appendTexts(one, ['a 0', 'b 1', 'c 2'], { producer: bench.producer('one') });
    await two.committed(LONG_MS);
    for (const [at, text] of ['a 0', 'b 1', 'c 2'].entries()) {
      const record = await two.readAt(at as Offset);
      expect(record && [record.offset, bodyOf(record)]).toEqual([at, text]);
    }
    expect(await two.readAt(3 as Offset)).toBeNull();
  });
}

function placed(record: JournalRecord): string {
  return `${record.offset} ${record.topic} ${bodyOf(record)}`;
}

function describeTails(stage: () => Stage): void {
  test('a tail has each record once and in order while others append', async () => {
    const { bench, one, two } = stage();
    const three = await bench.handle('three');
    const tails = [1, 7, 1000].map(async (pageRecords) => {
      const tail = three.openTail(START, EVERYTHING);
      const records = await takeRecords(tail, 120, pageRecords);
      expect(tail.position).toBeGreaterThanOrEqual(120);
      tail.close();
      return records.map(placed);
    });
    const work: [SharedShard, ProcessName][] = [
      [one, 'one'],
      [two, 'two'],
    ];
    for (let i = 0; i < 20; i += 1) {
      await Promise.all(
        work.map(([shard, process]) =>
          appendTexts(shard, [`${process} ${i}`, 'x', 'y'], { producer: bench.producer(process) }),
        ),
      );
    }
    const all = await readToEnd(one.openReader(START, EVERYTHING), 50);
    for (const found of await Promise.all(tails)) expect(found).toEqual(all.map(placed));
  });

  test('a tail with a selector skips the others, and its position moves past them', async () => {
    const { bench, one, two } = stage();
    const producer = bench.producer('one');
    const tail = two.openTail(START, { kind: 'topics', exact: ['b'], matches: null });
    await appendTexts(one, ['a 0', 'b 1', 'a 2'], { producer });
    expect((await takeRecords(tail, 1, 10)).map(bodyOf)).toEqual(['b 1']);
    await appendTexts(one, ['a 3', 'a 4'], { producer });
    while (tail.position < 5) expect(await tail.next(10, 1000)).toEqual([]);
    await appendTexts(one, ['a 5', 'b 6'], { producer });
    expect((await takeRecords(tail, 1, 10)).map(bodyOf)).toEqual(['b 6']);
    tail.close();
  });

  test('a tail from the end waits; from the middle it begins there', async () => {
    const { bench, one, two } = stage();
    const producer = bench.producer('one');
    await appendTexts(one, ['a 0', 'a 1', 'a 2'], { producer });
    const middle = two.openTail(1 as Offset, EVERYTHING);
    expect((await takeRecords(middle, 2, 10)).map(bodyOf)).toEqual(['a 1', 'a 2']);
    const end = two.openTail(3 as Offset, EVERYTHING);
    const next = end.next(10, 1000);
    await appendTexts(one, ['a 3'], { producer });
    expect((await next).map(bodyOf)).toEqual(['a 3']);
    for (const tail of [middle, end]) tail.close();
  });

  test('a tail that is closed ends the call that waits, and every later one', async () => {
    const { two } = stage();
    const tail = two.openTail(START, EVERYTHING);
    const waiting = faultOf(tail.next(10, 1000));
    tail.close();
    tail.close();
    expect(await waiting).toEqual({ code: 'JOURNAL_CLOSED' });
    expect(await faultOf(tail.next(10, 1000))).toEqual({ code: 'JOURNAL_CLOSED' });
  });
}

function describeTrims(stage: () => Stage): void {
  test('what is trimmed is gone, and offsets go on', async () => {
    const { bench, one, two } = stage();
    const producer = bench.producer('one');
    for (let i = 0; i < 30; i += 1)
      await appendTexts(one, [`a ${i} ${'x'.repeat(500)}`], { producer });
    const reader = two.openReader(START, EVERYTHING);
    await one.trimBefore(30 as Offset);
    await one.trimBefore(10 as Offset);
    expect(one.oldest).toBeGreaterThan(0);
    expect(one.oldest).toBeLessThanOrEqual(30);
    expect(await one.readAt(START)).toBeNull();
    expect(await faultOf(reader.read(10, 1000))).toMatchObject({
      code: 'JOURNAL_OFFSET_TRIMMED',
      requested: 0,
    });
    const tail = two.openTail(START, EVERYTHING);
    expect((await faultOf(tail.next(10, 1000)))?.code).toBe('JOURNAL_OFFSET_TRIMMED');
    tail.close();
    expect(await appendTexts(one, ['a later'], { producer })).toBe(30);
    const kept = await readToEnd(one.openReader(one.oldest, EVERYTHING), 10);
    expect(kept.at(-1)?.offset).toBe(30);
    expect(kept[0]?.offset).toBe(one.oldest);
  });
}
