import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '@robustmq/environment';
import type { LogIndex } from '@robustmq/raft';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fillDatabase, type StoredRecord } from './fill-database.ts';
import type { Database } from './level-database.ts';
import { type LevelState, openLevelState } from './level-state.ts';
import { RecordStreamWriter } from './record-stream.ts';

const NAME = 'RMQTEST\u0001';
/** Nothing here fills a buffer, so that files are copied while no table is being made of one. */
const MEMORY = { cacheBytes: 1 << 20, writeBufferBytes: 8 << 20 };

let folder: string;
let directory: string;
let state: LevelState;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'robustmq-level-state-'));
  directory = join(folder, 'state');
  state = await open(directory);
});

afterEach(async () => {
  await state.close();
  rmSync(folder, { recursive: true });
});

function open(path: string): Promise<LevelState> {
  const format = { name: 'robustmq-test', version: 1 };
  return openLevelState({ directory: path, format, fileSystem: nodeFileSystem, memory: MEMORY });
}

function nameOf(index: number): string {
  return `k${String(index).padStart(5, '0')}`;
}

/** Each index writes one record of its own. */
function write(index: number, bytes = 1): void {
  state.records.put(nameOf(index), new Uint8Array(bytes).fill(index));
  state.applied(index as LogIndex);
}

function namesOf(read: LevelState): Promise<readonly string[]> {
  return read.read(({ database, snapshot }) =>
    database.keys({ gte: 'k', lt: 'l', snapshot }).all(),
  );
}

function namesUpTo(index: number): readonly string[] {
  return Array.from({ length: index }, (_, at) => nameOf(at + 1));
}

async function* contentOf(records: readonly StoredRecord[]): AsyncGenerator<Uint8Array> {
  const writer = new RecordStreamWriter(NAME);
  for (const [key, value] of records) {
    const piece = writer.add(key, value);
    if (piece !== null) yield piece;
  }
  yield writer.end();
}

function fill(records: readonly StoredRecord[], index: number): (into: Database) => Promise<void> {
  const options = { name: NAME, index: index as LogIndex, expand: (one: StoredRecord) => [one] };
  return (database) => fillDatabase(database, contentOf(records), options);
}

async function messageOf(promise: Promise<unknown>): Promise<string | null> {
  return promise.then(
    () => null,
    (error: unknown) => (error as Error).message,
  );
}

describe('a state in LevelDB', () => {
  test('shows what is pending to commands and to reads, and keeps it over a restart', async () => {
    write(1);
    write(2);
    state.records.delete(nameOf(1));
    state.applied(3 as LogIndex);
    expect(state.records.get(nameOf(1))).toBeUndefined();
    expect(state.records.get(nameOf(2))).toEqual(Uint8Array.of(2));
    expect(await namesOf(state)).toEqual([nameOf(2)]);
    await state.close();
    state = await open(directory);
    expect(state.appliedIndex).toBe(3);
    expect(await namesOf(state)).toEqual([nameOf(2)]);
  });

  test('a killed process leaves a beginning of what was applied, and its index', async () => {
    for (let index = 1; index <= 200; index += 1) {
      write(index, 10_000);
      if (index % 40 === 0) await state.makeRoom();
      if (index % 70 === 0) await state.flush();
    }
    cpSync(directory, join(folder, 'killed'), { recursive: true });
    const killed = await open(join(folder, 'killed'));
    expect(killed.appliedIndex).toBeGreaterThanOrEqual(140);
    expect(await namesOf(killed)).toEqual(namesUpTo(killed.appliedIndex));
    await killed.close();
  });

  test('a view holds its moment, whatever is applied meanwhile', async () => {
    write(1);
    const view = await state.openView();
    write(2);
    await state.flush();
    expect(view.appliedIndex).toBe(1);
    expect(await view.database.keys({ gte: 'k', snapshot: view.snapshot }).all()).toEqual([
      nameOf(1),
    ]);
    await view.close();
    expect(await namesOf(state)).toEqual(namesUpTo(2));
  });

  test('is replaced whole, and reads under way end on what was there', async () => {
    write(1);
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const reading = state.read(async ({ database, snapshot }) => {
      await released;
      return database.keys({ gte: 'k', snapshot }).all();
    });
    const replaced = state.replace(fill([[nameOf(9), Uint8Array.of(9)]], 9));
    release();
    await replaced;
    expect(await reading).toEqual([nameOf(1)]);
    expect(state.appliedIndex).toBe(9);
    expect([...(state.records.get(nameOf(9)) ?? [])]).toEqual([9]);
    write(10);
    await state.close();
    expect(readdirSync(directory).filter((name) => name.startsWith('state-'))).toHaveLength(1);
    state = await open(directory);
    expect(await namesOf(state)).toEqual([nameOf(9), nameOf(10)]);
  });

  test('stays what it was when the new content is damaged', async () => {
    write(1);
    const damaged = (database: Database): Promise<void> =>
      fillDatabase(
        database,
        (async function* cutOff() {
          for await (const piece of contentOf([['a', Uint8Array.of(1)]])) yield piece.slice(0, -1);
        })(),
        { name: NAME, index: 9 as LogIndex, expand: (one) => [one] },
      );
    expect(await messageOf(state.replace(damaged))).toBe('the snapshot ends early');
    write(2);
    expect(await namesOf(state)).toEqual(namesUpTo(2));
    await state.replace(fill([[nameOf(3), Uint8Array.of(3)]], 3));
    expect(await namesOf(state)).toEqual([nameOf(3)]);
  });

  test('that is poisoned does nothing more, and writes nothing at its end', async () => {
    write(1);
    await state.flush();
    write(2);
    const error = state.poison(new Error('a command was not understood'));
    expect(await messageOf(state.flush())).toBe(error.message);
    expect(await messageOf(state.makeRoom())).toBe(error.message);
    expect(await messageOf(namesOf(state))).toBe(error.message);
    await state.close();
    state = await open(directory);
    expect(state.appliedIndex).toBe(1);
    expect(await namesOf(state)).toEqual(namesUpTo(1));
  });

  test('is in one process at a time', async () => {
    expect(await messageOf(open(directory))).toContain(directory);
    await state.close();
    expect(await messageOf(state.flush())).toBe('the state is closed');
  });
});
