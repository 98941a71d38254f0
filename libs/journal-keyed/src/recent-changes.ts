/**
 * The newest changes of a shard in memory, so that tails that keep up never read the database.
 *
 * Changes stay together with the command that they came with: their values are views of its bytes.
 */
import type { KeyedChange } from '@robustmq/journal';

interface Group {
  readonly changes: readonly KeyedChange[];
  /** Revision of its last change. */
  readonly last: number;
  readonly bytes: number;
}

/** Approximate memory of a change beside its command. */
const CHANGE_BYTES = 150;

export class RecentChanges {
  readonly #bytesMax: number;
  /** Ascending; those before `#first` are gone. */
  #groups: Group[] = [];
  #first = 0;
  #bytes = 0;
  /** Every change after this revision is here. */
  #since: number;

  constructor(bytesMax: number, revision: number) {
    this.#bytesMax = bytesMax;
    this.#since = revision;
  }

  /** Whether `after` can tell all that there is after the revision. */
  covers(revision: number): boolean {
    return revision >= this.#since;
  }

  /** @param commandBytes  which the values are views of */
  add(changes: readonly KeyedChange[], commandBytes: number): void {
    const last = changes.at(-1);
    if (last === undefined) return;
    const bytes = commandBytes + changes.length * CHANGE_BYTES;
    this.#groups.push({ changes, last: last.revision, bytes });
    this.#bytes += bytes;
    while (this.#bytes > this.#bytesMax) this.#dropOldest();
  }

  /** At most `limit` changes after a revision that is covered, in order. */
  after(revision: number, limit: number): readonly KeyedChange[] {
    const found: KeyedChange[] = [];
    for (let at = this.#groupAfter(revision); at < this.#groups.length; at += 1) {
      for (const change of (this.#groups[at] as Group).changes) {
        if (change.revision <= revision) continue;
        if (found.length >= limit) return found;
        found.push(change);
      }
    }
    return found;
  }

  /** The first group whose last change is after the revision. */
  #groupAfter(revision: number): number {
    let low = this.#first;
    let high = this.#groups.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#groups[middle] as Group).last > revision) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #dropOldest(): void {
    const oldest = this.#groups[this.#first] as Group;
    this.#since = oldest.last;
    this.#bytes -= oldest.bytes;
    this.#groups[this.#first] = { changes: [], last: oldest.last, bytes: 0 };
    this.#first += 1;
    if (this.#first * 2 < this.#groups.length) return;
    this.#groups = this.#groups.slice(this.#first);
    this.#first = 0;
  }
}
