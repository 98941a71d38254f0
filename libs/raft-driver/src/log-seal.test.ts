import { MemoryFileSystem, SeededRandom } from '@robustmq/environment';
import type { Entry, LogIndex, PersistNumber, Term } from '@robustmq/raft';
import { describe, expect, test } from 'vitest';
import {
  DIRECTORY,
  enqueue,
  expectReads,
  Model,
  nextPersist,
  openLog,
} from './testing/log-model.ts';

describe('a start', () => {
  test('knows the terms and memberships of what is applied, whether it reads it or not', async () => {
    for (let seed = 0; seed < 60; seed += 1) {
      const random = new SeededRandom(1000 + seed);
      const disk = new MemoryFileSystem();
      const model = new Model();
      const { store } = await openLog(disk, 0, 600);
      for (let number = 1; number <= 60; number += 1) {
        enqueue(store, model, nextPersist(model, random, number));
        await store.flush();
      }
      await store.close();
      for (const name of await disk.list(DIRECTORY)) {
        if (name.endsWith('.raftseal') && random.below(3) === 0) {
          await disk.unlink(`${DIRECTORY}/${name}`);
        }
      }
      const keepAfter = model.base.index + random.below(model.entries.length + 1);
      const {
        store: opened,
        base,
        hardState,
        earlier,
        entries,
      } = await openLog(disk, keepAfter, 600);
      const label = `seed ${seed}`;
      expect({ base, hardState }, label).toEqual({
        base: { term: model.base.term, index: model.base.index },
        hardState: model.hardState,
      });
      const count = keepAfter - model.base.index;
      expect(entries, label).toEqual(model.entries.slice(count));
      for (const { index, term } of model.entries.slice(0, count)) {
        expect(earlier.runs.findLast(({ first }) => first <= index)?.term, label).toBe(term);
      }
      expect(earlier.memberships, label).toEqual(
        model.entries.slice(0, count).filter(({ kind }) => kind === 'membership'),
      );
      await expectReads(opened, model, label);
      await opened.close();
    }
  });

  test('does not read complete segments of what is applied, and finds damage in them when it does', async () => {
    const disk = new MemoryFileSystem();
    const model = new Model();
    const { store } = await openLog(disk);
    for (let index = 1; index <= 60; index += 1) {
      const data = new Uint8Array(80).fill(index);
      const entries: Entry[] = [{ kind: 'data', term: 1 as Term, index: index as LogIndex, data }];
      const number = index as PersistNumber;
      enqueue(store, model, { number, hardState: null, resetTo: null, entries });
      await store.flush();
    }
    await store.close();
    disk.flipBits(`${DIRECTORY}/0000000000000001.raftlog`, 200, 3);
    const { store: opened } = await openLog(disk, 55);
    await expect(opened.read(1, 10_000)).rejects.toMatchObject({
      fault: { code: 'RAFT_LOG_CORRUPT' },
    });
    expect((await opened.read(50, 1))[0]).toEqual(model.entries[49]);
    await opened.close();
  });
});
