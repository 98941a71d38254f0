import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildDiskTrace, type DiskEvent, readDiskTrace, whyNoDiskTrace } from './disk-trace.ts';

const reason = whyNoDiskTrace();
if (reason !== null) console.warn(`disk-trace.test.ts is skipped: ${reason}`);

/** Writes plainly and flushes, then through a second descriptor that flushes each write. */
const PROGRAM = `
const { closeSync, constants, fdatasyncSync, openSync, writeSync } = require('node:fs');
const plain = openSync(process.argv[1], 'wx+');
writeSync(plain, 'one', 0);
fdatasyncSync(plain);
writeSync(plain, 'two', 3);
const flags = constants.O_WRONLY | constants.O_DSYNC;
const durable = openSync('/proc/self/fd/' + plain, flags);
writeSync(durable, 'three', 6);
closeSync(durable);
closeSync(plain);
`;

describe.skipIf(reason !== null)('a trace of what a program does to its files', () => {
  let folder: string;
  let events: readonly DiskEvent[];
  let inode: bigint;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'robustmq-disk-trace-'));
    const data = join(folder, 'data');
    const trace = join(folder, 'trace');
    mkdirSync(data);
    const library = buildDiskTrace(folder);
    execFileSync(process.execPath, ['-e', PROGRAM, join(data, 'file')], {
      env: { LD_PRELOAD: library, DISK_TRACE_DIRECTORY: data, DISK_TRACE_FILE: trace },
    });
    events = readDiskTrace(trace);
    inode = statSync(join(data, 'file'), { bigint: true }).ino;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('tells a flush of all before it from a write that is flushed alone', () => {
    expect(events).toEqual([
      { kind: 'made', inode, path: 'file' },
      { kind: 'written', inode, at: 0, bytes: Buffer.from('one') },
      { kind: 'flushed', inode, from: 0, before: 2 },
      { kind: 'written', inode, at: 3, bytes: Buffer.from('two') },
      { kind: 'written', inode, at: 6, bytes: Buffer.from('three') },
      { kind: 'flushed', inode, from: 4, before: 5 },
    ]);
  });
});
