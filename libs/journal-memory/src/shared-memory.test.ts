import { sampleBatch, textOf } from '@robustmq/journal-conformance';
import type { Offset, RecordSelector, SharedShard } from '@robustmq/journal';
import { beforeEach, describe, expect, test } from 'vitest';
import { openSharedMemory } from './shared-memory.ts';
import type { SharedMemory } from './shared-memory.ts';

const EVERYTHING: RecordSelector = { kind: 'everything' };
const START = 0 as Offset;
const LONG_MS = 60_000;

function append(
  shard: SharedShard,
  topic: string,
  { id = 1, incarnation = 1, deadlineMs = LONG_MS } = {},
): Promise<Offset> {
  const batch = sampleBatch([{ kind: 1, topic, body: '' }], START, 1000);
  const producer = { id, incarnation };
  return shard.append(batch, { producer, acknowledgement: 'all-synced', deadlineMs });
}

async function topicsOf(shard: SharedShard): Promise<readonly string[]> {
  const records = await shard.openReader(START, EVERYTHING).read(1000, 1_000_000);
  return records.map((record) => textOf(record).trim());
}

describe('shards that processes of one test share', () => {
  let memory: SharedMemory;
  let first: SharedShard;
  let second: SharedShard;

  beforeEach(async () => {
    memory = openSharedMemory();
    first = await memory.connect('first').openShard('s');
    second = await memory.connect('second').openShard('s');
  });

  test('an append that is held back arrives after one that another process made later', async () => {
    const hold = memory.faults.hold({ process: 'first', kinds: ['append'] });
    const held = append(first, 'held');
    expect(await append(second, 'passing', { id: 2 })).toBe(0);
    expect(hold.waiting).toBe(1);
    hold.release();
    expect(await held).toBe(1);
    expect(await topicsOf(second)).toEqual(['0 passing', '1 held']);
  });

  test('an append that arrives after its producer was fenced is refused', async () => {
    const hold = memory.faults.hold({ process: 'first', kinds: ['append'] });
    const held = append(first, 'held');
    const behind = append(first, 'behind');
    await second.fence({ id: 1, incarnation: 1 });
    hold.release();
    await expect(held).rejects.toMatchObject({ fault: { code: 'JOURNAL_FENCED', shard: 's' } });
    await expect(behind).rejects.toMatchObject({ fault: { code: 'JOURNAL_FENCED' } });
    expect(await append(first, 'next life', { incarnation: 2 })).toBe(0);
  });

  test('an append whose deadline passed may still arrive, in its order', async () => {
    const hold = memory.faults.hold({ process: 'first', kinds: ['append'] });
    const late = append(first, 'late', { deadlineMs: 1 });
    const behind = append(first, 'behind');
    await expect(late).rejects.toMatchObject({ fault: { code: 'JOURNAL_UNAVAILABLE' } });
    await expect(behind).rejects.toMatchObject({ fault: { code: 'JOURNAL_UNAVAILABLE' } });
    const after = append(first, 'after');
    hold.release();
    expect(await after).toBe(2);
    expect(await topicsOf(first)).toEqual(['0 late', '1 behind', '2 after']);
  });

  test('what is dropped never arrives', async () => {
    const hold = memory.faults.hold({ process: 'first' });
    const lost = append(first, 'lost');
    const behind = append(first, 'behind');
    await append(second, 'other', { id: 2 });
    hold.drop();
    await expect(lost).rejects.toMatchObject({ fault: { code: 'JOURNAL_UNAVAILABLE' } });
    await expect(behind).rejects.toMatchObject({ fault: { code: 'JOURNAL_UNAVAILABLE' } });
    expect(await append(first, 'kept')).toBe(1);
    expect(await topicsOf(first)).toEqual(['0 other', '1 kept']);
  });

  test('a process that ends leaves on its way what it sent', async () => {
    const journal = memory.connect('third');
    const shard = await journal.openShard('s');
    const hold = memory.faults.hold({ process: 'third', kinds: ['append'] });
    const sent = append(shard, 'sent', { id: 3 });
    const waiting = shard.openTail(START, EVERYTHING).next(10, 1000);
    await append(second, 'other', { id: 2 });
    await waiting;
    await journal.close();
    await expect(sent).rejects.toMatchObject({ fault: { code: 'JOURNAL_CLOSED' } });
    await expect(append(shard, 'more')).rejects.toMatchObject({
      fault: { code: 'JOURNAL_CLOSED' },
    });
    await expect(journal.openShard('s')).rejects.toMatchObject({
      fault: { code: 'JOURNAL_CLOSED' },
    });
    hold.release();
    expect(await topicsOf(second)).toEqual(['0 other', '1 sent']);
  });

  test('a refusal is counted, and refuses what is behind it in flight', async () => {
    const fault = { code: 'JOURNAL_FULL', limit: 'disk', detail: 'told to' } as const;
    memory.faults.refuse({ shard: 's', kinds: ['append'] }, 1, fault);
    const refused = append(first, 'refused');
    const behind = append(first, 'behind');
    await expect(refused).rejects.toMatchObject({ fault });
    await expect(behind).rejects.toMatchObject({ fault });
    expect(await append(first, 'taken')).toBe(0);
  });

  test('what is on its way is bounded', async () => {
    const bounded = openSharedMemory({ bytesMax: 1000 });
    const shard = await bounded.connect('first').openShard('s');
    const hold = bounded.faults.hold({ kinds: ['append'] });
    const appends = Array.from({ length: 30 }, (_, i) => append(shard, `t/${i}`));
    const settled = Promise.allSettled(appends);
    hold.release();
    const codes = (await settled).map((result) =>
      result.status === 'fulfilled' ? 'ok' : (result.reason as Error).message,
    );
    expect(codes.filter((code) => code === 'ok').length).toBeGreaterThan(5);
    expect(codes.at(-1)).toContain('the journal is full (configured)');
  });

  test('slow requests arrive later, and lost answers are asked for again', async () => {
    const stop = memory.faults.slow({ process: 'first', kinds: ['append'] }, 1);
    memory.faults.loseAnswers({ process: 'first' }, 2);
    const slow = append(first, 'slow');
    expect(await append(second, 'fast', { id: 2 })).toBe(0);
    expect(await slow).toBe(1);
    stop();
    expect(await first.committed(LONG_MS)).toBe(2);
  });

  test('a held tail falls behind without losing anything', async () => {
    const tail = second.openTail(START, EVERYTHING);
    const hold = memory.faults.hold({ process: 'second', kinds: ['tail'] });
    const next = tail.next(10, 1000);
    await append(first, 'a');
    await append(first, 'b');
    expect(tail.position).toBe(0);
    hold.release();
    expect((await next).map((record) => record.topic)).toEqual(['a', 'b']);
    expect(tail.position).toBe(2);
    tail.close();
    await expect(tail.next(1, 1)).rejects.toMatchObject({ fault: { code: 'JOURNAL_CLOSED' } });
  });
});

describe('tables that processes of one test share', () => {
  test('a claim is final for a write that is on its way', async () => {
    const memory = openSharedMemory();
    const old = await memory.connect('old').openTable('t');
    const successor = await memory.connect('new').openTable('t');
    await old.write([{ key: 'k', fence: 1, value: new Uint8Array([1]) }], LONG_MS);
    const hold = memory.faults.hold({ process: 'old', kinds: ['write'] });
    const held = old.write([{ key: 'k', fence: 1, value: new Uint8Array([2]) }], LONG_MS);
    const claimed = await successor.claim('k', 2, LONG_MS);
    expect(claimed).toMatchObject({ taken: true, record: { fence: 2, revision: 1 } });
    hold.release();
    expect(await held).toEqual([false]);
    expect((await successor.read('k', LONG_MS))?.value).toEqual(new Uint8Array([1]));
  });

  test('a tail that missed forgotten removals is told to begin anew', async () => {
    const memory = openSharedMemory({ removalsMax: 1 });
    const table = await memory.connect('one').openTable('t');
    const value = new Uint8Array([1]);
    const keys = ['a', 'b', 'c'];
    await table.write(
      keys.map((key) => ({ key, fence: 1, value })),
      LONG_MS,
    );
    const tail = table.openTail(0);
    expect(await tail.next(10)).toHaveLength(3);
    await table.write(
      keys.map((key) => ({ key, fence: 1, value: null })),
      LONG_MS,
    );
    const fault = { code: 'JOURNAL_OFFSET_TRIMMED', requested: 3, oldest: 5 };
    await expect(tail.next(10)).rejects.toMatchObject({ fault });
    const anew = table.openTail(0);
    expect(await anew.next(10)).toEqual([{ key: 'c', fence: 1, value: null, revision: 6 }]);
  });
});
