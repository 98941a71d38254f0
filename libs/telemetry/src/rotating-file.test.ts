import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RotatingFile } from './rotating-file.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rotating-file-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const read = (name: string): string => readFileSync(join(directory, name), 'utf8');

async function writeLines(file: RotatingFile, lines: number): Promise<void> {
  for (let index = 0; index < lines; index++) file.write(`line ${index}\n`);
  await file.close();
}

describe('a rotating file', () => {
  test('makes its directory and keeps the order of the lines', async () => {
    const path = join(directory, 'logs', 'broker.log');
    await writeLines(new RotatingFile({ path, segmentBytesMax: 1_000, filesMax: 3 }), 3);
    expect(readFileSync(path, 'utf8')).toBe('line 0\nline 1\nline 2\n');
  });

  test('sets files aside at their size, whole lines only, newest first, and keeps so many', async () => {
    const path = join(directory, 'broker.log');
    await writeLines(new RotatingFile({ path, segmentBytesMax: 14, filesMax: 3 }), 10);
    expect(readdirSync(directory).toSorted()).toEqual([
      'broker.log',
      'broker.log.1',
      'broker.log.2',
    ]);
    expect(read('broker.log')).toBe('line 8\nline 9\n');
    expect(read('broker.log.1')).toBe('line 6\nline 7\n');
    expect(read('broker.log.2')).toBe('line 4\nline 5\n');
  });

  test('keeps one file only when told so', async () => {
    const path = join(directory, 'broker.log');
    await writeLines(new RotatingFile({ path, segmentBytesMax: 14, filesMax: 1 }), 5);
    expect(readdirSync(directory)).toEqual(['broker.log']);
    expect(read('broker.log')).toBe('line 4\n');
  });

  test('goes on in the file that is there and counts its size', async () => {
    const path = join(directory, 'broker.log');
    writeFileSync(path, 'before\n');
    await writeLines(new RotatingFile({ path, segmentBytesMax: 14, filesMax: 2 }), 2);
    expect(read('broker.log.1')).toBe('before\nline 0\n');
    expect(read('broker.log')).toBe('line 1\n');
  });

  test('gives a line longer than a file a file of its own', async () => {
    const path = join(directory, 'broker.log');
    const file = new RotatingFile({ path, segmentBytesMax: 10, filesMax: 3 });
    file.write('a\n');
    file.write(`${'b'.repeat(30)}\n`);
    await file.close();
    expect(read('broker.log.1')).toBe('a\n');
    expect(statSync(path).size).toBe(31);
  });

  test('drops and counts lines beyond 1 MiB that wait, and tells so in the file', async () => {
    const path = join(directory, 'broker.log');
    const file = new RotatingFile({ path, segmentBytesMax: 1e9, filesMax: 2 });
    const line = `${'x'.repeat(300 * 1024 - 1)}\n`;
    // The first is under way at once, three wait, the other two find no room.
    for (let index = 0; index < 6; index++) file.write(line);
    expect(file.droppedLines).toBe(2);
    await file.close();
    expect(statSync(path).size).toBeGreaterThan(4 * line.length);
    expect(read('broker.log')).toContain(
      '{"level":"warn","event":"log.lines_dropped","lines":2}\n',
    );
  });

  test('writes synchronously what is queued when the process is about to end', async () => {
    const path = join(directory, 'broker.log');
    const file = new RotatingFile({ path, segmentBytesMax: 1e9, filesMax: 2 });
    for (const line of ['first\n', 'second\n', 'third\n']) file.write(line);
    file.flushSync();
    expect(read('broker.log')).toContain('second\nthird\n');
    await file.close();
    expect(read('broker.log').split('\n').toSorted()).toEqual(['', 'first', 'second', 'third']);
  });

  test('drops lines when the directory is gone, and neither throws nor stops', async () => {
    const path = join(directory, 'logs', 'broker.log');
    const file = new RotatingFile({ path, segmentBytesMax: 10, filesMax: 2 });
    file.write('12345678\n');
    file.flushSync();
    rmSync(join(directory, 'logs'), { recursive: true });
    file.write('a long second line\n');
    file.write('a third line\n');
    await file.close();
    expect(file.droppedLines).toBe(2);
  });

  test('takes nothing after close', async () => {
    const path = join(directory, 'broker.log');
    const file = new RotatingFile({ path, segmentBytesMax: 10, filesMax: 2 });
    await file.close();
    await file.close();
    file.write('late\n');
    expect(read('broker.log')).toBe('');
  });
});
