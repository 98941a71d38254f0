/**
 * The log as the core sees it: the term of every entry, and the newest entries themselves.
 *
 *      base       firstIndex                windowFirst              lastIndex
 *       │             │  terms only (runs)       │  entries in memory     │
 *     compacted ──────┴──────────────────────────┴────────────────────────┘
 *
 * Terms are kept as runs, one per change of term, so that `termAt` costs a binary search over a
 * handful of runs, and a log of a million entries costs no memory here beyond its window. Entries
 * before the window are read by the driver on request (`LogRead`).
 *
 * Invariants: runs ascend strictly in term and first index and cover exactly (base, last]; the
 * window is a suffix of the log.
 */
import { assert } from '@robustmq/errors';
import { type Entry, entryBytes } from './entry.ts';
import { type EntryId, LOG_START, type LogIndex, offsetIndex, type Term } from './identifiers.ts';

interface TermRun {
  readonly term: Term;
  first: LogIndex;
}

/** Entries of which the log knows the terms only. */
export interface EarlierEntries {
  /** Ascending in both; the first one begins after the log's base. */
  readonly runs: readonly { readonly term: Term; readonly first: LogIndex }[];
  readonly lastIndex: LogIndex;
}

export class RaftLog {
  #base: EntryId;
  #lastIndex: LogIndex;
  #runs: TermRun[] = [];
  /** Entries from `#head` on are the window; those before it are forgotten lazily. */
  #entries: (Entry | null)[] = [];
  #head = 0;
  #windowBytes = 0;

  constructor(base: EntryId) {
    this.#base = base;
    this.#lastIndex = base.index;
  }

  /** Adds entries to an empty log that only their terms are known of. */
  appendTerms({ runs, lastIndex }: EarlierEntries): void {
    assert(this.#lastIndex === this.#base.index, 'the log is not empty');
    this.#runs = runs.map(({ term, first }) => ({ term, first }));
    this.#lastIndex = lastIndex;
  }

  /** The last entry compacted away, or {@link LOG_START}. Its term is still known. */
  get base(): EntryId {
    return this.#base;
  }

  get firstIndex(): LogIndex {
    return offsetIndex(this.#base.index, 1);
  }

  get lastIndex(): LogIndex {
    return this.#lastIndex;
  }

  get last(): EntryId {
    return { term: this.lastTerm, index: this.#lastIndex };
  }

  get lastTerm(): Term {
    return this.#runs.at(-1)?.term ?? this.#base.term;
  }

  /** Index of the oldest entry in memory; one past the end when there is none. */
  get windowFirst(): LogIndex {
    return offsetIndex(this.#lastIndex, 1 - (this.#entries.length - this.#head));
  }

  get windowBytes(): number {
    return this.#windowBytes;
  }

  /** null for an index that is compacted away or past the end. */
  termAt(index: LogIndex): Term | null {
    if (index === this.#base.index) return this.#base.term;
    if (index < this.#base.index || index > this.#lastIndex) return null;
    return this.#run(index).term;
  }

  /** First index that holds the term of `index`, as far as the log reaches back. */
  firstIndexOfTermAt(index: LogIndex): LogIndex {
    return this.#run(index).first;
  }

  /** Last index that holds `term`; null when no entry after the base does. */
  lastIndexOfTerm(term: Term): LogIndex | null {
    const at = this.#runs.findLastIndex((run) => run.term === term);
    if (at < 0) return null;
    const next = this.#runs[at + 1];
    return next === undefined ? this.#lastIndex : offsetIndex(next.first, -1);
  }

  /** Adds the entry after the last one. */
  append(entry: Entry): void {
    assert(
      entry.index === this.#lastIndex + 1 && entry.term >= this.lastTerm,
      `entry ${entry.index} of term ${entry.term} does not follow ${this.#lastIndex}`,
    );
    if (this.#runs.at(-1)?.term !== entry.term) {
      this.#runs.push({ term: entry.term, first: entry.index });
    }
    this.#entries.push(entry);
    this.#windowBytes += entryBytes(entry);
    this.#lastIndex = entry.index;
  }

  /** Forgets every entry after `index`. */
  truncateAfter(index: LogIndex): void {
    assert(index >= this.#base.index, `truncation at ${index} reaches into the snapshot`);
    while (this.#lastIndex > index) {
      const entry = this.#entries.length > this.#head ? this.#entries.pop() : undefined;
      if (entry === undefined || entry === null) break; // The rest is not in memory.
      this.#windowBytes -= entryBytes(entry);
      this.#lastIndex = offsetIndex(this.#lastIndex, -1);
    }
    this.#lastIndex = index < this.#lastIndex ? index : this.#lastIndex;
    while ((this.#runs.at(-1)?.first ?? 0) > index) this.#runs.pop();
  }

  /** Drops everything: the log restarts after `base` (Raft Figure 13, step 7). */
  resetTo(base: EntryId): void {
    this.#base = base;
    this.#lastIndex = base.index;
    this.#runs = [];
    this.#entries = [];
    this.#head = 0;
    this.#windowBytes = 0;
  }

  /** Forgets the entries up to `index`, which a snapshot covers (Raft §7). */
  compact(index: LogIndex): void {
    const term = this.termAt(index);
    if (index <= this.#base.index || term === null) return;
    this.#evictThrough(index, 0);
    while ((this.#runs[1]?.first ?? Number.POSITIVE_INFINITY) <= index + 1) this.#runs.shift();
    const run = this.#runs[0];
    if (index === this.#lastIndex) this.#runs = [];
    else if (run !== undefined && run.first <= index) run.first = offsetIndex(index, 1);
    this.#base = { term, index };
  }

  /** Shrinks the window to `bytesMax`, but keeps every entry after `through`. */
  evict(through: LogIndex, bytesMax: number): void {
    if (this.#windowBytes > bytesMax) this.#evictThrough(through, bytesMax);
  }

  /**
   * Consecutive entries from `from` on, at most `bytesMax` bytes yet at least one.
   *
   * @returns null when `from` is before the window
   */
  slice(from: LogIndex, bytesMax: number): Entry[] | null {
    const start = this.#position(from);
    if (start < this.#head) return null;
    const found: Entry[] = [];
    let bytes = 0;
    for (let at = start; at < this.#entries.length; at += 1) {
      const entry = this.#entries[at] as Entry;
      bytes += entryBytes(entry);
      if (found.length > 0 && bytes > bytesMax) break;
      found.push(entry);
    }
    return found;
  }

  /** The entries of `[first, after)`, which are in the window. */
  between(first: LogIndex, after: LogIndex): Entry[] {
    const start = this.#position(first);
    assert(start >= this.#head, `entry ${first} is not in memory`);
    return this.#entries.slice(start, start + (after - first)) as Entry[];
  }

  #position(index: LogIndex): number {
    return this.#entries.length - (this.#lastIndex - index) - 1;
  }

  #evictThrough(index: LogIndex, bytesMax: number): void {
    while (this.#windowBytes > bytesMax && this.windowFirst <= index) {
      this.#windowBytes -= entryBytes(this.#entries[this.#head] as Entry);
      this.#entries[this.#head] = null;
      this.#head += 1;
    }
    if (this.#head > 1024 && this.#head * 2 > this.#entries.length) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
  }

  #run(index: LogIndex): TermRun {
    let low = 0;
    let high = this.#runs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#runs[middle] as TermRun).first <= index) low = middle;
      else high = middle - 1;
    }
    const run = this.#runs[low];
    assert(run !== undefined && run.first <= index, `no term is known for index ${index}`);
    return run;
  }
}

/**
 * A log from the entries a driver found on disk, in one pass.
 *
 * @param begin.entries  consecutive, after `begin.earlier`, or the base when that is null
 * @param keepAfter      entries up to this index are forgotten again, but for their terms
 */
export function logOf(
  begin: {
    readonly base: EntryId;
    readonly earlier: EarlierEntries | null;
    readonly entries: Iterable<Entry>;
  },
  keepAfter: LogIndex,
): RaftLog {
  const { base, earlier, entries } = begin;
  const log = new RaftLog(base);
  if (earlier !== null) log.appendTerms(earlier);
  for (const entry of entries) {
    log.append(entry);
    log.evict(keepAfter, 0);
  }
  return log;
}

/** An empty log. */
export function emptyLog(): RaftLog {
  return new RaftLog(LOG_START);
}
