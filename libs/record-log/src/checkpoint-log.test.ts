import { FaultyFileSystem, MemoryFileSystem, SeededRandom } from '@robustmq/environment';
import type { FileSystem } from '@robustmq/environment';
import { describe, expect, test } from 'vitest';
import { AppendError } from './append-file.ts';
import { CheckpointLog } from './checkpoint-log.ts';
import type { OpenedCheckpoint } from './checkpoint-log.ts';
import type { CheckpointEntry } from './checkpoint-frame.ts';
import { DataDirectoryError } from './data-directory.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const SEEDS = 200;

function open(fileSystem: FileSystem, seed: number): Promise<OpenedCheckpoint> {
  return CheckpointLog.open(fileSystem, 'checkpoint', {
    segmentBytesMax: 1500,
    slackBytes: 2000,
    compactionBytesPerWrite: 200,
    random: new SeededRandom(seed),
  });
}

async function stateOf(opened: OpenedCheckpoint): Promise<Map<string, string>> {
  const state = new Map<string, string>();
  for await (const { key, value } of opened.entries) {
    expect(state.has(key)).toBe(false);
    state.set(key, decoder.decode(value));
  }
  expect(opened.log.keyCount).toBe(state.size);
  return state;
}

function randomEntries(random: SeededRandom, write: number): CheckpointEntry[] {
  return Array.from({ length: random.below(6) }, (_, i) => {
    const key = `key/${random.below(30)}`;
    const text = `${write}.${i}.${'v'.repeat(random.below(80))}`;
    return { key, value: random.below(4) === 0 ? null : encoder.encode(text) };
  });
}

function applyTo(
  model: ReadonlyMap<string, string>,
  entries: readonly CheckpointEntry[],
): Map<string, string> {
  const next = new Map(model);
  for (const { key, value } of entries) {
    if (value === null) next.delete(key);
    else next.set(key, decoder.decode(value));
  }
  return next;
}

/** The states after each write, by the number in the commit; state 0 is empty. */
async function runHistory(
  fileSystem: FileSystem,
  random: SeededRandom,
  history: { states: Map<string, string>[]; acknowledged: number },
): Promise<CheckpointLog> {
  const { log } = await open(fileSystem, 1);
  for (let write = 1; write <= 80; write += 1) {
    const entries = randomEntries(random, write);
    history.states.push(applyTo(history.states.at(-1) ?? new Map(), entries));
    await log.write(entries, encoder.encode(String(write)));
    history.acknowledged = write;
  }
  return log;
}

function writeNumberOf(opened: OpenedCheckpoint): number {
  return opened.lastCommit === null ? 0 : Number(decoder.decode(opened.lastCommit));
}

describe('a checkpoint log', () => {
  test('is empty at first and then holds the latest value of each key', async () => {
    const fileSystem = new MemoryFileSystem();
    const first = await open(fileSystem, 1);
    expect(first.lastCommit).toBeNull();
    expect(await stateOf(first)).toEqual(new Map());
    await first.log.write([{ key: 'a', value: encoder.encode('1') }], encoder.encode('x'));
    await first.log.write(
      [
        { key: 'b', value: encoder.encode('') },
        { key: 'a', value: encoder.encode('2') },
        { key: 'never', value: null },
      ],
      new Uint8Array(0),
    );
    await first.log.close();
    const second = await open(fileSystem, 2);
    expect(second.lastCommit).toEqual(new Uint8Array(0));
    expect(await stateOf(second)).toEqual(new Map(Object.entries({ b: '', a: '2' })));
  });

  test('behaves like a map over many writes, and its files stay in proportion', async () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const fileSystem = new MemoryFileSystem();
      const history = { states: [new Map<string, string>()], acknowledged: 0 };
      const log = await runHistory(fileSystem, new SeededRandom(seed), history);
      expect(log.byteLength).toBeLessThan(2 * 30 * 110 + 2000 + 2 * 1500);
      await log.close();
      const again = await open(fileSystem, seed);
      expect(await stateOf(again)).toEqual(history.states.at(-1));
    }
  });

  test(`after a loss of power holds a whole write, none acknowledged missing, in ${SEEDS} histories`, async () => {
    for (let seed = 0; seed < SEEDS; seed += 1) {
      const random = new SeededRandom(seed);
      const memory = new MemoryFileSystem();
      const crashAt = 10 + random.below(220);
      const history = { states: [new Map<string, string>()], acknowledged: 0 };
      const atCrash: { disk: MemoryFileSystem | null; acknowledged: number } = {
        disk: null,
        acknowledged: 0,
      };
      const disk = new FaultyFileSystem(memory, (operation) => {
        if (operation.number !== crashAt) return null;
        atCrash.disk = memory.crashClone(seed);
        atCrash.acknowledged = history.acknowledged;
        return { kind: 'crash' };
      });
      await runHistory(disk, random, history).catch(ignoreCrash);
      const left = atCrash.disk ?? memory.crashClone(seed);
      const acknowledged = atCrash.disk === null ? history.acknowledged : atCrash.acknowledged;
      const opened = await open(left, seed);
      const found = writeNumberOf(opened);
      expect(found, `seed ${seed}`).toBeGreaterThanOrEqual(acknowledged);
      expect(await stateOf(opened), `seed ${seed}`).toEqual(history.states[found]);
      expect(opened.log.recovery.quarantined, `seed ${seed}`).toEqual([]);
      await opened.log.write([{ key: 'after', value: encoder.encode('y') }], new Uint8Array(1));
    }
  });

  test('a flipped bit is told, and no value is ever wrong', async () => {
    const memory = new MemoryFileSystem();
    const history = { states: [new Map<string, string>()], acknowledged: 0 };
    await (await runHistory(memory, new SeededRandom(5), history)).close();
    const files = (await memory.list('checkpoint')).filter((name) => name.endsWith('.checkpoint'));
    const everWritten = new Set(
      history.states.flatMap((state) => [...state].map(([key, value]) => `${key} ${value}`)),
    );
    const random = new SeededRandom(6);
    for (let round = 0; round < 200; round += 1) {
      const damaged = memory.crashClone(0);
      const path = `checkpoint/${files[round % files.length] as string}`;
      damaged.flipBits(
        path,
        random.below(damaged.contentOf(path)?.length ?? 1),
        1 << random.below(8),
      );
      const opened = await open(damaged, round);
      for (const [key, value] of await stateOf(opened)) {
        expect(everWritten.has(`${key} ${value}`)).toBe(true);
      }
      const isTold =
        opened.log.recovery.quarantined.length > 0 || opened.log.recovery.truncatedBytes > 0;
      expect(isTold, `${path} in round ${round}`).toBe(true);
      await opened.log.close();
    }
  });

  test('a full disk fails the write only', async () => {
    const memory = new MemoryFileSystem();
    let isFull = false;
    const disk = new FaultyFileSystem(memory, ({ kind }) =>
      isFull && kind === 'write' ? { kind: 'shortWrite', byteLength: 11, code: 'ENOSPC' } : null,
    );
    const { log } = await open(disk, 1);
    await log.write([{ key: 'a', value: encoder.encode('1') }], encoder.encode('1'));
    isFull = true;
    const refused = log.write([{ key: 'a', value: null }], encoder.encode('2'));
    await expect(refused).rejects.toMatchObject({ fault: { kind: 'full' } });
    isFull = false;
    await log.write([{ key: 'b', value: encoder.encode('3') }], encoder.encode('3'));
    await log.close();
    const again = await open(memory, 2);
    expect(await stateOf(again)).toEqual(new Map(Object.entries({ a: '1', b: '3' })));
  });

  test('a failed flush is never taken for a good one', async () => {
    const memory = new MemoryFileSystem();
    let failures = 0;
    const disk = new FaultyFileSystem(memory, ({ kind }) =>
      kind === 'syncData' && failures === 1 ? { kind: 'fail', code: 'EIO' } : null,
    );
    const { log } = await open(disk, 1);
    failures = 1;
    await expect(log.write([], new Uint8Array(1))).rejects.toBeInstanceOf(AppendError);
    failures = 0;
    await expect(log.write([], new Uint8Array(1))).rejects.toMatchObject({
      fault: { kind: 'broken' },
    });
  });

  test('one directory has one owner', async () => {
    const memory = new MemoryFileSystem();
    const { log } = await open(memory, 1);
    await expect(open(memory, 2)).rejects.toBeInstanceOf(DataDirectoryError);
    await log.close();
    await (await open(memory, 3)).log.close();
  });
});

function ignoreCrash(error: unknown): void {
  if (!(error instanceof Error) || !error.message.includes('after the machine crashed'))
    throw error;
}
