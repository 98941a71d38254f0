import { sampleBatch } from '@robustmq/journal-conformance';
import {
  JournalError,
  type Offset,
  type RecordSelector,
  type SharedJournal,
  type SharedShard,
  type ShardTail,
} from '@robustmq/journal';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryGroup } from './testing/memory-group.ts';
import { ServedJournal } from './testing/served-journal.ts';

const START = 0 as Offset;
const EVERYTHING: RecordSelector = { kind: 'everything' };
const PRODUCER = { id: 7, incarnation: 1 };

let group: MemoryGroup;
let served: ServedJournal;
let journal: SharedJournal;
let shard: SharedShard;

beforeEach(async () => {
  group = await MemoryGroup.open(1);
  served = new ServedJournal((node, name) =>
    name === 'test/shard' ? group.replicaOn(node) : null,
  );
  for (const node of [1, 2, 3]) await served.serve(node);
  journal = served.connect({ tailBytesMax: 1000 });
  shard = await journal.openShard('shard');
});

afterEach(async () => {
  await served.close();
  expect(served.mistakes).toEqual([]);
});

function append(...bodies: string[]): Promise<Offset> {
  const records = bodies.map((body, i) => ({ kind: 1, topic: i % 2 === 0 ? 'even' : 'odd', body }));
  const batch = sampleBatch(records, START, 1);
  const options = {
    producer: PRODUCER,
    acknowledgement: 'all-synced',
    deadlineMs: 20_000,
  } as const;
  return shard.append(batch, options);
}

async function take(tail: ShardTail, count: number): Promise<string[]> {
  const bodies: string[] = [];
  while (bodies.length < count) {
    for (const { body } of await tail.next(10, 10_000)) bodies.push(new TextDecoder().decode(body));
  }
  return bodies;
}

function numbers(first: number, after: number): string[] {
  return Array.from({ length: after - first }, (_, i) => String(first + i));
}

async function faultOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await promise.catch((reason: unknown) => reason);
  return error instanceof JournalError ? error.fault : error;
}

describe('a tail', () => {
  test('brings what is there and what comes, far beyond what is fetched ahead', async () => {
    await append(...numbers(0, 100));
    const tail = shard.openTail(START, EVERYTHING);
    expect(await take(tail, 100)).toEqual(numbers(0, 100));
    await append(...numbers(100, 200));
    expect(await take(tail, 100)).toEqual(numbers(100, 200));
    expect(tail.position).toBe(200);
  });

  test('goes on at the next leader, without a gap and without a repetition', async () => {
    const tail = shard.openTail(START, EVERYTHING);
    const taken: string[] = [];
    for (let round = 0; round < 9; round += 1) {
      await append(...numbers(round * 20, round * 20 + 20));
      taken.push(...(await take(tail, 5)));
      group.lead((round % 3) + 1);
    }
    taken.push(...(await take(tail, 180 - taken.length)));
    expect(taken).toEqual(numbers(0, 180));
  });

  test('goes on after a server was lost with records on their way', async () => {
    await append(...numbers(0, 100));
    const tail = shard.openTail(START, EVERYTHING);
    const taken = await take(tail, 10);
    await served.kill(1);
    group.lead(2);
    await append(...numbers(100, 110));
    taken.push(...(await take(tail, 110 - taken.length)));
    expect(taken).toEqual(numbers(0, 110));
  });

  test('wants topics, or what a function says, and moves past the rest', async () => {
    await append(...numbers(0, 100));
    const topics = shard.openTail(START, { kind: 'topics', exact: ['odd'], matches: null });
    expect(await take(topics, 50)).toEqual(numbers(0, 100).filter((_, i) => i % 2 === 1));
    const matches = (topic: string): boolean => topic.startsWith('e');
    const some = shard.openTail(START, { kind: 'topics', exact: [], matches });
    expect(await take(some, 50)).toEqual(numbers(0, 100).filter((_, i) => i % 2 === 0));
    const none = shard.openTail(START, { kind: 'topics', exact: ['none'], matches: null });
    expect(await none.next(1, 1)).toEqual([]);
    expect(none.position).toBe(100);
  });

  test('respects the caller and the credit: what nobody takes is not fetched', async () => {
    await append(...numbers(0, 100));
    const tail = shard.openTail(START, EVERYTHING);
    expect(await tail.next(3, 10_000)).toHaveLength(3);
    expect(await tail.next(100, 1)).toHaveLength(1);
    expect(tail.position).toBe(4);
  });

  test('before what is kept is told where that begins', async () => {
    for (let i = 0; i < 100; i += 1) await append(String(i));
    await shard.trimBefore(50 as Offset);
    const { oldest } = group.replicaOn(1).replica as { oldest: Offset };
    expect(oldest).toBeGreaterThan(0);
    const fault = await faultOf(shard.openTail(START, EVERYTHING).next(1, 1));
    expect(fault).toEqual({ code: 'JOURNAL_OFFSET_TRIMMED', requested: 0, oldest });
  });

  test('that is closed, or whose journal is, says so', async () => {
    const tail = shard.openTail(START, EVERYTHING);
    const waiting = faultOf(tail.next(1, 1));
    tail.close();
    expect(await waiting).toEqual({ code: 'JOURNAL_CLOSED' });
    const other = faultOf(shard.openTail(START, EVERYTHING).next(1, 1));
    await journal.close();
    expect(await other).toEqual({ code: 'JOURNAL_CLOSED' });
    expect(await faultOf(append('late'))).toEqual({ code: 'JOURNAL_CLOSED' });
    expect(await faultOf(journal.openShard('shard'))).toEqual({ code: 'JOURNAL_CLOSED' });
  });
});

describe('a reader', () => {
  test('reads at any node, and sees what this client knows to be committed', async () => {
    await append(...numbers(0, 30));
    group.lead(null);
    const reader = shard.openReader(START, { kind: 'topics', exact: ['odd'], matches: null });
    const page = await reader.read(5, 10_000);
    expect(page.map(({ offset }) => offset)).toEqual([1, 3, 5, 7, 9]);
    expect(await reader.read(100, 100_000)).toHaveLength(10);
    expect(await reader.read(1, 1)).toEqual([]);
    expect(reader.position).toBe(30);
    expect((await shard.readAt(3 as Offset))?.offset).toBe(3);
    expect(await shard.readAt(30 as Offset)).toBeNull();
  });

  test('finds the first record of a time', async () => {
    await append('a', 'b');
    expect(await shard.offsetAt(0)).toBe(0);
    expect(await shard.offsetAt(2)).toBe(2);
  });
});
