/** The snapshot files of a group that are there, and for how long they are wanted. */
import { parseSnapshotName, SnapshotDamaged, type SnapshotPlace } from './snapshot-file.ts';
import { SnapshotReader, snapshotName } from './snapshot-file.ts';

/** A file nobody read for so long is deleted. */
const KEEP_TICKS = 3000;
/** When there is a newer one, this is long enough. */
const KEEP_OLD_TICKS = 300;

/** Longer than a follower is left alone with a lost piece (an election timeout). */
const IN_USE_TICKS = 100;

interface KeptFile {
  readonly reader: SnapshotReader;
  usedAt: number;
}

export class SnapshotFiles {
  readonly #place: SnapshotPlace;
  readonly #files = new Map<number, KeptFile>();

  constructor(place: SnapshotPlace) {
    this.#place = place;
  }

  /** What a run before this one left. Damaged files and unfinished ones are deleted. */
  async open(nowTick: number): Promise<void> {
    const { fileSystem, directory } = this.#place;
    for (const name of await fileSystem.list(directory)) {
      const index = parseSnapshotName(name);
      if (index !== null)
        await this.add(index, nowTick).catch((error) => this.#discard(name, error));
      else if (name.endsWith('.tmp')) await fileSystem.unlink(`${directory}/${name}`);
    }
  }

  /** The newest one; null when there is none. */
  get newest(): SnapshotReader | null {
    const index = Math.max(...this.#files.keys());
    return this.#files.get(index)?.reader ?? null;
  }

  /**
   * Who gets a file needs the entries after its index next; the leader's core asks for a piece again
   * and again while it waits. Infinity when nobody reads any.
   */
  oldestInUse(nowTick: number): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const [index, { usedAt }] of this.#files) {
      if (nowTick - usedAt <= IN_USE_TICKS) oldest = Math.min(oldest, index);
    }
    return oldest;
  }

  async add(index: number, nowTick: number): Promise<SnapshotReader> {
    await this.#files.get(index)?.reader.close();
    const reader = await SnapshotReader.open(this.#place, index);
    this.#files.set(index, { reader, usedAt: nowTick });
    return reader;
  }

  /** Null when it is not there. */
  use(index: number, nowTick: number): SnapshotReader | null {
    const file = this.#files.get(index);
    if (file === undefined) return null;
    file.usedAt = nowTick;
    return file.reader;
  }

  /** Whether `prune` has something to do. */
  hasStale(nowTick: number): boolean {
    return this.#stale(nowTick).length > 0;
  }

  async prune(nowTick: number): Promise<void> {
    for (const index of this.#stale(nowTick)) await this.remove(index);
  }

  async remove(index: number): Promise<void> {
    const file = this.#files.get(index);
    this.#files.delete(index);
    await file?.reader.close();
    await this.#place.fileSystem.unlink(`${this.#place.directory}/${snapshotName(index)}`);
  }

  async close(): Promise<void> {
    for (const { reader } of this.#files.values()) await reader.close();
    this.#files.clear();
  }

  #stale(nowTick: number): readonly number[] {
    const newest = Math.max(...this.#files.keys());
    const stale: number[] = [];
    for (const [index, { usedAt }] of this.#files) {
      if (nowTick - usedAt > (index === newest ? KEEP_TICKS : KEEP_OLD_TICKS)) stale.push(index);
    }
    return stale;
  }

  async #discard(name: string, error: unknown): Promise<void> {
    if (!(error instanceof SnapshotDamaged)) throw error;
    await this.#place.fileSystem.unlink(`${this.#place.directory}/${name}`);
  }
}
