import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeededRandom } from '@robustmq/environment';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DiskEvent } from './disk-trace.ts';
import { DiskState } from './power-loss.ts';

const MADE: DiskEvent = { kind: 'made', inode: 1n, path: 'a' };
const SYNC_NAMES = (before: number): DiskEvent => ({ kind: 'flushed', inode: 0n, from: 0, before });
const SYNC = (before: number, from = 0): DiskEvent => ({
  ...{ kind: 'flushed', inode: 1n, from },
  before,
});
const WRITE = (text: string, at: number): DiskEvent => ({
  ...{ kind: 'written', inode: 1n, at },
  bytes: Buffer.from(text),
});

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'robustmq-power-loss-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** What 200 cuts after the same events leave of the file `a`; null: no file. */
function outcomes(events: readonly DiskEvent[]): ReadonlySet<string | null> {
  const found = new Set<string | null>();
  for (let seed = 0; seed < 200; seed += 1) {
    rmSync(join(folder, 'a'), { force: true });
    rmSync(join(folder, 'b'), { force: true });
    new DiskState(folder).cut(events, new SeededRandom(seed));
    const isThere = readdirSync(folder).includes('a');
    found.add(isThere ? readFileSync(join(folder, 'a'), 'latin1') : null);
  }
  return found;
}

describe('a disk that loses power', () => {
  test('keeps what was flushed, name and bytes', () => {
    const events = [MADE, WRITE('kept', 0), SYNC(2), SYNC_NAMES(3)];
    expect(outcomes(events)).toEqual(new Set(['kept']));
  });

  test('may lose a name whose directory was not flushed', () => {
    expect(outcomes([MADE, WRITE('kept', 0), SYNC(2)])).toEqual(new Set([null, 'kept']));
  });

  test('may lose, keep or spoil what came after the flush, but never what came before', () => {
    const found = outcomes([MADE, WRITE('kept', 0), SYNC(2), SYNC_NAMES(3), WRITE('more', 4)]);
    expect(found.size).toBeGreaterThan(2);
    for (const content of found) expect(content?.startsWith('kept')).toBe(true);
    expect(found).toContain('kept');
    expect(found).toContain('keptmore');
  });

  test('does not keep for certain what was written while the flush ran', () => {
    const events = [MADE, SYNC_NAMES(1), WRITE('kept', 0), WRITE('late', 4), SYNC(3)];
    expect(outcomes(events)).toContain('kept');
  });

  test('keeps a write that was flushed with itself, and for certain nothing before it', () => {
    const events = [MADE, SYNC_NAMES(1), WRITE('plain', 0), WRITE('kept', 5), SYNC(4, 3)];
    const found = outcomes(events);
    for (const content of found) expect(content?.endsWith('kept')).toBe(true);
    expect(found).toContain('plainkept');
    expect(found.size).toBeGreaterThan(1);
  });

  test('has the old name or the new one of an unflushed rename', () => {
    const events: DiskEvent[] = [
      ...[MADE, WRITE('kept', 0), SYNC(2), SYNC_NAMES(3)],
      { kind: 'renamed', path: 'a', target: 'b' },
    ];
    expect(outcomes(events)).toEqual(new Set([null, 'kept']));
  });
});
