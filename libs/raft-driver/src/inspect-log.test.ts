import { MemoryFileSystem, SeededRandom } from '@robustmq/environment';
import type { Entry } from '@robustmq/raft';
import { expect, test } from 'vitest';
import { inspectLog } from './inspect-log.ts';
import { DIRECTORY, enqueue, Model, nextPersist, openLog } from './testing/log-model.ts';

async function writeLog(seed: number) {
  const random = new SeededRandom(seed);
  const disk = new MemoryFileSystem();
  const model = new Model();
  for (let life = 0; life < 3; life += 1) {
    const { store } = await openLog(disk);
    for (let number = 1; number <= 25; number += 1) {
      enqueue(store, model, nextPersist(model, random, number));
      if (random.below(3) === 0) await store.flush();
    }
    await store.flush();
    await store.close();
  }
  return { disk, model, random };
}

async function inspect(disk: MemoryFileSystem) {
  const entries: Entry[] = [];
  const segments = await inspectLog(disk, DIRECTORY, (entry) => entries.push(entry));
  return { entries, segments };
}

test('a log is read as it counts, whatever was replaced and reset, and stays as it is', async () => {
  for (let seed = 0; seed < 30; seed += 1) {
    const { disk, model } = await writeLog(seed);
    const { entries, segments } = await inspect(disk);
    const kept = entries.filter(({ index }) => index > model.base.index);
    expect(kept, `seed ${seed}`).toEqual(model.entries);
    expect(segments.filter(({ damage }) => damage !== null)).toEqual([]);
    expect(await inspect(disk)).toEqual({ entries, segments });
  }
});

test('one flipped bit anywhere is found', async () => {
  for (let seed = 0; seed < 60; seed += 1) {
    const { disk, random } = await writeLog(seed);
    const { segments } = await inspect(disk);
    const victim = segments[random.below(segments.length)];
    if (victim === undefined) throw new Error('there is a segment');
    const file = await disk.open(victim.path, 'write');
    const position = random.below(victim.bytes);
    const byte = new Uint8Array(1);
    await file.read(byte, position);
    byte[0] = (byte[0] ?? 0) ^ (1 << random.below(8));
    await file.write(byte, position);
    await file.close();
    const after = await inspect(disk);
    const damaged = after.segments.filter(({ damage }) => damage !== null);
    expect(
      damaged.map(({ path }) => path),
      `seed ${seed}, byte ${position}`,
    ).toEqual([victim.path]);
  }
});

test('what a loss of power leaves behind the last batch is no damage', async () => {
  const { disk } = await writeLog(1);
  const before = await inspect(disk);
  const last = before.segments.at(-1);
  if (last === undefined) throw new Error('there is a segment');
  const file = await disk.open(last.path, 'write');
  await file.write(new Uint8Array(500), last.bytes);
  await file.close();
  const after = await inspect(disk);
  expect(after.entries).toEqual(before.entries);
  expect(after.segments.at(-1)).toMatchObject({ tornBytes: 500, damage: null });
});
