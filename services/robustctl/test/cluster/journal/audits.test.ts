import type { CampaignResult } from '@robustmq/campaign';
import { SeededRandom } from '@robustmq/environment';
import { JournalError, type KeyedShard, type Offset, type SharedShard } from '@robustmq/journal';
import { openSharedMemory } from '@robustmq/journal-memory';
import { expect, test } from 'vitest';
import { KeyedLoad } from './keyed-load.ts';
import { MessageLoad } from './message-load.ts';

const ENOUGH = 200;
/** Each so many calls one goes wrong. */
const EVERY = 7;

type Append = SharedShard['append'];
type Write = KeyedShard['write'];

/** The same object with another method in the place of one. */
function withMethod<Name extends string, Target extends Record<Name, unknown> & object>(
  target: Target,
  name: Name,
  method: Target[Name],
): Target {
  return new Proxy(target, {
    get(whole, asked): unknown {
      if (asked === name) return method;
      const value: unknown = Reflect.get(whole, asked, whole);
      return typeof value === 'function' ? value.bind(whole) : value;
    },
  });
}

/** Journals whose shards append, and whose tables write, as `bugs` say. */
function placeWith(bugs: {
  append?: (shard: SharedShard) => Append;
  write?: (table: KeyedShard) => Write;
}): Parameters<typeof MessageLoad.open>[0]['place'] {
  const memory = openSharedMemory();
  return {
    connect: () => {
      const journal = memory.connect('client');
      const shards = withMethod(journal, 'openShard', async (name) => {
        const shard = await journal.openShard(name);
        return bugs.append === undefined ? shard : withMethod(shard, 'append', bugs.append(shard));
      });
      return withMethod(shards, 'openTable', async (name) => {
        const table = await journal.openTable(name);
        return bugs.write === undefined ? table : withMethod(table, 'write', bugs.write(table));
      });
    },
  };
}

async function auditMessages(append?: (shard: SharedShard) => Append): Promise<CampaignResult> {
  const load = await MessageLoad.open({
    ...{ place: placeWith(append === undefined ? {} : { append }), shards: ['a', 'b'] },
    ...{ producersOfEach: 2, recordBytes: 100, appendsPerSecond: 2000 },
  });
  load.start();
  while (load.acknowledged < ENOUGH) await new Promise((resolve) => setTimeout(resolve, 1));
  await load.end();
  return await load.audit();
}

/** @param hasHappened  goes on until it says so, for a fault that needs writers to meet */
async function auditKeyed(
  write?: (table: KeyedShard) => Write,
  hasHappened: () => boolean = () => true,
): Promise<CampaignResult> {
  const random = new SeededRandom(1);
  const place = placeWith(write === undefined ? {} : { write });
  const load = await KeyedLoad.open({ place, table: 't', writers: 3, random });
  load.start();
  while (load.taken < ENOUGH || !hasHappened()) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await load.end();
  return await load.audit();
}

function missedIn({ figures }: CampaignResult): string[] {
  return figures.filter(({ holds }) => !holds).map(({ name }) => name);
}

test('a right journal passes', async () => {
  expect(missedIn(await auditMessages())).toEqual([]);
  expect(missedIn(await auditKeyed())).toEqual([]);
});

test('a record that was acknowledged and not written is lost', async () => {
  const result = await auditMessages((shard) => {
    let calls = 0;
    return async (batch, options) => {
      calls += 1;
      if (calls % EVERY === 0) return await shard.committed(1000);
      return await shard.append(batch, options);
    };
  });
  expect(missedIn(result)).toContain('lost');
});

test('a record that was written twice is doubled', async () => {
  const result = await auditMessages((shard) => {
    let calls = 0;
    return async (batch, options) => {
      calls += 1;
      if (calls % EVERY > 0) return await shard.append(batch, options);
      const copy = { ...batch, bytes: Uint8Array.from(batch.bytes) };
      const [first] = await Promise.all([
        shard.append(batch, options),
        shard.append(copy, options),
      ]);
      return first;
    };
  });
  expect(missedIn(result)).toContain('doubled');
});

test('a record that overtakes another one is out of order', async () => {
  const result = await auditMessages((shard) => {
    let calls = 0;
    let late: (() => void) | null = null;
    return (batch, options) => {
      calls += 1;
      if (calls % EVERY === 1) {
        return new Promise<Offset>((resolve, reject) => {
          late = () => void shard.append(batch, options).then(resolve, reject);
          setTimeout(() => late?.(), 20);
        });
      }
      const appended = shard.append(batch, options);
      late?.();
      late = null;
      return appended;
    };
  });
  expect(missedIn(result)).toContain('out of the order of a producer');
});

test('a record that was refused and is there is told', async () => {
  const result = await auditMessages((shard) => {
    let calls = 0;
    return async (batch, options) => {
      calls += 1;
      const isRight = calls % EVERY > 0;
      const offset = await shard.append(batch, options);
      if (isRight) return offset;
      throw new JournalError({ code: 'JOURNAL_FULL', limit: 'disk', detail: 'it is not' });
    };
  });
  expect(missedIn(result)).toContain('refused, yet there');
});

test('a write that was taken and is not there is told', async () => {
  const result = await auditKeyed((table) => {
    let calls = 0;
    return async (writes, deadlineMs) => {
      calls += 1;
      return calls % EVERY === 0 ? [true] : await table.write(writes, deadlineMs);
    };
  });
  expect(missedIn(result)).toContain('keyed: read less than was taken');
});

test('a write under a lower fence after a claim is told', async () => {
  let lateWrites = 0;
  const result = await auditKeyed(
    (table) => async (writes, deadlineMs) => {
      const [write] = writes as [(typeof writes)[0]];
      // As if the fence were not looked at: the value under whatever fence stands there.
      const standing = await table.read(write.key, deadlineMs);
      const fence = Math.max(write.fence, standing?.fence ?? 0);
      const taken = await table.write([{ ...write, fence }], deadlineMs);
      if (fence > write.fence && taken[0] === true) lateWrites += 1;
      return taken;
    },
    () => lateWrites > 0,
  );
  expect(missedIn(result)).toContain('keyed: written under a lower fence after a claim');
});
