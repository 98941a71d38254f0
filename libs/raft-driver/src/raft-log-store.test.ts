import {
  FaultyFileSystem,
  type FileSystem,
  MemoryFileSystem,
  SeededRandom,
} from '@robustmq/environment';
import {
  type Entry,
  type EntryId,
  type HardState,
  type LogIndex,
  type NodeId,
  type PersistNumber,
  type Term,
} from '@robustmq/raft';
import { describe, expect, test } from 'vitest';
import { RaftError } from './raft-error.ts';

import {
  DIRECTORY,
  enqueue,
  expectReads,
  membership,
  Model,
  nextPersist,
  openLog,
} from './testing/log-model.ts';

async function expectHolds(fileSystem: FileSystem, model: Model, label: string): Promise<void> {
  const { store, entries, hardState, base } = await openLog(fileSystem);
  expect({ base, hardState, entries }, label).toEqual({
    base: { term: model.base.term, index: model.base.index },
    hardState: model.hardState,
    entries: model.entries,
  });
  await expectReads(store, model, label);
  await store.close();
}

describe('the log on disk', () => {
  test('holds what was written through restarts, truncations and resets', async () => {
    for (let seed = 0; seed < 40; seed += 1) {
      const random = new SeededRandom(seed);
      const disk = new MemoryFileSystem();
      const model = new Model();
      for (let life = 0; life < 3; life += 1) {
        const { store } = await openLog(disk);
        for (let number = 1; number <= 25; number += 1) {
          enqueue(store, model, nextPersist(model, random, number));
          if (random.below(3) === 0) expect(await store.flush()).toBe(number);
        }
        await store.flush();
        await expectReads(store, model, `seed ${seed}`);
        await store.close();
        await expectHolds(disk, model, `seed ${seed}, life ${life}`);
      }
    }
  });

  test('holds after a loss of power at any operation all that was flushed, in whole persists', async () => {
    let crashes = 0;
    for (let seed = 0; seed < 250; seed += 1) {
      const random = new SeededRandom(seed);
      const memory = new MemoryFileSystem();
      const crashAt = 3 + random.below(120);
      let left: MemoryFileSystem | null = null;
      const disk = new FaultyFileSystem(memory, ({ number }) => {
        if (number !== crashAt) return null;
        left = memory.crashClone(seed);
        return { kind: 'crash' };
      });
      const model = new Model();
      /** After each persist; the first one is the empty log. */
      const history: Model[] = [model.copy()];
      let durable = 0;
      const write = async (): Promise<void> => {
        const { store } = await openLog(disk);
        for (let number = 1; number <= 60; number += 1) {
          enqueue(store, model, nextPersist(model, random, number));
          history.push(model.copy());
          if (random.below(3) === 0) durable = await store.flush();
        }
      };
      await write().catch((error: unknown) => expect(error).toBeInstanceOf(Error));
      if (left === null) continue;
      crashes += 1;
      const { store, entries, hardState, base } = await openLog(left);
      const found = { base, hardState, entries };
      const possible = history.slice(durable).map((each) => ({
        base: { term: each.base.term, index: each.base.index },
        hardState: each.hardState,
        entries: each.entries,
      }));
      expect(possible, `seed ${seed}`).toContainEqual(found);
      // It goes on from there.
      const after = history.slice(durable).find((each) => sameLog(each, found)) as Model;
      enqueue(store, after, nextPersist(after, random, 1));
      await store.flush();
      await store.close();
      await expectHolds(left, after, `seed ${seed}, afterwards`);
    }
    expect(crashes).toBeGreaterThan(100);
  });

  test('gives back without data what is applied, and everything after it', async () => {
    const disk = new MemoryFileSystem();
    const model = new Model();
    const { store } = await openLog(disk);
    const entries = [1, 2, 3, 4, 5].map(
      (index): Entry =>
        index === 2
          ? membership(1 as Term, 2 as LogIndex)
          : { kind: 'data', term: 1 as Term, index: index as LogIndex, data: new Uint8Array(4) },
    );
    const hardState = { term: 1 as Term, votedFor: 1 as NodeId };
    enqueue(store, model, { number: 1 as PersistNumber, hardState, resetTo: null, entries });
    await store.flush();
    await store.close();
    const recovered = await openLog(disk, 3);
    expect(recovered.earlier).toEqual({
      runs: [{ term: 1, first: 1 }],
      lastIndex: 3,
      memberships: [entries[1]],
    });
    expect(recovered.entries).toEqual(entries.slice(3));
    await recovered.store.close();
  });

  test('deletes the segments before a reset', async () => {
    const disk = new MemoryFileSystem();
    const model = new Model();
    const { store } = await openLog(disk);
    const noop = { kind: 'noop' as const, term: 1 as Term, index: 1 as LogIndex };
    const number = 1 as PersistNumber;
    enqueue(store, model, { number, hardState: null, resetTo: null, entries: [noop] });
    await store.flush();
    const resetTo = { term: 2 as Term, index: 50 as LogIndex };
    enqueue(store, model, { number, hardState: null, resetTo, entries: [] });
    await store.flush();
    expect(await disk.list(DIRECTORY)).toEqual(['0000000000000002.raftlog']);
    await store.close();
    await expectHolds(disk, model, 'after the reset');
  });

  test('deletes old segments, but none that is still needed', async () => {
    const disk = new MemoryFileSystem();
    const random = new SeededRandom(3);
    const model = new Model();
    const { store } = await openLog(disk);
    for (let number = 1; number <= 200; number += 1) {
      const index = (model.last.index + 1) as LogIndex;
      const data = new Uint8Array(80).fill(random.below(256));
      const entries: Entry[] = [{ kind: 'data', term: 1 as Term, index, data }];
      const persist = { number: number as PersistNumber, hardState: null, resetTo: null, entries };
      enqueue(store, model, persist);
      await store.flush();
    }
    const before = store.segmentCount;
    await store.dropThrough(100);
    expect(store.segmentCount).toBeLessThan(before);
    for (let index = 101; index <= 200; index += 1) {
      expect((await store.read(index, 1))[0]).toEqual(model.entries[index - 1]);
    }
    await store.close();
    const { base, entries } = await openLog(disk);
    expect(base.index).toBeLessThanOrEqual(100);
    expect(entries.at(-1)).toEqual(model.entries.at(-1));
  });
});

function sameLog(
  model: Model,
  found: { base: EntryId; hardState: HardState; entries: Entry[] },
): boolean {
  return (
    JSON.stringify(model.hardState) === JSON.stringify(found.hardState) &&
    model.base.index === found.base.index &&
    JSON.stringify(model.entries) === JSON.stringify(found.entries)
  );
}

interface Batches {
  readonly disk: MemoryFileSystem;
  readonly path: string;
  /** Where each of them ends in the file. */
  readonly ends: readonly number[];
}

function threeBatches(): Promise<Batches> {
  return batchesOf(100);
}

/** Three flushes of one persist each in one segment. */
async function batchesOf(dataBytes: number): Promise<Batches> {
  const disk = new MemoryFileSystem();
  const model = new Model();
  const { store } = await openLog(disk, 0, 100_000);
  const ends: number[] = [];
  const path = `${DIRECTORY}/0000000000000001.raftlog`;
  for (let number = 1; number <= 3; number += 1) {
    const data = new Uint8Array(dataBytes).fill(number);
    const entries: Entry[] = [{ kind: 'data', term: 1 as Term, index: number as LogIndex, data }];
    enqueue(store, model, {
      number: number as PersistNumber,
      hardState: null,
      resetTo: null,
      entries,
    });
    await store.flush();
    ends.push(disk.contentOf(path)?.length ?? 0);
  }
  await store.close();
  return { disk, path, ends };
}

async function faultOf(disk: FileSystem): Promise<unknown> {
  const error = await openLog(disk).then(
    () => null,
    (each: unknown) => each,
  );
  return error instanceof RaftError ? error.fault : error;
}

describe('damage', () => {
  const places: readonly [string, number, string][] = [
    ['the header of the file', 20, 'the header was durable before the first batch'],
    ['the first batch', 60, 'two batches behind it were written later'],
    ['the length of the second batch', 0, 'the third batch proves that it was durable'],
    ['the data of the last batch', -10, 'a single bit is off, so it is no torn write'],
    ['the header of the last batch', -150, 'a single bit is off there, too'],
  ];
  for (const [where, at, why] of places) {
    test(`to ${where} is refused, with file and position: ${why}`, async () => {
      const { disk, path, ends } = await threeBatches();
      const first = ends[0] ?? 0;
      const position = at === 0 ? first : at < 0 ? (ends[2] ?? 0) + at : at;
      disk.flipBits(path, position, 0x10);
      expect(await faultOf(disk)).toMatchObject({ code: 'RAFT_LOG_CORRUPT', file: path });
      const fault = (await faultOf(disk)) as { position: number };
      const batch = position < 57 ? 0 : [57, ...ends].findLast((start) => start <= position);
      expect(fault.position).toBe(batch);
    });
  }

  test('of a segment that is missing is refused', async () => {
    const disk = new MemoryFileSystem();
    const { store } = await openLog(disk);
    const model = new Model();
    for (let number = 1; number <= 60; number += 1) {
      const data = new Uint8Array(200);
      const entries: Entry[] = [{ kind: 'data', term: 1 as Term, index: number as LogIndex, data }];
      enqueue(store, model, {
        number: number as PersistNumber,
        hardState: null,
        resetTo: null,
        entries,
      });
      await store.flush();
    }
    await store.close();
    await disk.unlink(`${DIRECTORY}/0000000000000003.raftlog`);
    expect(await faultOf(disk)).toMatchObject({ code: 'RAFT_LOG_CORRUPT' });
  });

  test('that looks like a missing sector is refused where later batches prove otherwise', async () => {
    const { disk, path } = await batchesOf(2000);
    const file = await disk.open(path, 'write');
    await file.write(new Uint8Array(512), 512);
    await file.syncData();
    expect(await faultOf(disk)).toMatchObject({ code: 'RAFT_LOG_CORRUPT', position: 57 });
  });

  test('that a read finds is refused', async () => {
    const { disk, path } = await threeBatches();
    const { store } = await openLog(disk);
    disk.flipBits(path, 90, 1);
    await expect(store.read(1, 100)).rejects.toMatchObject({ fault: { code: 'RAFT_LOG_CORRUPT' } });
    await store.close();
  });

  test('that is a torn last write is cut off', async () => {
    const { disk, path, ends } = await threeBatches();
    const file = await disk.open(path, 'write');
    await file.truncate((ends[2] ?? 0) - 20);
    await file.syncData();
    const { entries, store } = await openLog(disk);
    expect(entries).toHaveLength(2);
    await store.close();
    expect(disk.contentOf(path)?.length).toBe(ends[1]);
  });
});

describe('a torn tail', () => {
  const random = new SeededRandom(3);
  const garbage = new Uint8Array(60);
  random.fill(garbage);
  const rows: readonly [string, Uint8Array, number][] = [
    ['of zeros', new Uint8Array(60), 60],
    ['of garbage', garbage, 60],
    ['that begins in the header', garbage, 130],
  ];
  for (const [what, bytes, fromEnd] of rows) {
    test(`${what} is cut off: nobody was promised what it held`, async () => {
      const { disk, path, ends } = await threeBatches();
      const file = await disk.open(path, 'write');
      await file.write(bytes, (ends[2] ?? 0) - fromEnd);
      await file.syncData();
      const { entries, store } = await openLog(disk);
      expect(entries).toHaveLength(2);
      await store.close();
      expect(disk.contentOf(path)?.length).toBe(ends[1]);
    });
  }

  test('is never taken for one when any single bit of the last batch is flipped', async () => {
    const { disk, path, ends } = await threeBatches();
    for (let at = ends[1] ?? 0; at < (ends[2] ?? 0); at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        disk.flipBits(path, at, 1 << bit);
        expect(await faultOf(disk), `byte ${at}, bit ${bit}`).toMatchObject({
          code: 'RAFT_LOG_CORRUPT',
        });
        disk.flipBits(path, at, 1 << bit);
      }
    }
  });
});

describe('a disk that fails', () => {
  test('in a flush gets the doubtful bytes once more at the next start', async () => {
    const operations: string[] = [];
    const memory = new MemoryFileSystem();
    const disk = new FaultyFileSystem(memory, ({ kind, path }) => {
      if (path.endsWith('.raftlog')) operations.push(kind);
      return null;
    });
    const { store } = await openLog(disk);
    const model = new Model();
    enqueue(store, model, nextPersist(model, new SeededRandom(1), 1));
    await store.flush();
    await store.close();
    operations.length = 0;
    await (await openLog(disk)).store.close();
    expect(operations.indexOf('write')).toBeGreaterThan(-1);
    expect(operations.lastIndexOf('syncData')).toBeGreaterThan(operations.lastIndexOf('write'));
    await expectHolds(memory, model, 'unchanged');
  });

  async function flushWith(code: string, kind: 'write' | 'syncData'): Promise<unknown> {
    let fails = false;
    const disk = new FaultyFileSystem(new MemoryFileSystem(), (operation) =>
      fails && operation.kind === kind ? { kind: 'fail', code } : null,
    );
    const { store } = await openLog(disk);
    const model = new Model();
    const random = new SeededRandom(1);
    enqueue(store, model, nextPersist(model, random, 1));
    await store.flush();
    fails = true;
    const data = new Uint8Array(9);
    const index = (model.last.index + 1) as LogIndex;
    const entries: Entry[] = [{ kind: 'data', term: 9 as Term, index, data }];
    enqueue(store, model, { number: 2 as PersistNumber, hardState: null, resetTo: null, entries });
    const first: unknown = await store.flush().catch((error: RaftError) => error.fault);
    fails = false;
    enqueue(store, model, {
      number: 3 as PersistNumber,
      hardState: null,
      resetTo: null,
      entries: [{ kind: 'noop', term: 9 as Term, index: (index + 1) as LogIndex }],
    });
    if (code === 'EIO') {
      await expect(store.flush(), 'a failed flush is not tried again').rejects.toThrow();
    }
    await store.close();
    return first;
  }

  test('in a flush is never believed again', async () => {
    expect(await flushWith('EIO', 'syncData')).toMatchObject({ code: 'RAFT_IO_FAILED' });
  });

  test('because it is full says so', async () => {
    expect(await flushWith('ENOSPC', 'write')).toMatchObject({ code: 'RAFT_FULL' });
  });
});
