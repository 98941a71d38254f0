import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem, SeededRandom } from '@robustmq/environment';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkDatabase } from './check-database.ts';
import { openDatabase } from './level-database.ts';

const BATCHES = 40;
const KEYS = 400;

let folder: string;
let path: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'robustmq-level-'));
  path = join(folder, 'db');
  await fill(path);
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Tables of several blocks, and a log in which batch `n` sets `last` to `n`. */
async function fill(path: string): Promise<void> {
  let database = await openDatabase(path, 'new');
  for (let key = 0; key < KEYS; key += 1) {
    await database.put(`key-${key}`, new Uint8Array(500).fill(key & 0xff));
  }
  await database.close();
  // What a log holds becomes a table when it is read back.
  database = await openDatabase(path, 'existing');
  for (let batch = 1; batch <= BATCHES; batch += 1) {
    const value = new TextEncoder().encode(String(batch));
    await database.batch([
      { type: 'put', key: 'last', value },
      { type: 'put', key: `batch-${batch}`, value: new Uint8Array(3000).fill(batch) },
    ]);
  }
  await database.close();
}

function filesLike(pattern: RegExp): readonly string[] {
  return readdirSync(path).filter((name) => pattern.test(name));
}

function flip(name: string, at: number): void {
  const bytes = readFileSync(join(path, name));
  bytes[at] = (bytes[at] as number) ^ 0x10;
  writeFileSync(join(path, name), bytes);
}

/** The batches that are there, and what the last one said. */
async function contents(): Promise<{ last: number; batches: number; keys: number }> {
  const database = await openDatabase(path, 'existing');
  const last = await database.get('last');
  const batches = (await database.keys({ gte: 'batch-', lt: 'batch.' }).all()).length;
  const keys = (await database.keys({ gte: 'key-', lt: 'key.' }).all()).length;
  await database.close();
  return { last: Number(new TextDecoder().decode(last ?? new Uint8Array())), batches, keys };
}

describe('a database directory before it is opened', () => {
  test('is left as it is when it is whole', async () => {
    await checkDatabase(nodeFileSystem, path);
    expect(await contents()).toEqual({ last: BATCHES, batches: BATCHES, keys: KEYS });
  });

  test('is refused for any flipped bit of a table', async () => {
    const [name = ''] = filesLike(/\.ldb$/);
    const { length } = readFileSync(join(path, name));
    const random = new SeededRandom(1);
    for (let round = 0; round < 200; round += 1) {
      const at = random.below(length - 16);
      flip(name, at);
      // The footer ends with padding that nobody reads.
      const isPadding = at >= length - 40;
      if (!isPadding) {
        await expect(checkDatabase(nodeFileSystem, path), `byte ${at}`).rejects.toThrow(name);
      }
      flip(name, at);
    }
    await checkDatabase(nodeFileSystem, path);
  });

  test('is cut at the first damage of a log, so that no change stands on a missing one', async () => {
    const [name = ''] = filesLike(/\.log$/);
    const whole = readFileSync(join(path, name));
    const random = new SeededRandom(2);
    for (let round = 0; round < 30; round += 1) {
      writeFileSync(join(path, name), whole);
      flip(name, random.below(whole.length));
      await checkDatabase(nodeFileSystem, path);
      const { last, batches, keys } = await contents();
      expect(batches).toBe(last);
      expect(last).toBeLessThan(BATCHES);
      expect(keys).toBe(KEYS);
      rmSync(path, { recursive: true });
      await fill(path);
    }
  });

  test('is refused when a table is missing or has another length', async () => {
    const [name = ''] = filesLike(/\.ldb$/);
    const bytes = readFileSync(join(path, name));
    writeFileSync(join(path, name), bytes.subarray(0, bytes.length - 1));
    await expect(checkDatabase(nodeFileSystem, path)).rejects.toThrow('instead of');
    rmSync(join(path, name));
    await expect(checkDatabase(nodeFileSystem, path)).rejects.toThrow('is missing');
  });

  test('is refused without a manifest', async () => {
    writeFileSync(join(path, 'CURRENT'), 'nothing\n');
    await expect(checkDatabase(nodeFileSystem, path)).rejects.toThrow('names no manifest');
  });
});
