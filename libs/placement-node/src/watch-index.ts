/**
 * WatchIndex answers one question: who watches this key?
 *
 * A range of a single key, by far the most frequent, is found in a map. All others are kept once per
 * distinct range in an array by ascending `first`, which doubles as an implicit balanced tree: the
 * root of `[low, high)` is its middle, and `reach` holds the furthest end below each root.
 *
 * Cost of a look-up: O(log r + found) of r distinct ranges; of a change: O(r) moved words, and the
 * next look-up recomputes `reach` once.
 */
import { compareKeys, isSingleKey, type KeyRange } from '@robustmq/placement';

export class WatchIndex<Watcher> {
  readonly #byKey = new Map<string, Set<Watcher>>();
  readonly #ranges: WatchedRange<Watcher>[] = [];
  /** Per element of `#ranges`: the greatest `after` of the subtree whose root it is. */
  #reach: (string | null)[] = [];
  #reachIsStale = false;
  #size = 0;

  /** Watchers in all, counted once per range. */
  get size(): number {
    return this.#size;
  }

  add(range: KeyRange, watcher: Watcher): void {
    const watchers = this.#watchersOf(range);
    if (watchers.has(watcher)) return;
    watchers.add(watcher);
    this.#size += 1;
  }

  /** Idempotent. */
  remove(range: KeyRange, watcher: Watcher): void {
    if (isSingleKey(range)) {
      const watchers = this.#byKey.get(range.first);
      if (watchers?.delete(watcher) !== true) return;
      this.#size -= 1;
      if (watchers.size === 0) this.#byKey.delete(range.first);
      return;
    }
    const at = this.#placeOf(range);
    const watched = this.#ranges[at];
    if (watched === undefined || !sameRange(watched, range)) return;
    if (!watched.watchers.delete(watcher)) return;
    this.#size -= 1;
    if (watched.watchers.size > 0) return;
    this.#ranges.splice(at, 1);
    this.#reachIsStale = true;
  }

  /** Calls `visit` with each group of watchers of a range that holds the key; groups may overlap. */
  match(key: string, visit: (watchers: ReadonlySet<Watcher>) => void): void {
    const exact = this.#byKey.get(key);
    if (exact !== undefined) visit(exact);
    if (this.#ranges.length === 0) return;
    if (this.#reachIsStale) this.#recomputeReach();
    this.#matchRanges({ low: 0, high: this.#ranges.length }, key, visit);
  }

  #watchersOf(range: KeyRange): Set<Watcher> {
    if (isSingleKey(range)) {
      const known = this.#byKey.get(range.first);
      if (known !== undefined) return known;
      const watchers = new Set<Watcher>();
      this.#byKey.set(range.first, watchers);
      return watchers;
    }
    const at = this.#placeOf(range);
    const watched = this.#ranges[at];
    if (watched !== undefined && sameRange(watched, range)) return watched.watchers;
    const watchers = new Set<Watcher>();
    this.#ranges.splice(at, 0, { first: range.first, after: range.after, watchers });
    this.#reachIsStale = true;
    return watchers;
  }

  /** Where the range is, or belongs. */
  #placeOf(range: KeyRange): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = this.#ranges[middle] as WatchedRange<Watcher>;
      if (compareRanges(at, range) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #matchRanges(
    span: { readonly low: number; readonly high: number },
    key: string,
    visit: (watchers: ReadonlySet<Watcher>) => void,
  ): void {
    let { low } = span;
    const { high } = span;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (!endsAfter(this.#reach[middle] ?? null, key)) return;
      const at = this.#ranges[middle] as WatchedRange<Watcher>;
      this.#matchRanges({ low, high: middle }, key, visit);
      if (compareKeys(at.first, key) > 0) return;
      if (endsAfter(at.after, key)) visit(at.watchers);
      low = middle + 1;
    }
  }

  #recomputeReach(): void {
    this.#reach = new Array<string | null>(this.#ranges.length).fill('');
    this.#reachOf(0, this.#ranges.length);
    this.#reachIsStale = false;
  }

  /** Recursion is as deep as the tree: the logarithm of the number of ranges. */
  #reachOf(low: number, high: number): string | null {
    if (low >= high) return '';
    const middle = (low + high) >>> 1;
    const own = (this.#ranges[middle] as WatchedRange<Watcher>).after;
    const reach = laterEnd(
      own,
      laterEnd(this.#reachOf(low, middle), this.#reachOf(middle + 1, high)),
    );
    this.#reach[middle] = reach;
    return reach;
  }
}

interface WatchedRange<Watcher> extends KeyRange {
  readonly watchers: Set<Watcher>;
}

function sameRange(left: KeyRange, right: KeyRange): boolean {
  return left.first === right.first && left.after === right.after;
}

function compareRanges(left: KeyRange, right: KeyRange): number {
  const byFirst = compareKeys(left.first, right.first);
  if (byFirst !== 0 || left.after === right.after) return byFirst;
  if (left.after === null) return 1;
  return right.after === null ? -1 : compareKeys(left.after, right.after);
}

function endsAfter(after: string | null, key: string): boolean {
  return after === null || compareKeys(after, key) > 0;
}

function laterEnd(left: string | null, right: string | null): string | null {
  if (left === null || right === null) return null;
  return compareKeys(left, right) >= 0 ? left : right;
}
