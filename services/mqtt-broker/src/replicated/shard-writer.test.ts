import { systemTimers } from '@robustmq/environment';
import {
  JournalError,
  type Offset,
  RecordBatchBuilder,
  type RecordBatch,
  type SharedShard,
} from '@robustmq/journal';
import { openSharedMemory } from '@robustmq/journal-memory';
import { beforeEach, describe, expect, test } from 'vitest';
import { turns, until } from './cluster.fixture.ts';
import { firstIncarnationOf, lastIncarnationOf, ShardWriter } from './shard-writer.ts';

const UTF8 = new TextEncoder();
const PRODUCER = { id: 7, incarnation: 3 };

function batchOf(...texts: readonly string[]): RecordBatch {
  const builder = new RecordBatchBuilder();
  for (const text of texts) builder.add(1, UTF8.encode('t'), 0, 1, UTF8.encode(text));
  return builder.seal(0 as Offset, 1);
}

describe('the writer of a shard', () => {
  const memory = (): ReturnType<typeof openSharedMemory> => openSharedMemory();
  let world: ReturnType<typeof openSharedMemory>;
  let shard: SharedShard;
  let writer: ShardWriter;
  let told: string[];
  let fenced: JournalError[];

  beforeEach(async () => {
    world = memory();
    shard = await world.connect('broker').openShard('s');
    told = [];
    fenced = [];
    writer = new ShardWriter(shard, 0, {
      timers: systemTimers,
      owner: {
        fenced: (error) => fenced.push(error),
        failed: (error) => {
          throw error;
        },
      },
      producer: firstIncarnationOf(PRODUCER),
      acknowledgement: 'all-synced',
    });
  });

  function append(...texts: readonly string[]): void {
    writer.append(batchOf(...texts), (next, error) => {
      told.push(`${texts[0] ?? ''} ${next ?? error?.fault.code ?? ''}`);
    });
  }

  async function stored(): Promise<string[]> {
    const records = await shard.openReader(0 as Offset, { kind: 'everything' }).read(100, 1e6);
    return records.map(({ body }) => new TextDecoder().decode(body));
  }

  test('appends what was lost on its way again, once and in order', async () => {
    const hold = world.faults.hold({ kinds: ['append'] });
    append('a1', 'a2');
    append('b');
    await until(() => hold.waiting > 0);
    hold.drop();
    await turns(1);
    append('c');
    await until(() => told.length === 3);
    expect(told).toEqual(['a1 2', 'b 3', 'c 4']);
    expect(await stored()).toEqual(['a1', 'a2', 'b', 'c']);
  });

  test('does not append again what arrived although nobody said so', async () => {
    append('a');
    await until(() => told.length === 1);
    // It arrives, and only its answer is late: the deadline of the caller passes.
    const inner = shard.append.bind(shard);
    const lost = new JournalError({ code: 'JOURNAL_UNAVAILABLE', shard: 's', detail: 'late' });
    let losses = 2;
    shard.append = async (...call) => {
      const offset = await inner(...call);
      losses -= 1;
      if (losses >= 0) throw lost;
      return offset;
    };
    append('b1', 'b2');
    append('c');
    append('d');
    await until(() => told.length === 4);
    expect(told).toEqual(['a 1', 'b1 3', 'c 4', 'd 5']);
    expect(await stored()).toEqual(['a', 'b1', 'b2', 'c', 'd']);
  });

  test('refuses what a full shard refuses, and goes on', async () => {
    const fault = { code: 'JOURNAL_FULL', limit: 'disk', detail: 'told to' } as const;
    world.faults.refuse({ kinds: ['append'] }, 1, fault);
    append('a');
    append('b');
    await until(() => told.length === 2);
    append('c');
    await until(() => told.length === 3);
    expect(told).toEqual(['a JOURNAL_FULL', 'b JOURNAL_FULL', 'c 1']);
  });

  test('is over, whatever incarnation it has come to, once its life was fenced', async () => {
    const hold = world.faults.hold({ kinds: ['append'] });
    append('a');
    await until(() => hold.waiting > 0);
    hold.drop();
    await until(() => told.length === 1);
    const other = await world.connect('other').openShard('s');
    await other.fence(lastIncarnationOf(PRODUCER));
    append('b');
    await until(() => fenced.length > 0);
    expect(fenced[0]?.fault.code).toBe('JOURNAL_FENCED');
    append('c');
    await turns(2);
    expect([told, await stored()]).toEqual([['a 1'], ['a']]);
    // The next life of the broker is not.
    const next = firstIncarnationOf({ id: 7, incarnation: 4 });
    const options = { producer: next, acknowledgement: 'all-synced', deadlineMs: 1000 } as const;
    await shard.append(batchOf('d'), options);
    expect(await stored()).toEqual(['a', 'd']);
  });
});
