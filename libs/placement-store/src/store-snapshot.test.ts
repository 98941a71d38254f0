import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { ALL_KEYS, DEFAULT_STATE_MACHINE_LIMITS, type Revision } from '@robustmq/placement';
import type { LogIndex } from '@robustmq/raft';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openPlacementStore } from './open-placement-store.ts';
import type { PlacementStore } from './placement-store.ts';
import { apply, put, randomCommands, transact } from './testing/commands.ts';

let directory: string;
let source: PlacementStore;
let target: PlacementStore;

beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/placement-snapshot-`);
  source = await openPlacementStore({ directory: `${directory}/source` });
  target = await openPlacementStore({ directory: `${directory}/target` });
});

afterEach(async () => {
  await source.close();
  await target.close();
  await rm(directory, { recursive: true });
});

async function* piecesOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function contentOf(store: PlacementStore): Promise<Uint8Array> {
  const snapshot = await store.openSnapshot();
  const pieces: Uint8Array[] = [];
  for await (const piece of snapshot.content) pieces.push(piece);
  await snapshot.close();
  return Buffer.concat(pieces);
}

async function statesOf(name: string): Promise<readonly string[]> {
  const names = await readdir(`${directory}/${name}`);
  return names.filter((each) => each.startsWith('state-'));
}

describe('a snapshot', () => {
  test('holds the moment of its opening, whatever is applied while it is read', async () => {
    await apply(source, ...randomCommands(5, 300));
    const digest = await source.digest();
    const snapshot = await source.openSnapshot();
    await apply(source, transact({ kind: 'delete', range: ALL_KEYS }, put('later', '1')));
    await apply(source, { kind: 'compact', revision: source.revision });
    const revisions: Revision[] = [];
    target.onInstalled((revision) => revisions.push(revision));
    await target.install(snapshot.index, snapshot.content);
    await snapshot.close();
    expect(await target.digest()).toBe(digest);
    expect(target.appliedIndex).toBe(300);
    expect(revisions).toEqual([target.revision]);
  });

  for (const size of [1, 1000, 100_000]) {
    test(`is understood in pieces of ${size} bytes`, async () => {
      await apply(source, ...randomCommands(6, 40));
      const content = await contentOf(source);
      await target.install(40 as LogIndex, piecesOf(content, size));
      expect(await target.digest()).toBe(await source.digest());
    });
  }

  test('comes in bounded pieces', async () => {
    const values = Array.from({ length: 400 }, (_, i) => put(`k${i}`, 'x'.repeat(3000)));
    await apply(source, transact(...values));
    const snapshot = await source.openSnapshot();
    const sizes: number[] = [];
    for await (const piece of snapshot.content) sizes.push(piece.length);
    await snapshot.close();
    expect(sizes.length).toBeGreaterThan(5);
    expect(Math.max(...sizes)).toBeLessThan(256 * 1024);
  });

  test('replaces everything, stays after a restart, and more is applied on it', async () => {
    await apply(target, transact(put('old', '1')), transact(put('old', '2')));
    await apply(source, transact(put('new', '1')));
    await target.install(90 as LogIndex, piecesOf(await contentOf(source), 50));
    expect(await statesOf('target')).toEqual(['state-2']);
    await target.close();
    target = await openPlacementStore({ directory: `${directory}/target` });
    expect(await target.digest()).toBe(await source.digest());
    expect(target.appliedIndex).toBe(90);
    await apply(target, transact(put('more', '1')));
    await apply(source, transact(put('more', '1')));
    expect(await target.digest()).toBe(await source.digest());
    await target.install(95 as LogIndex, piecesOf(await contentOf(source), 50));
    expect(await statesOf('target')).toEqual(['state-3']);
  });

  for (const { why, damage } of [
    { why: 'that was cut off', damage: (content: Uint8Array) => content.subarray(0, -20) },
    { why: 'without its first bytes', damage: (content: Uint8Array) => content.subarray(3) },
    {
      why: 'with a changed byte',
      damage: (content: Uint8Array) => content.map((byte, at) => (at === 60 ? byte ^ 1 : byte)),
    },
    { why: 'of no bytes', damage: () => new Uint8Array(0) },
    {
      why: 'with bytes after its end',
      damage: (content: Uint8Array) => Buffer.concat([content, content]),
    },
  ]) {
    test(`${why} is refused, and the content before stays`, async () => {
      await apply(source, ...randomCommands(7, 50));
      await apply(target, transact(put('kept', '1')));
      const digest = await target.digest();
      const content = damage(await contentOf(source));
      await expect(target.install(50 as LogIndex, piecesOf(content, 100))).rejects.toMatchObject({
        fault: { code: 'PLACEMENT_STORE_SNAPSHOT_DAMAGED' },
      });
      expect(await target.digest()).toBe(digest);
      expect(target.appliedIndex).toBe(1);
      await target.install(50 as LogIndex, piecesOf(await contentOf(source), 1000));
      expect(await target.digest()).toBe(await source.digest());
    });
  }

  test('of other limits is refused, and the content before stays', async () => {
    const limits = { ...DEFAULT_STATE_MACHINE_LIMITS, leasesMax: 7 };
    const other = await openPlacementStore({ directory: `${directory}/other`, limits });
    await apply(other, transact(put('a', 'other')));
    await apply(target, transact(put('a', 'own')));
    const digest = await target.digest();
    const installed = target.install(other.appliedIndex, piecesOf(await contentOf(other), 1000));
    await expect(installed).rejects.toMatchObject({
      fault: {
        code: 'PLACEMENT_STORE_UNKNOWN_FORMAT',
        detail: expect.stringContaining('under other limits'),
      },
    });
    expect(await target.digest()).toBe(digest);
    await other.close();
  });

  test('that was being installed when the process died is forgotten', async () => {
    await apply(target, transact(put('kept', '1')));
    await target.close();
    await mkdir(`${directory}/target/state-2/lost`, { recursive: true });
    await writeFile(`${directory}/target/state-2/CURRENT`, 'half');
    target = await openPlacementStore({ directory: `${directory}/target` });
    expect(target.revision).toBe(1);
    expect(await statesOf('target')).toEqual(['state-1']);
  });
});
