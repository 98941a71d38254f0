import {
  constants,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { FaultyFileSystem } from './faulty-file-system.ts';
import { fileErrorCode, readWholeFile } from './file-system.ts';
import type { FileSystem } from './file-system.ts';
import { MemoryFileSystem } from './memory-file-system.ts';
import { nodeFileSystem } from './node-file-system.ts';

const parent = mkdtempSync(join(tmpdir(), 'environment-'));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => 'none', fileErrorCode);
}

async function put(fileSystem: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const file = await fileSystem.open(path, 'create');
  await file.write(bytes, 0);
  await file.syncData();
  await file.close();
}

const kinds: readonly { name: string; fileSystem: FileSystem; root: string }[] = [
  { name: 'of the machine', fileSystem: nodeFileSystem, root: parent },
  { name: 'in memory', fileSystem: new MemoryFileSystem(), root: 'root' },
  {
    name: 'behind a wrapper that never fails',
    fileSystem: new FaultyFileSystem(new MemoryFileSystem(), () => null),
    root: 'root',
  },
];

for (const { name, fileSystem, root } of kinds) {
  describe(`a file system ${name}`, () => {
    test('reads back what was written at positions', async () => {
      await fileSystem.makeDirectory(`${root}/a/b`);
      const path = `${root}/a/b/file`;
      const file = await fileSystem.open(path, 'create');
      await file.write(Uint8Array.of(1, 2, 3), 0);
      await file.write(Uint8Array.of(9), 1);
      await file.write(Uint8Array.of(7), 5);
      const target = new Uint8Array(10);
      expect(await file.read(target, 1)).toBe(5);
      expect([...target.subarray(0, 5)]).toEqual([9, 3, 0, 0, 7]);
      await file.truncate(2);
      await file.preallocate(4);
      expect(await file.byteLength()).toBe(4);
      await file.close();
      expect([...((await readWholeFile(fileSystem, path)) ?? [])]).toEqual([1, 9, 0, 0]);
    });

    test('writes durably and plainly to the same file', async () => {
      await fileSystem.makeDirectory(root);
      const path = `${root}/durable`;
      const file = await fileSystem.open(path, 'create');
      await file.write(Uint8Array.of(1, 2), 0);
      await file.writeDurably(Uint8Array.of(3, 4), 2);
      await fileSystem.rename(path, `${path}-2`);
      await file.writeDurably(Uint8Array.of(5), 4);
      await file.write(Uint8Array.of(9), 1);
      await file.close();
      expect([...((await readWholeFile(fileSystem, `${path}-2`)) ?? [])]).toEqual([1, 9, 3, 4, 5]);
      const reader = await fileSystem.open(`${path}-2`, 'read');
      expect(await codeOf(reader.writeDurably(Uint8Array.of(1), 0))).not.toBe('none');
      await reader.close();
    });

    test('lists, renames and removes', async () => {
      const directory = `${root}/names`;
      await fileSystem.makeDirectory(directory);
      await put(fileSystem, `${directory}/b`, Uint8Array.of(1));
      await put(fileSystem, `${directory}/a`, Uint8Array.of(2));
      expect(await fileSystem.list(directory)).toEqual(['a', 'b']);
      await fileSystem.rename(`${directory}/a`, `${directory}/b`);
      await fileSystem.syncDirectory(directory);
      expect(await fileSystem.list(directory)).toEqual(['b']);
      expect(await fileSystem.status(`${directory}/b`)).toEqual({ kind: 'file', byteLength: 1 });
      expect(await codeOf(fileSystem.removeDirectory(directory))).toBe('ENOTEMPTY');
      await fileSystem.unlink(`${directory}/b`);
      await fileSystem.removeDirectory(directory);
      expect(await fileSystem.status(directory)).toBeNull();
      expect(await fileSystem.list(directory)).toEqual([]);
    });

    test('names what is wrong', async () => {
      await fileSystem.makeDirectory(root);
      await put(fileSystem, `${root}/once`, new Uint8Array(1));
      expect(await codeOf(fileSystem.open(`${root}/once`, 'create'))).toBe('EEXIST');
      expect(await codeOf(fileSystem.open(`${root}/none`, 'read'))).toBe('ENOENT');
      expect(await codeOf(fileSystem.open(`${root}/none`, 'write'))).toBe('ENOENT');
      expect(await codeOf(fileSystem.unlink(`${root}/none`))).toBe('ENOENT');
      expect(await readWholeFile(fileSystem, `${root}/none`)).toBeNull();
      expect(await fileSystem.freeBytes(root)).toBeGreaterThan(0);
    });

    test('locks a directory for one owner', async () => {
      const directory = `${root}/locked`;
      await fileSystem.makeDirectory(directory);
      const lock = await fileSystem.lock(directory);
      expect(await codeOf(fileSystem.lock(directory))).toBe('ELOCKED');
      await lock.release();
      await (await fileSystem.lock(directory)).release();
    });
  });
}

describe('a lock of a directory on the disk', () => {
  const cases = [
    { why: 'a process that is gone', content: '999999999 1 boot', code: 'none' },
    { why: 'a crash before the name was written', content: '', code: 'none' },
    { why: 'our own process id of an earlier life', content: `${process.pid} 0 x`, code: 'none' },
    {
      why: 'a process id that someone else has by now',
      content: `${process.ppid} 0 x`,
      code: 'none',
    },
  ];
  for (const { why, content, code } of cases) {
    test(`left behind by ${why} is taken over`, async () => {
      const directory = mkdtempSync(join(parent, 'lock-'));
      writeFileSync(join(directory, 'LOCK'), content);
      const locking = nodeFileSystem.lock(directory);
      expect(await codeOf(locking)).toBe(code);
      await (await locking).release();
    });
  }
});

describe('a descriptor for durable writes', () => {
  const isLinux = process.platform === 'linux';
  test.skipIf(!isLinux)('is opened once with O_DSYNC, and closed with the file', async () => {
    const path = join(parent, 'descriptors');
    const file = await nodeFileSystem.open(path, 'create');
    for (let at = 0; at < 3; at += 1) await file.writeDurably(Uint8Array.of(at), at);
    const flags = descriptorsOf(path).map((number) => flagsOf(number) & constants.O_DSYNC);
    expect(flags.sort((a, b) => a - b)).toEqual([0, constants.O_DSYNC]);
    await file.close();
    expect(descriptorsOf(path)).toEqual([]);
  });
});

function descriptorsOf(path: string): string[] {
  return readdirSync('/proc/self/fd').filter((number) => {
    try {
      return readlinkSync(`/proc/self/fd/${number}`) === path;
    } catch {
      return false; // the one that lists the others
    }
  });
}

function flagsOf(descriptor: string): number {
  const text = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8');
  return Number.parseInt(/^flags:\s*(\d+)$/m.exec(text)?.[1] ?? '', 8);
}

describe('a file system that loses power', () => {
  test('keeps what was flushed, and of the rest whole sectors or nothing', async () => {
    const fileSystem = new MemoryFileSystem();
    await fileSystem.makeDirectory('d');
    const file = await fileSystem.open('d/file', 'create');
    await file.write(new Uint8Array(1000).fill(1), 0);
    await file.syncData();
    await fileSystem.syncDirectory('d');
    await file.write(new Uint8Array(2000).fill(2), 1000);
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 200; seed += 1) {
      const content = fileSystem.crashClone(seed).contentOf('d/file') ?? new Uint8Array(0);
      expect(content.length).toBeGreaterThanOrEqual(1000);
      expect(content.subarray(0, 1000).every((byte) => byte === 1)).toBe(true);
      for (let at = 1024; at < content.length; at += 512) {
        const sector = content.subarray(at, Math.min(at + 512, content.length));
        expect(sector.every((byte) => byte === sector[0])).toBe(true);
      }
      outcomes.add(`${content.length} ${content[1000]} ${content[1500]} ${content[2900]}`);
    }
    expect(outcomes.size).toBeGreaterThan(5);
  });

  test('forgets names that the directory was not flushed for, sometimes', async () => {
    const fileSystem = new MemoryFileSystem();
    await fileSystem.makeDirectory('d');
    await put(fileSystem, 'd/kept', Uint8Array.of(1));
    await fileSystem.syncDirectory('d');
    await put(fileSystem, 'd/new', Uint8Array.of(2));
    await fileSystem.unlink('d/kept');
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 50; seed += 1) {
      outcomes.add((await fileSystem.crashClone(seed).list('d')).join(' '));
    }
    expect([...outcomes].sort()).toEqual(['kept', 'kept new', 'new']);
  });

  test('has a limit, writes what fits, and says so', async () => {
    const fileSystem = new MemoryFileSystem(100);
    await fileSystem.makeDirectory('d');
    const file = await fileSystem.open('d/file', 'create');
    expect(await codeOf(file.write(new Uint8Array(150), 0))).toBe('ENOSPC');
    expect(await file.byteLength()).toBe(100);
    await file.write(Uint8Array.of(1), 50);
  });
});
