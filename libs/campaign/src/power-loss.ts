/**
 * What a disk holds after the power failed: what was flushed, and of the rest whatever chance leaves.
 *
 * - Bytes: those written before a flush of their file began are there, or those of one write that is
 *   flushed with it. Of later writes to a file
 *   either nothing, or those up to some point with the last one torn, or any of their 512-byte
 *   sectors, as a disk may write them in any order. Sectors beyond the flushed end may hold garbage.
 * - Names: creations, renames and removals before a flush of a directory are there; later ones up to
 *   some point, in order, as a journalling file system keeps them.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { SeededRandom } from '@robustmq/environment';
import type { DiskEvent } from './disk-trace.ts';

const SECTOR_BYTES = 512;

type ContentEvent = Extract<DiskEvent, { readonly kind: 'written' | 'length' }>;
type NameEvent = Exclude<DiskEvent, ContentEvent | { readonly kind: 'flushed' }>;

interface Numbered<Event> {
  readonly number: number;
  readonly event: Event;
}

/** The content of one file: what is on disk for certain, and what is under way. */
class DiskFile {
  content: Buffer;
  pending: Numbered<ContentEvent>[] = [];

  constructor(content: Buffer) {
    this.content = content;
  }

  flush(from: number, before: number): void {
    const isFlushed = ({ number, event }: Numbered<ContentEvent>): boolean =>
      number < before && (number >= from || event.kind === 'length');
    for (const each of this.pending) if (isFlushed(each)) this.apply(each.event);
    this.pending = this.pending.filter((each) => !isFlushed(each));
  }

  apply(event: ContentEvent): void {
    if (event.kind === 'written') this.write(event.bytes, event.at);
    else if (!event.onlyLonger || event.byteLength > this.content.length) {
      const kept = this.content.subarray(0, event.byteLength);
      this.content = Buffer.concat([kept, Buffer.alloc(event.byteLength - kept.length)]);
    }
  }

  write(bytes: Uint8Array, at: number): void {
    const missing = at + bytes.length - this.content.length;
    if (missing > 0) this.content = Buffer.concat([this.content, Buffer.alloc(missing)]);
    this.content.set(bytes, at);
  }
}

type Names = Map<string, DiskFile | 'directory'>;

/** What was lost in one cut. */
export interface PowerLoss {
  readonly files: number;
  readonly writesUnderWay: number;
  readonly namesUnderWay: number;
}

/** The state of a directory, taken as durable: files by path and by inode. */
export class DiskState {
  readonly #directory: string;
  readonly #names: Names = new Map();
  readonly #byInode = new Map<bigint, DiskFile>();
  #pendingNames: (Numbered<NameEvent> & { readonly file: DiskFile | null })[] = [];

  constructor(directory: string) {
    this.#directory = directory;
    this.#scan(directory);
  }

  /** Replays a trace, then leaves in the directory what survives. */
  cut(events: readonly DiskEvent[], random: SeededRandom): PowerLoss {
    for (const [number, event] of events.entries()) this.#follow({ number, event });
    const namesUnderWay = this.#pendingNames.length;
    const names = this.#pendingNames.splice(0, random.below(namesUnderWay + 1));
    for (const name of names) applyName(this.#names, name.event, name.file);
    let writesUnderWay = 0;
    for (const file of new Set(this.#names.values())) {
      if (file === 'directory') continue;
      writesUnderWay += file.pending.length;
      settle(file, random);
    }
    this.#restore();
    return { files: this.#names.size, writesUnderWay, namesUnderWay };
  }

  #follow({ number, event }: Numbered<DiskEvent>): void {
    switch (event.kind) {
      case 'written':
      case 'length':
        this.#byInode.get(event.inode)?.pending.push({ number, event });
        return;
      case 'flushed':
        if (event.inode === 0n) this.#flushNames(event.before);
        else this.#byInode.get(event.inode)?.flush(event.from, event.before);
        return;
      case 'made': {
        const file = new DiskFile(Buffer.alloc(0));
        this.#byInode.set(event.inode, file);
        this.#pendingNames.push({ number, event, file });
        return;
      }
      default:
        this.#pendingNames.push({ number, event, file: null });
    }
  }

  #flushNames(before: number): void {
    for (const { number, event, file } of this.#pendingNames) {
      if (number < before) applyName(this.#names, event, file);
    }
    this.#pendingNames = this.#pendingNames.filter(({ number }) => number >= before);
  }

  #scan(folder: string): void {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      const name = relative(this.#directory, path);
      if (entry.isDirectory()) {
        this.#names.set(name, 'directory');
        this.#scan(path);
      } else {
        const file = new DiskFile(readFileSync(path));
        this.#names.set(name, file);
        this.#byInode.set(statSync(path, { bigint: true }).ino, file);
      }
    }
  }

  #restore(): void {
    for (const name of readdirSync(this.#directory)) {
      rmSync(join(this.#directory, name), { recursive: true });
    }
    for (const [name, file] of [...this.#names].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const path = join(this.#directory, name);
      if (file === 'directory') mkdirSync(path, { recursive: true });
      else writeFileSync(path, file.content, { mode: 0o600 });
    }
  }
}

function applyName(names: Names, event: NameEvent, file: DiskFile | null): void {
  switch (event.kind) {
    case 'made':
      if (file !== null) names.set(event.path, file);
      return;
    case 'renamed': {
      const moved = [...names].filter(([name]) => isWithin(name, event.path));
      for (const [name] of moved) names.delete(name);
      for (const [name, each] of moved)
        names.set(event.target + name.slice(event.path.length), each);
      return;
    }
    case 'directoryMade':
      names.set(event.path, 'directory');
      return;
    case 'removed':
    case 'directoryRemoved':
      names.delete(event.path);
  }
}

function isWithin(name: string, path: string): boolean {
  return name === path || name.startsWith(`${path}/`);
}

/** Decides what of a file's unflushed writes is on disk. */
function settle(file: DiskFile, random: SeededRandom): void {
  const events = file.pending.map(({ event }) => event);
  file.pending = [];
  const flushedLength = file.content.length;
  const choice = random.below(4);
  if (choice === 0 || events.length === 0) return;
  if (choice === 1) {
    for (const event of events) if (random.below(2) === 0) tear(file, event, random);
    return;
  }
  const whole = random.below(events.length);
  for (const event of events.slice(0, whole)) file.apply(event);
  const last = events[whole];
  if (last !== undefined) tear(file, last, random);
  if (choice === 3) spoil(file, flushedLength, random);
}

/** Some sectors of one write. */
function tear(file: DiskFile, event: ContentEvent, random: SeededRandom): void {
  if (event.kind === 'length') {
    file.apply(event);
    return;
  }
  const { bytes, at } = event;
  const inOrder = random.below(2) === 0;
  for (let start = 0; start < bytes.length; ) {
    const end = Math.min(bytes.length, start + SECTOR_BYTES - ((at + start) % SECTOR_BYTES));
    const survives = random.below(4) > 0;
    if (survives) file.write(bytes.subarray(start, end), at + start);
    else if (inOrder) return;
    start = end;
  }
}

/** Garbage in the last sector, as far as it was never flushed. */
function spoil(file: DiskFile, flushedLength: number, random: SeededRandom): void {
  const start = Math.max(flushedLength, file.content.length - SECTOR_BYTES);
  if (start >= file.content.length) return;
  const garbage = new Uint8Array(file.content.length - start);
  if (random.below(2) === 0) random.fill(garbage);
  file.content.set(garbage, start);
}
