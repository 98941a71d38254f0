/**
 * What a batch of commands has written so far and the database does not have yet, with the database
 * behind it: the reader that commands are applied to.
 *
 * Ranges are read from what was loaded for the command that announced them. Before loading, what is
 * pending goes to the database, so that a loaded range is complete.
 */
import type { KeyRange, RecordReader, RecordWrite } from '@robustmq/placement';
import type { Database, Entry } from './level-database.ts';

const ENTRY_OVERHEAD_BYTES = 64;

export class PendingRecords implements RecordReader {
  readonly #database: Database;
  /** null: deleted. */
  readonly #writes = new Map<string, Uint8Array | null>();
  #loaded = new Map<string, readonly Entry[]>();
  #bytes = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  get size(): number {
    return this.#writes.size;
  }

  /** An estimate that never shrinks until `clear`. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Uint8Array | undefined {
    const pending = this.#writes.get(key);
    if (pending === undefined) return this.#database.getSync(key);
    return pending ?? undefined;
  }

  range(range: KeyRange): readonly Entry[] {
    const loaded = this.#loaded.get(rangeName(range));
    if (loaded === undefined) throw new Error(`the range from ${range.first} was not announced`);
    return loaded;
  }

  /** Replaces what was loaded for the command before. */
  load(ranges: readonly (readonly [range: KeyRange, entries: readonly Entry[]])[]): void {
    this.#loaded = new Map(ranges.map(([range, entries]) => [rangeName(range), entries]));
  }

  /** Ranges to forget are not this map's to remove. */
  write(writes: readonly RecordWrite[]): void {
    for (const write of writes) {
      if (write.kind === 'forget') continue;
      const value = write.kind === 'put' ? write.value : null;
      this.#writes.set(write.key, value);
      this.#bytes += ENTRY_OVERHEAD_BYTES + write.key.length + (value?.length ?? 0);
    }
  }

  entries(): IterableIterator<[string, Uint8Array | null]> {
    return this.#writes.entries();
  }

  /** After everything pending reached the database. */
  clear(): void {
    this.#writes.clear();
    this.#bytes = 0;
  }
}

function rangeName(range: KeyRange): string {
  return `${range.first}\0\0${range.after ?? ''}`;
}
