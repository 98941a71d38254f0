import { SeededRandom } from '@robustmq/simulator';
import { type Offset, RecordBatchBuilder } from '@robustmq/journal';
import { openSharedMemory } from '@robustmq/journal-memory';
import { expect, test } from 'vitest';
import { ProcessLife } from './process-life.ts';
import { journalSeenBy } from './simulated-journal.ts';
import { SimulatedTime } from './simulated-time.ts';

test('an append that is called before its caller hears of a failure fails alike', async () => {
  const time = new SimulatedTime(new SeededRandom(1));
  const life = new ProcessLife('one', time);
  const memory = openSharedMemory({ timers: time.timers(() => 1) });
  const journal = journalSeenBy(life, memory.connect('one'), () => 10, null);
  const shard = await journal.openShard('s');
  const options = {
    producer: { id: 1, incarnation: 1 },
    acknowledgement: 'all-synced',
    deadlineMs: 1000,
  } as const;
  const outcomes: string[] = [];
  const append = (text: string): void => {
    const builder = new RecordBatchBuilder();
    const utf8 = new TextEncoder();
    builder.add(1, utf8.encode('t'), 0, 1, utf8.encode(text));
    shard.append(builder.seal(0 as Offset, 1), options).then(
      (offset) => outcomes.push(`${text} ${offset}`),
      () => outcomes.push(`${text} failed`),
    );
  };
  const fault = { code: 'JOURNAL_UNAVAILABLE', shard: 's', detail: 'told to' } as const;
  memory.faults.refuse({ kinds: ['append'] }, 1, fault);
  append('a');
  time.after(5, () => append('b'));
  time.after(50, () => append('c'));
  await time.runUntil(100, () => outcomes.length === 3);
  expect(outcomes).toEqual(['a failed', 'b failed', 'c 0']);
});
