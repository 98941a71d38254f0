/** Everything up to `revision` was written by `atMs`. */
export interface TimeMark {
  readonly revision: number;
  /** Of the cluster's own time: milliseconds during which some broker was elected. */
  readonly atMs: number;
}

/** What the next elected broker goes on from. */
export interface StoredTimes {
  readonly nowMs: number;
  /** Ascending in both. */
  readonly marks: readonly TimeMark[];
}

/** LIMIT: timeMarksMax */
const timeMarksMax = 256;
/** Of two marks that are closer than this part of their age one is enough. */
const THINNED_BELOW = 1 / 8;

/**
 * When a record was written, told by its revision and not by the clock of whoever wrote it: wall clocks
 * differ between hosts and jump, revisions don't.
 *
 * Its time goes on while somebody counts it, and stands still while nobody does: what it tells is never
 * earlier than the truth, and later by what nobody counted, the distance of two marks, and for old
 * records an eighth of their age.
 */
export class WrittenTimes {
  #marks: TimeMark[] = [];

  /** The latest time at which a record of this revision can have been written; null: since the last mark. */
  latestOf(revision: number): number | null {
    return this.#marks.find((mark) => mark.revision >= revision)?.atMs ?? null;
  }

  /** Everything up to `revision` is written by now. */
  mark(revision: number, nowMs: number): void {
    const last = this.#marks.at(-1);
    if (last !== undefined && (revision <= last.revision || nowMs < last.atMs)) return;
    this.#marks.push({ revision, atMs: nowMs });
    if (this.#marks.length > timeMarksMax) this.#thin(nowMs);
  }

  store(nowMs: number): Uint8Array {
    const stored: StoredTimes = { nowMs: Math.floor(nowMs), marks: this.#marks };
    return Buffer.from(JSON.stringify(stored));
  }

  /** Takes over what another one stored. @returns its time; 0 when it can't be read */
  load(content: Uint8Array): number {
    const stored = parsed(content);
    this.#marks = stored === null ? [] : [...stored.marks];
    return stored?.nowMs ?? 0;
  }

  /** The older, the coarser; at least the oldest and the newest stay. */
  #thin(nowMs: number): void {
    const kept: TimeMark[] = [];
    for (const [index, mark] of this.#marks.entries()) {
      const next = this.#marks[index + 1];
      const before = kept.at(-1);
      // Dropped, its records count as written with the next one.
      const isClose =
        next !== undefined &&
        before !== undefined &&
        next.atMs - before.atMs < (nowMs - next.atMs) * THINNED_BELOW;
      if (!isClose) kept.push(mark);
    }
    this.#marks = kept.length > timeMarksMax ? kept.slice(-timeMarksMax) : kept;
  }
}

function parsed(content: Uint8Array): StoredTimes | null {
  try {
    const stored = JSON.parse(Buffer.from(content).toString()) as StoredTimes;
    const isWhole =
      isTime(stored.nowMs) &&
      stored.marks.every(({ revision, atMs }) => isTime(revision) && isTime(atMs));
    return isWhole ? stored : null;
  } catch {
    return null;
  }
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
