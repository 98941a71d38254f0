import { JournalError } from '@robustmq/journal';
import type { JournalShard, Offset } from '@robustmq/journal';
import { openMemoryJournal } from '@robustmq/journal-memory';
import { expect, test } from 'vitest';
import { WaitingShard } from './waiting-shard.ts';

const START = 0 as Offset;
const EVERYTHING = { kind: 'everything' } as const;
const AWAY = new JournalError({ code: 'JOURNAL_UNAVAILABLE', shard: 's', detail: 'away' });

/** An empty shard whose reads fail so often before they succeed. */
async function failing(error: JournalError, times: number): Promise<JournalShard> {
  const shard = await openMemoryJournal().openShard('s');
  let left = times;
  const fail = (): void => {
    left -= 1;
    if (left >= 0) throw error;
  };
  return Object.assign(Object.create(shard) as JournalShard, {
    readAt: async (offset: Offset) => {
      fail();
      return shard.readAt(offset);
    },
    openReader: () => ({
      position: START,
      read: async () => {
        fail();
        return [];
      },
    }),
  });
}

test('reads wait for a medium that is away, and tell about it', async () => {
  const reports: unknown[] = [];
  let pauses = 0;
  const pause = async (): Promise<void> => void (pauses += 1);
  const report = (error: JournalError): void => void reports.push(error);
  const reader = new WaitingShard(await failing(AWAY, 3), report, pause);
  expect(await reader.openReader(START, EVERYTHING).read(1, 1)).toEqual([]);
  expect(reports).toEqual([AWAY, AWAY, AWAY]);
  const second = new WaitingShard(await failing(AWAY, 2), report, pause);
  expect(await second.readAt(START)).toBeNull();
  expect(pauses).toBe(5);
});

test('other failures are for the caller', async () => {
  const closed = new JournalError({ code: 'JOURNAL_CLOSED' });
  const pause = (): Promise<void> => Promise.reject(new Error('it waits'));
  const shard = new WaitingShard(await failing(closed, 1), () => undefined, pause);
  await expect(shard.readAt(START)).rejects.toBe(closed);
});
