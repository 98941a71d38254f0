import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { type FileSystem, nodeFileSystem } from '@robustmq/environment';
import { type Command, DEFAULT_STATE_MACHINE_LIMITS, type Revision } from '@robustmq/placement';
import type { LogIndex } from '@robustmq/raft';
import { Level } from 'level';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openPlacementStore } from './open-placement-store.ts';
import { PlacementStoreError } from './placement-store-error.ts';
import { apply, put, transact } from './testing/commands.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/placement-open-`);
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function fill(...commands: readonly Command[]): Promise<void> {
  const store = await openPlacementStore({ directory });
  await apply(store, transact(put('a', '1')), ...commands);
  await store.close();
}

async function faultOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof PlacementStoreError ? error.fault : error;
}

async function filesOf(pattern: RegExp): Promise<readonly string[]> {
  const names = await readdir(`${directory}/state-1`);
  return names.filter((name) => pattern.test(name)).map((name) => `${directory}/state-1/${name}`);
}

describe('opening', () => {
  test('a second time at once is refused with a sentence', async () => {
    const store = await openPlacementStore({ directory });
    const fault = await faultOf(openPlacementStore({ directory }));
    expect(fault).toEqual({
      code: 'PLACEMENT_STORE_IN_USE',
      detail: expect.stringContaining(directory),
    });
    await store.close();
    await (await openPlacementStore({ directory })).close();
  });

  test('a database that something else has open is refused with a sentence', async () => {
    await fill();
    const other = new Level(`${directory}/state-1`);
    await other.open();
    expect(await faultOf(openPlacementStore({ directory }))).toEqual({
      code: 'PLACEMENT_STORE_IN_USE',
      detail: expect.stringContaining('state-1'),
    });
    await other.close();
    await (await openPlacementStore({ directory })).close();
  });

  for (const { why, damage } of [
    {
      why: 'a database whose list of files is no such',
      damage: async () => writeFile((await filesOf(/^MANIFEST/))[0] as string, 'x'.repeat(500)),
    },
    {
      why: 'a database without its first file',
      damage: async () => rm(`${directory}/state-1/CURRENT`),
    },
    {
      why: 'a state that is gone',
      damage: async () => rm(`${directory}/state-1`, { recursive: true }),
    },
    {
      why: 'a pointer to nowhere',
      damage: async () => writeFile(`${directory}/STATE`, '../../etc'),
    },
    { why: 'an empty pointer', damage: async () => truncate(`${directory}/STATE`) },
  ]) {
    test(`${why} is told as damage, and the lock is free again`, async () => {
      await fill();
      await damage();
      for (let attempt = 0; attempt < 2; attempt += 1) {
        expect(await faultOf(openPlacementStore({ directory }))).toEqual({
          code: 'PLACEMENT_STORE_CORRUPT',
          detail: expect.stringContaining('move the directory away'),
        });
      }
    });
  }

  test('the directory of something else is refused', async () => {
    await fill();
    await writeFile(`${directory}/FORMAT`, 'robustmq-journal 1\n');
    expect(await faultOf(openPlacementStore({ directory }))).toMatchObject({
      code: 'PLACEMENT_STORE_UNKNOWN_FORMAT',
    });
  });

  test('a state of a later version is refused, and can be opened by that version', async () => {
    await fill();
    const database = new Level(`${directory}/state-1`);
    await database.put('m', '\u0002 of a later version');
    await database.close();
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect(await faultOf(openPlacementStore({ directory }))).toMatchObject({
        code: 'PLACEMENT_STORE_UNKNOWN_FORMAT',
      });
    }
  });

  test('a state that came about under other limits is refused', async () => {
    await fill();
    const limits = { ...DEFAULT_STATE_MACHINE_LIMITS, leasesMax: 7 };
    expect(await faultOf(openPlacementStore({ directory, limits }))).toEqual({
      code: 'PLACEMENT_STORE_UNKNOWN_FORMAT',
      detail: expect.stringContaining('under other limits'),
    });
    await (await openPlacementStore({ directory })).close();
  });

  test('history that was forgotten is removed from the disk', async () => {
    const puts = Array.from({ length: 20 }, (_, i) => transact(put('a', String(i))));
    await fill(...puts, { kind: 'compact', revision: 15 as Revision });
    const database = new Level(`${directory}/state-1`);
    await database.open();
    const keys = await database.keys({ gte: 'h', lt: 'i' }).all();
    await database.close();
    expect(keys).toHaveLength(6);
  });
});

describe('a store', () => {
  test('that is closed refuses everything, and may be closed again', async () => {
    const store = await openPlacementStore({ directory });
    await store.close();
    await store.close();
    const closed = { code: 'PLACEMENT_STORE_CLOSED', detail: expect.any(String) };
    const range = { range: { first: '', after: null }, limit: 0, content: 'keys' } as const;
    expect(await faultOf(store.apply([], 1 as LogIndex))).toEqual(closed);
    expect(await faultOf(store.range(range))).toEqual(closed);
    expect(await faultOf(store.flush())).toEqual(closed);
    expect(await faultOf(store.openSnapshot())).toEqual(closed);
  });

  test('waits for reads under way before it closes', async () => {
    const store = await openPlacementStore({ directory });
    await apply(
      store,
      ...Array.from({ length: 50 }, (_, i) => transact(put(`k${i}`, 'x'.repeat(9000)))),
    );
    const range = { range: { first: '', after: null }, limit: 0, content: 'whole' } as const;
    const read = store.range(range);
    await store.close();
    expect((await read).count).toBe(50);
  });

  test('flushes the logs of the database and their directory', async () => {
    const synced: string[] = [];
    const fileSystem: FileSystem = {
      ...bound(nodeFileSystem),
      open: async (path, mode) => {
        const file = await nodeFileSystem.open(path, mode);
        return {
          read: (target, position) => file.read(target, position),
          write: (bytes, position) => file.write(bytes, position),
          writeDurably: (bytes, position) => file.writeDurably(bytes, position),
          truncate: (byteLength) => file.truncate(byteLength),
          preallocate: (byteLength) => file.preallocate(byteLength),
          byteLength: () => file.byteLength(),
          close: () => file.close(),
          syncData: () => {
            synced.push(path);
            return file.syncData();
          },
        };
      },
      syncDirectory: (path) => {
        synced.push(path);
        return nodeFileSystem.syncDirectory(path);
      },
    };
    const store = await openPlacementStore({ directory, fileSystem });
    await apply(store, transact(put('a', '1')));
    synced.length = 0;
    expect(await store.flush()).toBe(1);
    const logs = await filesOf(/\.log$/);
    expect(logs.length).toBeGreaterThan(0);
    expect(synced).toEqual([...logs, `${directory}/state-1`]);
    await store.close();
  });
});

function bound(fileSystem: FileSystem): FileSystem {
  return {
    open: (path, mode) => fileSystem.open(path, mode),
    list: (path) => fileSystem.list(path),
    makeDirectory: (path) => fileSystem.makeDirectory(path),
    removeDirectory: (path) => fileSystem.removeDirectory(path),
    rename: (from, to) => fileSystem.rename(from, to),
    unlink: (path) => fileSystem.unlink(path),
    syncDirectory: (path) => fileSystem.syncDirectory(path),
    status: (path) => fileSystem.status(path),
    freeBytes: (path) => fileSystem.freeBytes(path),
    lock: (path) => fileSystem.lock(path),
  };
}
