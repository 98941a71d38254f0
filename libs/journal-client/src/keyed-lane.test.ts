import { type JournalError, type KeyedShard } from '@robustmq/journal';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryTableGroup } from './testing/memory-table-group.ts';
import { ServedJournal } from './testing/served-journal.ts';

let group: MemoryTableGroup;
let served: ServedJournal;
let table: KeyedShard;

beforeEach(async () => {
  group = new MemoryTableGroup(1);
  served = new ServedJournal((node, name) =>
    name === 'test/table' ? group.replicaOn(node) : null,
  );
  for (const node of [1, 2, 3]) await served.serve(node);
  table = await served.connect({ attemptMs: 200 }).openTable('table');
});

afterEach(async () => {
  await served.close();
  expect(served.mistakes).toEqual([]);
});

function put(value: string, deadlineMs = 20_000): Promise<readonly boolean[]> {
  return table.write([{ key: 'a', fence: 1, value: new TextEncoder().encode(value) }], deadlineMs);
}

async function stored(): Promise<string> {
  const record = await table.read('a', 20_000);
  return new TextDecoder().decode(record?.value);
}

describe('writes that overlap', () => {
  const values = ['1', '2', '3', '4', '5'];
  const taken = values.map(() => [true]);

  for (const { why, faults } of [
    { why: 'is refused for a moment', faults: [null, 'refused', null, null] as const },
    { why: 'loses its answer', faults: [null, 'answer lost', null, 'answer lost'] as const },
    { why: 'is refused at the end', faults: [null, null, null, null, 'refused'] as const },
  ]) {
    test(`leave the last one when one of them ${why}`, async () => {
      group.faults.push(...faults);
      expect(await Promise.all(values.map((value) => put(value)))).toEqual(taken);
      expect(await stored()).toBe('5');
    });
  }

  test('leave the last one across changes of the leader', async () => {
    const writes: Promise<readonly boolean[]>[] = [];
    for (let i = 0; i < 60; i += 1) {
      writes.push(put(String(i)));
      if (i % 20 !== 19) continue;
      await writes[i - 10];
      group.lead((i % 3) + 1);
    }
    await Promise.all(writes);
    expect(await stored()).toBe('59');
  });

  test('are not acknowledged before one in front that is carried out again later', async () => {
    group.faults.push('held');
    const first = put('first');
    const second = put('second');
    let isAcknowledged = false;
    void second.then(() => {
      isAcknowledged = true;
    });
    while (group.carriedOut.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect([isAcknowledged, group.carriedOut]).toEqual([false, ['a=second']]);
    group.lead(2);
    await Promise.all([first, second]);
    expect(group.carriedOut).toEqual(['a=second', 'a=first', 'a=second']);
    group.release();
    expect(await stored()).toBe('second');
  });

  test('go on past one whose deadline has passed', async () => {
    group.faults.push('held');
    const late = put('late', 100).catch((error: unknown) => (error as JournalError).fault.code);
    const next = put('next');
    expect(await late).toBe('JOURNAL_UNAVAILABLE');
    expect(await next).toEqual([true]);
    expect(await stored()).toBe('next');
  });
});
