/**
 * What commands have written and the database does not have yet, with the database behind it.
 *
 * ```text
 *  get:  #writes, of the commands being applied ─► #leaving, on its way to the database ─► database
 * ```
 */
import type { Database } from './level-database.ts';

/** null: deleted. */
export type Writes = ReadonlyMap<string, Uint8Array | null>;

const NONE: Writes = new Map();
const ENTRY_OVERHEAD_BYTES = 64;

export class PendingWrites {
  readonly #database: Database;
  #writes = new Map<string, Uint8Array | null>();
  #leaving: Writes = NONE;
  #bytes = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** An estimate of what is not on its way yet. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Uint8Array | undefined {
    const written = this.#writes.get(key);
    if (written !== undefined) return written ?? undefined;
    const leaving = this.#leaving.get(key);
    if (leaving !== undefined) return leaving ?? undefined;
    return this.#database.getSync(key);
  }

  /** The value is not changed by anybody any more. */
  put(key: string, value: Uint8Array): void {
    this.#set(key, value);
  }

  delete(key: string): void {
    this.#set(key, null);
  }

  /** Hands the writes over; they are read here until `arrived`, which the next call waits for. */
  leave(): Writes {
    this.#leaving = this.#writes;
    this.#writes = new Map();
    this.#bytes = 0;
    return this.#leaving;
  }

  /** The database has what left. */
  arrived(): void {
    this.#leaving = NONE;
  }

  #set(key: string, value: Uint8Array | null): void {
    this.#writes.set(key, value);
    this.#bytes += ENTRY_OVERHEAD_BYTES + key.length + (value?.length ?? 0);
  }
}
