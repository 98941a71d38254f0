/** What every keyed shard does that many processes write to. */
import { SeededRandom } from '@robustmq/environment';
import type {
  KeyedChange,
  KeyedRecord,
  KeyedShard,
  KeyedTail,
  SharedJournal,
} from '@robustmq/journal';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { faultOf, LONG_MS } from './shared-journal-fixture.ts';
import type {
  SharedJournalCapabilities,
  SharedJournalFactory,
  SharedJournalUnderTest,
} from './shared-journal-fixture.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

interface Stage {
  readonly underTest: SharedJournalUnderTest;
  readonly one: KeyedShard;
  readonly two: KeyedShard;
}

export function describeKeyedShard(
  open: SharedJournalFactory,
  capabilities: SharedJournalCapabilities,
): void {
  describe('a keyed shard', () => {
    let underTest: SharedJournalUnderTest;
    let first: SharedJournal;
    let second: SharedJournal;
    let stage: Stage;
    let tables = 0;

    beforeAll(async () => {
      underTest = await open();
      first = await underTest.connect('one');
      second = await underTest.connect('two');
    });

    beforeEach(async () => {
      tables += 1;
      const name = `keyed-${tables}`;
      await underTest.createTable(name);
      const one = await first.openTable(name);
      stage = { underTest, one, two: await second.openTable(name) };
    });

    afterAll(async () => {
      await first.close();
      await second.close();
      await underTest.close();
    });

    describeWrites(() => stage);
    describeClaims(() => stage);
    describeLists(() => stage);
    describeKeyedTails(() => stage);
    test.skipIf(!capabilities.losesAnswers)('a write whose answers are lost is taken', async () => {
      const { underTest, one, two } = stage;
      await put(one, 'a', 'before');
      underTest.loseAnswers?.('one', 2);
      expect(await put(one, 'a', 'after')).toEqual([true]);
      expect(await read(two, 'a')).toBe('after');
    });
    test.skipIf(!capabilities.holdsWrites)('a write that arrives after a claim is refused', () =>
      arrivesTooLate(stage),
    );
    // The last: it ends a process.
    test('a closed journal refuses everything, and its tails end', () => closes(stage, first));
  });
}

async function arrivesTooLate({ underTest, one, two }: Stage): Promise<void> {
  await put(one, 'a', 'kept');
  const hold = underTest.holdWrites?.('one');
  const late = put(one, 'a', 'late');
  const claimed = await two.claim('a', 2, LONG_MS);
  expect(claimed.taken && text(claimed.record)).toBe('kept');
  hold?.release();
  expect(await late).toEqual([false]);
  expect(await read(two, 'a')).toBe('kept');
}

async function closes({ one, two }: Stage, journal: SharedJournal): Promise<void> {
  await put(one, 'a', '1');
  const tail = one.openTail(1);
  const waiting = faultOf(tail.next(10));
  await journal.close();
  const closed = { code: 'JOURNAL_CLOSED' };
  expect(await waiting).toEqual(closed);
  expect(await faultOf(tail.next(10))).toEqual(closed);
  expect(await faultOf(put(one, 'a', '2'))).toEqual(closed);
  expect(await faultOf(one.read('a', LONG_MS))).toEqual(closed);
  expect(await read(two, 'a')).toBe('1');
}

function put(
  table: KeyedShard,
  key: string,
  value: string,
  fence = 1,
): Promise<readonly boolean[]> {
  return table.write([{ key, fence, value: encoder.encode(value) }], LONG_MS);
}

function remove(table: KeyedShard, key: string, fence = 1): Promise<readonly boolean[]> {
  return table.write([{ key, fence, value: null }], LONG_MS);
}

async function read(table: KeyedShard, key: string): Promise<string | null> {
  return text(await table.read(key, LONG_MS));
}

function text(record: KeyedRecord | null): string | null {
  return record === null ? null : decoder.decode(record.value);
}

/** `key=value@fence`; a removal has no value. */
function changed({ key, value, fence }: KeyedChange): string {
  return `${key}=${value === null ? '' : decoder.decode(value)}@${fence}`;
}

function describeWrites(stage: () => Stage): void {
  test('an empty one has nothing', async () => {
    const { one } = stage();
    expect(await one.read('a', LONG_MS)).toBeNull();
    expect(await one.list(null, 10, LONG_MS)).toEqual([]);
    expect(await one.revision(LONG_MS)).toBe(0);
  });

  test('each write that is taken has its own revision', async () => {
    const { one, two } = stage();
    const value = encoder.encode('v');
    const writes = [
      { key: 'a', fence: 1, value },
      { key: 'b', fence: 2, value },
      { key: 'a', fence: 0, value },
      { key: 'c', fence: 1, value: null },
    ];
    expect(await one.write(writes, LONG_MS)).toEqual([true, true, false, true]);
    expect(await two.revision(LONG_MS)).toBe(3);
    const record = await two.read('b', LONG_MS);
    expect(record && [changed(record), record.revision]).toEqual(['b=v@2', 2]);
    expect(await two.read('c', LONG_MS)).toBeNull();
  });

  test('a value may be empty, and may be any bytes', async () => {
    const { one, two } = stage();
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    await one.write([{ key: 'empty', fence: 1, value: new Uint8Array(0) }], LONG_MS);
    await one.write([{ key: 'bytes', fence: 1, value: bytes }], LONG_MS);
    expect((await two.read('empty', LONG_MS))?.value).toHaveLength(0);
    expect([...((await two.read('bytes', LONG_MS))?.value ?? [])]).toEqual([...bytes]);
  });

  test('a lower fence is refused, an equal or a higher one is taken', async () => {
    const { one, two } = stage();
    expect(await put(one, 'a', 'five', 5)).toEqual([true]);
    expect(await put(two, 'a', 'four', 4)).toEqual([false]);
    expect(await put(two, 'a', 'five again', 5)).toEqual([true]);
    expect(await put(one, 'a', 'six', 6)).toEqual([true]);
    expect(await remove(two, 'a', 5)).toEqual([false]);
    expect(await read(one, 'a')).toBe('six');
    expect(await one.revision(LONG_MS)).toBe(3);
  });

  test('a removal leaves its fence behind', async () => {
    const { one, two } = stage();
    await put(one, 'a', 'v', 3);
    expect(await remove(one, 'a', 4)).toEqual([true]);
    expect(await read(two, 'a')).toBeNull();
    expect(await put(two, 'a', 'late', 3)).toEqual([false]);
    expect(await read(two, 'a')).toBeNull();
    expect(await put(two, 'a', 'new', 4)).toEqual([true]);
    expect(await read(one, 'a')).toBe('new');
  });

  test('calls that overlap take effect in their order', async () => {
    const { one, two } = stage();
    const values = Array.from({ length: 50 }, (_, i) => String(i));
    const taken = await Promise.all(values.map((value) => put(one, 'a', value)));
    expect(taken.flat()).toEqual(values.map(() => true));
    expect(await read(two, 'a')).toBe('49');
    expect(await two.revision(LONG_MS)).toBe(50);
  });

  test('what is acknowledged to one process is seen by every other', async () => {
    const { one, two } = stage();
    for (let round = 0; round < 20; round += 1) {
      const [writer, reader] = round % 2 === 0 ? [one, two] : [two, one];
      await put(writer, 'a', String(round));
      expect(await read(reader, 'a')).toBe(String(round));
      expect(await reader.revision(LONG_MS)).toBe(round + 1);
    }
  });
}

function describeClaims(stage: () => Stage): void {
  test('a claim shows what stands there, and refuses the writer before', async () => {
    const { one, two } = stage();
    await put(one, 'a', 'v', 1);
    const { taken, record } = await two.claim('a', 2, LONG_MS);
    expect([taken, text(record), record?.fence, record?.revision]).toEqual([true, 'v', 2, 1]);
    expect(await put(one, 'a', 'late', 1)).toEqual([false]);
    expect(await put(two, 'a', 'next', 2)).toEqual([true]);
    expect(await one.revision(LONG_MS)).toBe(2);
  });

  test('a claim below the fence is refused and shows what stands there', async () => {
    const { one, two } = stage();
    await put(one, 'a', 'v', 5);
    const { taken, record } = await two.claim('a', 4, LONG_MS);
    expect([taken, text(record), record?.fence]).toEqual([false, 'v', 5]);
    expect((await two.claim('a', 5, LONG_MS)).taken).toBe(true);
  });

  test('a key without a value can be claimed', async () => {
    const { one, two } = stage();
    expect(await two.claim('a', 2, LONG_MS)).toEqual({ taken: true, record: null });
    expect(await put(one, 'a', 'late', 1)).toEqual([false]);
    expect(await read(one, 'a')).toBeNull();
    expect(await one.revision(LONG_MS)).toBe(0);
    expect(await put(two, 'a', 'v', 2)).toEqual([true]);
    await remove(two, 'a', 2);
    expect(await one.claim('a', 3, LONG_MS)).toEqual({ taken: true, record: null });
    expect(await put(two, 'a', 'late', 2)).toEqual([false]);
  });
}

function describeLists(stage: () => Stage): void {
  test('keys come in the order of their bytes, in pages of any size', async () => {
    const { one, two } = stage();
    const keys = ['', 'a', 'a/b', 'a0', 'b', 'z', '\u00e9', '\uff5e', '\u{1f600}', '\u{10ffff}'];
    const shuffled = [...keys].reverse();
    const value = encoder.encode('v');
    await one.write(
      shuffled.map((key) => ({ key, fence: 1, value })),
      LONG_MS,
    );
    await put(one, 'gone', 'v');
    await remove(one, 'gone');
    for (const limit of [1, 3, 100]) {
      const found: string[] = [];
      for (let after: string | null = null; ; after = found.at(-1) as string) {
        const page: readonly KeyedRecord[] = await two.list(after, limit, LONG_MS);
        expect(page.length).toBeLessThanOrEqual(limit);
        if (page.length === 0) break;
        found.push(...page.map(({ key }) => key));
      }
      expect(found).toEqual(keys);
    }
    expect((await two.list('a', 2, LONG_MS)).map(({ key }) => key)).toEqual(['a/b', 'a0']);
    expect((await two.list('a/', 1, LONG_MS)).map(({ key }) => key)).toEqual(['a/b']);
  });

  test('records come with fence, value and revision', async () => {
    const { one, two } = stage();
    await put(one, 'a', 'first', 7);
    await put(one, 'b', 'second', 8);
    await put(one, 'a', 'third', 9);
    const records = await two.list(null, 10, LONG_MS);
    expect(records.map((record) => [changed(record), record.revision])).toEqual([
      ['a=third@9', 3],
      ['b=second@8', 2],
    ]);
  });
}

/** Everything that a tail returns until its position is there. */
async function takeUntil(tail: KeyedTail, revision: number, limit: number): Promise<KeyedChange[]> {
  const changes: KeyedChange[] = [];
  while (tail.position < revision) {
    const page = await tail.next(limit);
    expect(page.length).toBeLessThanOrEqual(limit);
    changes.push(...page);
  }
  return changes;
}

function describeKeyedTails(stage: () => Stage): void {
  test('a tail has everything there is, then every change', async () => {
    const { one, two } = stage();
    await put(one, 'a', '1');
    await put(one, 'b', '2');
    await put(one, 'a', '3');
    const tail = two.openTail(0);
    const first = await takeUntil(tail, 3, 10);
    expect(first.map(changed).slice(-2)).toEqual(['b=2@1', 'a=3@1']);
    const next = tail.next(10);
    await remove(one, 'b', 2);
    expect((await next).map(changed)).toEqual(['b=@2']);
    tail.close();
  });

  test('from any revision it has each key at its newest, in order', async () => {
    const { one, two } = stage();
    const seed = Math.floor(Math.random() * 1_000_000);
    const random = new SeededRandom(seed);
    const newest = new Map<string, string>();
    for (let revision = 1; revision <= 120; revision += 1) {
      const key = `k${random.below(15)}`;
      if (random.below(4) === 0) await remove(one, key);
      else await put(one, key, String(revision));
      const record = await one.read(key, LONG_MS);
      newest.delete(key);
      newest.set(key, `${revision} ${text(record) ?? 'removed'}`);
    }
    for (const after of [0, 1, 40, 100, 119]) {
      const tail = two.openTail(after);
      const changes = await takeUntil(tail, 120, 1 + random.below(30));
      tail.close();
      const revisions = changes.map(({ revision }) => revision);
      expect(revisions, `seed ${seed}`).toEqual([...revisions].sort((a, b) => a - b));
      expect(Math.min(...revisions), `seed ${seed}`).toBeGreaterThan(after);
      const found = new Map<string, string>();
      for (const { key, value, revision } of changes) {
        found.delete(key);
        found.set(key, `${revision} ${value === null ? 'removed' : decoder.decode(value)}`);
      }
      const wanted = [...newest].filter(([, what]) => Number.parseInt(what, 10) > after);
      expect([...found], `seed ${seed}, after ${after}`).toEqual(wanted);
    }
  });

  test('a tail that is read while others write ends at the same content', async () => {
    const { one, two } = stage();
    const tail = two.openTail(0);
    const found = new Map<string, string>();
    const reading = (async () => {
      while (tail.position < 400) {
        for (const { key, value } of await tail.next(13)) {
          if (value === null) found.delete(key);
          else found.set(key, decoder.decode(value));
        }
      }
    })();
    await Promise.all(
      [one, two].map(async (table, writer) => {
        for (let i = 0; i < 50; i += 1) {
          const writes = Array.from({ length: 4 }, (_, at) => ({
            key: `k${(i * 7 + at * 3 + writer) % 40}`,
            fence: 1,
            value: (i + at) % 5 === 0 ? null : encoder.encode(`${writer} ${i} ${at}`),
          }));
          await table.write(writes, LONG_MS);
        }
      }),
    );
    await reading;
    const records: KeyedRecord[] = [];
    for (let after: string | null = null; ; after = records.at(-1)?.key ?? null) {
      const page: readonly KeyedRecord[] = await one.list(after, 1000, LONG_MS);
      if (page.length === 0) break;
      records.push(...page);
    }
    const content = records.map((record) => `${record.key}=${text(record)}`);
    expect([...found].map(([key, value]) => `${key}=${value}`).sort()).toEqual(content.sort());
    tail.close();
  });

  test('a tail that is closed ends the call that waits, and every later one', async () => {
    const { one } = stage();
    const tail = one.openTail(0);
    const waiting = faultOf(tail.next(10));
    tail.close();
    tail.close();
    expect(await waiting).toEqual({ code: 'JOURNAL_CLOSED' });
    expect(await faultOf(tail.next(10))).toEqual({ code: 'JOURNAL_CLOSED' });
  });
}
