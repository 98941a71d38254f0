import { systemTimers } from '@robustmq/environment';
import { openSharedMemory, type SharedMemory } from '@robustmq/journal-memory';
import type { KeyedShard } from '@robustmq/journal';
import { beforeEach, describe, expect, test } from 'vitest';
import { until } from './cluster.fixture.ts';
import { TableWriter } from './table-writer.ts';

const DEADLINE_MS = 10_000;

describe('the writer of a table', () => {
  let world: SharedMemory;
  let table: KeyedShard;
  let writer: TableWriter;
  const failed = (error: unknown): void => {
    throw error;
  };

  beforeEach(async () => {
    world = openSharedMemory();
    table = await world.connect('broker').openTable('t');
    writer = new TableWriter(table, systemTimers, failed);
  });

  function put(key: string, value: () => number | null | undefined, fence = 1): string[] {
    const events: string[] = [];
    writer.put(key, {
      fence,
      value: () => {
        const number = value();
        return typeof number === 'number' ? new Uint8Array([number]) : number;
      },
      refused: () => events.push('refused'),
    });
    return events;
  }

  async function valueOf(key: string): Promise<number | null> {
    return (await table.read(key, DEADLINE_MS))?.value[0] ?? null;
  }

  test('writes one value of what changed while the one before was on its way: the newest', async () => {
    let written = 0;
    let state = 1;
    const hold = world.faults.hold({ kinds: ['write'] });
    put('k', () => state);
    writer.afterWrite(() => (written += 1));
    writer.start();
    await until(() => hold.waiting === 1);
    for (state = 2; state < 9; state += 1) {
      put('k', () => state);
      writer.start();
    }
    writer.afterWrite(() => (written += 1));
    hold.release();
    await until(() => written === 2);
    expect(await valueOf('k')).toBe(9);
    // Two writes, whatever came between.
    expect(await table.revision(DEADLINE_MS)).toBe(2);
    expect(writer.isIdle).toBe(true);
  });

  test('repeats a write whose outcome is unknown before it begins the next', async () => {
    let written = 0;
    const hold = world.faults.hold({ kinds: ['write'] });
    put('k', () => 1);
    writer.start();
    await until(() => hold.waiting === 1);
    put('k', () => 2);
    writer.afterWrite(() => (written += 1));
    writer.start();
    hold.drop();
    await until(() => written === 1);
    expect(await valueOf('k')).toBe(2);
  });

  test('tells whose key is somebody else’s, and writes the others', async () => {
    await table.claim('k', 5, DEADLINE_MS);
    const refused = put('k', () => 1, 4);
    const taken = put('other', () => 3, 4);
    let written = 0;
    writer.afterWrite(() => (written += 1));
    writer.start();
    await until(() => written === 1);
    expect([refused, taken]).toEqual([['refused'], []]);
    expect([await valueOf('k'), await valueOf('other')]).toEqual([null, 3]);
  });

  test('leaves out what is not to be written any more, and goes on while a table is full', async () => {
    const fault = { code: 'JOURNAL_FULL', limit: 'disk', detail: 'told to' } as const;
    world.faults.refuse({ kinds: ['write'] }, 1, fault);
    put('gone', () => undefined);
    put('k', () => 1);
    let written = 0;
    writer.afterWrite(() => (written += 1));
    writer.start();
    await until(() => writer.full);
    await until(() => written === 1);
    expect(writer.full).toBe(false);
    expect([await valueOf('gone'), await valueOf('k')]).toEqual([null, 1]);
  });
});
