/**
 * What commands have written and the database does not have yet, with the database behind it: the
 * reader that commands are applied to.
 *
 * ```text
 *  get:  #writes, of the commands being applied ─► #leaving, on its way to the database ─► database
 * ```
 *
 * Ranges are read from what was loaded for the command that announced them. Before loading, all that is
 * pending goes to the database, so that a loaded range is complete.
 */
import type { KeyRange, RecordReader, RecordWrite } from '@robustmq/placement';
import type { Database, Entry } from './level-database.ts';

/** null: deleted. */
export type PendingWrites = ReadonlyMap<string, Uint8Array | null>;

const NONE: PendingWrites = new Map();
const ENTRY_OVERHEAD_BYTES = 64;

export class PendingRecords implements RecordReader {
  readonly #database: Database;
  #writes = new Map<string, Uint8Array | null>();
  #leaving: PendingWrites = NONE;
  #loaded = new Map<string, readonly Entry[]>();
  #bytes = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  get size(): number {
    return this.#writes.size;
  }

  /** An estimate of what is not on its way yet. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Uint8Array | undefined {
    const pending = this.#writes.get(key) ?? this.#settled(key);
    return pending ?? undefined;
  }

  /** @returns what stands without the newest writes, which know nothing of the key or deleted it */
  #settled(key: string): Uint8Array | null | undefined {
    if (this.#writes.has(key)) return null;
    const leaving = this.#leaving.get(key);
    return leaving === undefined ? this.#database.getSync(key) : leaving;
  }

  range(range: KeyRange): readonly Entry[] {
    const loaded = this.#loaded.get(rangeName(range));
    if (loaded === undefined) throw new Error(`the range from ${range.first} was not announced`);
    return loaded;
  }

  /** Replaces what was loaded for the command before. */
  load(ranges: readonly (readonly [range: KeyRange, entries: readonly Entry[]])[]): void {
    this.#loaded = new Map();
    for (const [range, entries] of ranges) {
      const name = rangeName(range);
      // A range that is read twice may be wanted further the one time than the other.
      const known = this.#loaded.get(name);
      if (known === undefined || known.length < entries.length) this.#loaded.set(name, entries);
    }
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

  /** Hands the writes over; they are read here until `arrived`, which the next call waits for. */
  leave(): PendingWrites {
    this.#leaving = this.#writes;
    this.#writes = new Map();
    this.#bytes = 0;
    return this.#leaving;
  }

  /** The database has what left. */
  arrived(): void {
    this.#leaving = NONE;
  }
}

function rangeName(range: KeyRange): string {
  return `${range.first}\0\0${range.after ?? ''}`;
}
