/**
 * The reader that commands are applied to: what is pending, the database behind it, and the ranges that
 * were loaded for the command that announced them.
 *
 * Before loading, all that is pending goes to the database, so that a loaded range is complete.
 */
import type { Entry, LevelState } from '@robustmq/level-state';
import type { KeyRange, RecordReader, RecordWrite } from '@robustmq/placement';

export class PendingRecords implements RecordReader {
  readonly #state: LevelState;
  #loaded = new Map<string, readonly Entry[]>();

  constructor(state: LevelState) {
    this.#state = state;
  }

  get(key: string): Uint8Array | undefined {
    return this.#state.records.get(key);
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

  /** Ranges to forget are not this reader's to remove. */
  write(writes: readonly RecordWrite[]): void {
    const { records } = this.#state;
    for (const write of writes) {
      if (write.kind === 'put') records.put(write.key, write.value);
      else if (write.kind !== 'forget') records.delete(write.key);
    }
  }
}

function rangeName(range: KeyRange): string {
  return `${range.first}\0\0${range.after ?? ''}`;
}
