/**
 * What remains of the log once everything that was written is read again, in memory that does not
 * grow with its length: the terms as runs, the memberships, and the entries not applied yet.
 */
import { assert } from '@robustmq/errors';
import type {
  EarlierEntries,
  Entry,
  EntryId,
  LogIndex,
  MembershipEntry,
  Term,
} from '@robustmq/raft';

type TermRun = EarlierEntries['runs'][number];

export class LogReplay {
  readonly #keepAfter: number;
  #base: EntryId;
  #lastIndex: number;
  #runs: TermRun[] = [];
  /** Up to `keepAfter` only these are kept whole. Ascending. */
  #memberships: MembershipEntry[] = [];
  /** Consecutive, up to the last index. */
  #kept: Entry[] = [];

  /** @param keepAfter  entries up to this index are applied: only their terms matter */
  constructor(base: EntryId, keepAfter: LogIndex) {
    this.#base = base;
    this.#lastIndex = base.index;
    this.#keepAfter = keepAfter;
  }

  get base(): EntryId {
    return this.#base;
  }

  get last(): EntryId {
    const index = this.#lastIndex as LogIndex;
    return { term: this.#runs.at(-1)?.term ?? this.#base.term, index };
  }

  /** Null outside of the log. */
  termAt(index: number): Term | null {
    if (index === this.#base.index) return this.#base.term;
    if (index < this.#base.index || index > this.#lastIndex) return null;
    return this.#runs.findLast((run) => run.first <= index)?.term ?? null;
  }

  resetTo(base: EntryId): void {
    this.#base = base;
    this.#lastIndex = base.index;
    this.#runs = [];
    this.#memberships = [];
    this.#kept = [];
  }

  truncateAfter(index: number): void {
    while (this.#kept.length > 0 && (this.#kept.at(-1)?.index ?? 0) > index) this.#kept.pop();
    while ((this.#memberships.at(-1)?.index ?? 0) > index) this.#memberships.pop();
    while ((this.#runs.at(-1)?.first ?? 0) > index) this.#runs.pop();
    this.#lastIndex = index;
  }

  append(entry: Entry): void {
    if (this.#runs.at(-1)?.term !== entry.term) {
      this.#runs.push({ term: entry.term, first: entry.index });
    }
    if (entry.index > this.#keepAfter) this.#kept.push(entry);
    else if (entry.kind === 'membership') this.#memberships.push(entry);
    this.#lastIndex = entry.index;
  }

  /** Entries that are applied already, all of them at once. */
  appendTerms(
    entries: EarlierEntries & { readonly memberships: readonly MembershipEntry[] },
  ): void {
    assert(entries.lastIndex <= this.#keepAfter, 'entries that are not applied are kept whole');
    for (const run of entries.runs) {
      if (this.#runs.at(-1)?.term !== run.term) this.#runs.push(run);
    }
    this.#memberships.push(...entries.memberships);
    this.#lastIndex = entries.lastIndex;
  }

  /** After the base, up to what is kept whole. */
  get earlier(): EarlierEntries & { readonly memberships: readonly MembershipEntry[] } {
    const lastIndex = ((this.#kept[0]?.index ?? this.#lastIndex + 1) - 1) as LogIndex;
    const runs = this.#runs.filter(({ first }) => first <= lastIndex);
    return { runs, lastIndex, memberships: this.#memberships };
  }

  /** What is not applied yet. */
  get kept(): readonly Entry[] {
    return this.#kept;
  }
}
