/** Builds the library that records what a program does to its files, and reads what it recorded. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('./disk-trace.c', import.meta.url));
const HEADER_BYTES = 56;

/** One thing that was done; `number` counts all of them. */
export type DiskEvent =
  | {
      readonly kind: 'written';
      readonly inode: bigint;
      readonly at: number;
      readonly bytes: Buffer;
    }
  | {
      readonly kind: 'length';
      readonly inode: bigint;
      readonly byteLength: number;
      readonly onlyLonger: boolean;
    }
  /**
   * What was written with a number from `from` to below `before` is on disk, and each length that was set
   * below `before`; inode 0: names.
   */
  | {
      readonly kind: 'flushed';
      readonly inode: bigint;
      readonly from: number;
      readonly before: number;
    }
  | { readonly kind: 'made'; readonly inode: bigint; readonly path: string }
  | { readonly kind: 'renamed'; readonly path: string; readonly target: string }
  | { readonly kind: 'removed'; readonly path: string }
  | { readonly kind: 'directoryMade'; readonly path: string }
  | { readonly kind: 'directoryRemoved'; readonly path: string };

/** Why there can be no trace here; null when there can. */
export function whyNoDiskTrace(): string | null {
  if (process.platform !== 'linux') return 'preloading a library is for Linux';
  if (spawnSync('cc', ['--version']).status !== 0) return 'there is no C compiler called cc';
  return null;
}

/** Compiles the library into `folder`. @returns its path */
export function buildDiskTrace(folder: string): string {
  const library = join(folder, 'disk-trace.so');
  const options = ['-O2', '-shared', '-fPIC', '-o', library, SOURCE, '-ldl', '-lpthread'];
  execFileSync('cc', options, { stdio: ['ignore', 'inherit', 'inherit'] });
  return library;
}

/** All events of a trace; one at the end that was cut short by a kill is not there. */
export function readDiskTrace(path: string): readonly DiskEvent[] {
  const trace = readFileSync(path);
  const events: DiskEvent[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= trace.length) {
    const word = (index: number): bigint => trace.readBigUInt64LE(at + index * 8);
    const size = Number(word(0));
    if (at + size > trace.length) break;
    const firstEnd = HEADER_BYTES + Number(word(5));
    const first = trace.subarray(at + HEADER_BYTES, at + firstEnd);
    const second = trace.subarray(at + firstEnd, at + firstEnd + Number(word(6)));
    events.push(eventOf(Number(word(1)), [word(2), word(3), word(4)], [first, second]));
    at += size;
  }
  return events;
}

function eventOf(
  kind: number,
  [a, b, c]: readonly [bigint, bigint, bigint],
  [first, second]: readonly [Buffer, Buffer],
): DiskEvent {
  const path = first.toString();
  switch (kind) {
    case 1:
      return { kind: 'written', inode: a, at: Number(b), bytes: first };
    case 2:
      return { kind: 'length', inode: a, byteLength: Number(b), onlyLonger: c === 1n };
    case 3:
      return { kind: 'flushed', inode: a, from: Number(c), before: Number(b) };
    case 4:
      return { kind: 'made', inode: a, path };
    case 5:
      return { kind: 'renamed', path, target: second.toString() };
    case 6:
      return { kind: 'removed', path };
    case 7:
      return { kind: 'directoryMade', path };
    case 8:
      return { kind: 'directoryRemoved', path };
    default:
      throw new Error(`the trace does not follow this: ${path}`);
  }
}
