import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { SeededRandom } from '@robustmq/environment';
import {
  ALL_KEYS,
  applyCommand,
  type CommandResult,
  type KeyRange,
  type LeaseId,
  MemoryRecords,
  prefixRange,
  type RangeReply,
  type Revision,
  type RevisionEvents,
} from '@robustmq/placement';
import type { LogIndex } from '@robustmq/raft';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openPlacementStore } from './open-placement-store.ts';
import type { PlacementStore } from './placement-store.ts';
import {
  apply,
  entriesOf,
  grant,
  LIMITS_FOR_TESTS,
  put,
  randomCommands,
  transact,
} from './testing/commands.ts';

let directory: string;
let store: PlacementStore;

beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/placement-store-`);
  store = await openPlacementStore({ directory, limits: LIMITS_FOR_TESTS });
});

afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

async function reopen(): Promise<void> {
  await store.close();
  store = await openPlacementStore({ directory, limits: LIMITS_FOR_TESTS });
}

function readRange(range: KeyRange, limit = 0): Promise<RangeReply> {
  return store.range({ range, limit, content: 'whole' });
}

function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

describe('commands', () => {
  for (const seed of [1, 2, 3]) {
    test(`have the same results and records as in memory, reopened now and then (seed ${seed})`, async () => {
      const random = new SeededRandom(seed);
      const commands = randomCommands(seed, 600);
      const memory = new MemoryRecords();
      const told: RevisionEvents[] = [];
      const expectedEvents: RevisionEvents[] = [];
      for (let at = 0; at < commands.length; ) {
        const batch = commands.slice(at, at + 1 + random.below(40));
        const registration = store.onApplied((revisions) => told.push(...revisions));
        const results = await apply(store, ...batch);
        registration.stop();
        const expected: CommandResult[] = [];
        for (const command of batch) {
          const { writes, result, events, revision } = applyCommand(
            memory,
            command,
            LIMITS_FOR_TESTS,
          );
          memory.apply(writes);
          expected.push(result);
          if (events.length > 0) expectedEvents.push({ revision, events });
        }
        expect(results).toEqual(expected);
        at += batch.length;
        if (random.below(6) === 0) await reopen();
      }
      expect(told.map(({ revision, events }) => ({ revision, events }))).toEqual(expectedEvents);
      expect(await store.digest()).toBe(memory.digest());
      await reopen();
      expect(await store.digest()).toBe(memory.digest());
      expect(store.appliedIndex).toBe(commands.length);
    });
  }

  test('entries without data move the applied index, over a restart', async () => {
    await apply(store, transact(put('a', '1')));
    expect(await store.apply([], 7 as LogIndex)).toEqual([]);
    await reopen();
    expect(store.appliedIndex).toBe(7);
    expect(store.revision).toBe(1);
  });

  test('a deletion of a range sees what earlier entries of its batch wrote', async () => {
    const all = { kind: 'delete', range: ALL_KEYS } as const;
    const results = await apply(store, transact(put('a', '1'), put('b', '1')), transact(all));
    expect(results[1]).toMatchObject({ result: { results: [{ kind: 'delete', deleted: 2 }] } });
    expect((await readRange(ALL_KEYS)).count).toBe(0);
  });

  test('listeners hear of a batch after it can be read and before its results are told', async () => {
    const order: string[] = [];
    let read: Promise<RangeReply> | null = null;
    const registration = store.onApplied((revisions) => {
      order.push(...revisions.map((each) => `revision ${each.revision}`));
      read = readRange(ALL_KEYS);
    });
    await apply(store, transact(put('a', '1')), transact(put('b', '1'))).then(() =>
      order.push('told'),
    );
    expect(order).toEqual(['revision 1', 'revision 2', 'told']);
    expect((await (read as Promise<RangeReply> | null))?.revision).toBe(2);
    registration.stop();
    await apply(store, transact(put('c', '1')));
    expect(order).toHaveLength(3);
  });

  test('an entry that is no command stops the store, and nothing of its batch stays', async () => {
    const [good] = entriesOf([transact(put('a', '1'))], 0 as LogIndex);
    if (good === undefined) throw new Error('no entry');
    const bad = { ...good, index: 2 as LogIndex, data: Uint8Array.of(9, 9) };
    await expect(store.apply([good, bad], 2 as LogIndex)).rejects.toMatchObject({
      fault: { code: 'PLACEMENT_STORE_UNKNOWN_COMMAND' },
    });
    await reopen();
    expect([store.appliedIndex, store.revision]).toEqual([0, 0]);
  });
});

describe('reads', () => {
  test('tell the revision that they see', async () => {
    await apply(store, transact(put('a', '1'), put('b', '2')), transact(put('a', '3')));
    const reply = await readRange(ALL_KEYS);
    expect(reply.revision).toBe(2);
    expect(reply.keyValues.map(({ key, version }) => [key, version])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
    expect(textOf(reply.keyValues[0]?.value)).toBe('3');
  });

  test('find keys of any length, also those that end in characters of several bytes', async () => {
    const keys = [1, 63, 64, 65, 100, 1000, 21_000].flatMap((length) => [
      '\u{20ac}'.repeat(length),
      `a${'\u{20ac}'.repeat(length)}`,
      `ab${'\u{20ac}'.repeat(length)}`,
    ]);
    await apply(store, transact(...keys.map((key) => put(key, 'first'))));
    await reopen();
    for (const key of keys) {
      const [result] = await apply(store, transact(put(key, 'again')));
      expect(result).toMatchObject({ result: { results: [{ previous: { key, version: 1 } }] } });
    }
  });

  test('go page by page over more than an iterator brings at once', async () => {
    const name = (i: number): string => `key/${String(i).padStart(5, '0')}`;
    for (let i = 0; i < 3000; i += 500) {
      await apply(
        store,
        transact(...Array.from({ length: 500 }, (_, j) => put(name(i + j), 'v'.repeat(300)))),
      );
    }
    const { keyValues, more } = await readRange(prefixRange('key/'), 2500);
    expect([keyValues.length, keyValues.at(-1)?.key, more]).toEqual([2500, name(2499), true]);
    const count = await store.range({ range: prefixRange('key/'), limit: 0, content: 'count' });
    expect(count.count).toBe(3000);
  });

  test('leases are listed with their keys', async () => {
    await apply(store, grant(5), grant(7), transact(put('a', '1', 2), put('b', '1', 2)));
    const leases = [];
    for await (const lease of store.leases()) leases.push(lease);
    expect(leases).toEqual([
      { id: 1, ttlSeconds: 5 },
      { id: 2, ttlSeconds: 7 },
    ]);
    expect(await store.readLease(2 as LeaseId)).toEqual({ id: 2, ttlSeconds: 7, keys: ['a', 'b'] });
    expect(await store.readLease(3 as LeaseId)).toBeNull();
    expect(store.stats).toMatchObject({ keys: 2, leases: 2, appliedCommands: 3 });
  });
});

describe('history', () => {
  test('comes in whole revisions, at least one, until the bytes asked for', async () => {
    await apply(
      store,
      transact(put('a', '1'), put('b', 'x'.repeat(1000))),
      transact(put('a', '2')),
    );
    await apply(store, transact({ kind: 'delete', range: ALL_KEYS }));
    const told = async (from: number, bytesMax: number): Promise<unknown> => {
      const revisions = await store.history(from as Revision, bytesMax);
      return revisions.map(({ revision, events }) => [revision, events.length]);
    };
    expect(await told(1, 0)).toEqual([[1, 2]]);
    expect(await told(1, 1001)).toEqual([[1, 2]]);
    expect(await told(1, 10_000)).toEqual([
      [1, 2],
      [2, 1],
      [3, 2],
    ]);
    expect(await told(3, 10_000)).toEqual([[3, 2]]);
    expect(await told(4, 10_000)).toEqual([]);
  });

  test('that is compacted is refused, and gone after a restart', async () => {
    for (let i = 0; i < 10; i += 1) await apply(store, transact(put('a', String(i))));
    await apply(store, { kind: 'compact', revision: 6 as Revision });
    await expect(store.history(6 as Revision, 100)).rejects.toMatchObject({
      fault: { code: 'PLACEMENT_REVISION_COMPACTED', requested: 6, oldest: 7 },
    });
    expect(store.compactedRevision).toBe(6);
    await reopen();
    expect((await store.history(7 as Revision, 0)).map((each) => each.revision)).toEqual([7]);
  });

  test('beyond the bound is compacted by the commands themselves', async () => {
    for (let i = 0; i < 250; i += 1) await apply(store, transact(put('a', String(i))));
    expect(store.compactedRevision).toBeGreaterThan(100);
    expect(store.revision - store.compactedRevision).toBeLessThanOrEqual(106);
    const { length } = await store.history((store.compactedRevision + 1) as Revision, 1_000_000);
    expect(length).toBe(store.revision - store.compactedRevision);
  });
});
