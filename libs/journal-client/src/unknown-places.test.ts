import { systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import { sampleBatch } from '@robustmq/journal-conformance';
import { JournalError, type Offset } from '@robustmq/journal';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectJournal } from './connect-journal.ts';
import { MemoryGroup } from './testing/memory-group.ts';
import { ServedJournal } from './testing/served-journal.ts';

let served: ServedJournal;

beforeEach(async () => {
  const group = await MemoryGroup.open(1);
  served = new ServedJournal((node) => group.replicaOn(node));
  for (const node of [1, 2, 3]) await served.serve(node);
});

afterEach(() => served.close());

/** A client that knows of no server before the third time that it asks. */
function connectLate() {
  let asked = 0;
  const candidatesOf = (): readonly string[] => {
    asked += 1;
    return asked < 3 ? [] : served.addresses;
  };
  return connectJournal({
    places: { candidatesOf, lifeOf: () => 0, close: () => {} },
    ...{ namespace: 'test', tls: null, token: null, limits: null },
    ...{ clock: systemClock, timers: systemTimers, random: systemRandom },
  });
}

test('a client that knows no server yet waits until it does', async () => {
  const journal = connectLate();
  const shard = await journal.openShard('shard');
  const batch = sampleBatch([{ kind: 1, topic: 't', body: 'b' }], 0 as Offset, 1);
  const producer = { id: 1, incarnation: 1 };
  const options = { producer, acknowledgement: 'all-synced', deadlineMs: 20_000 } as const;
  expect(await shard.append(batch, options)).toBe(0);
  await journal.close();
});

test('a client that is closed while it knows no server gives up', async () => {
  const journal = connectJournal({
    places: { candidatesOf: () => [], lifeOf: () => 0, close: () => {} },
    ...{ namespace: 'test', tls: null, token: null, limits: null },
    ...{ clock: systemClock, timers: systemTimers, random: systemRandom },
  });
  const failing = journal.openShard('shard').catch((error: unknown) => error);
  await journal.close();
  expect(await failing).toBeInstanceOf(JournalError);
});
