import { DOLLAR, HASH, keptLevelOf, levelEndOf, PLUS } from './character.ts';
import { FilterNode } from './filter-node.ts';
import { hasWildcard } from './topic-filter.ts';
import { ValueList, visitValues, withoutValue, withValue } from './value-list.ts';

/**
 * FilterTrie answers one question: who subscribed to a filter that matches this topic name?
 *
 * A filter without a wildcard matches the one name it spells, so those live in one map. Only filters
 * with a wildcard are in the trie, one node per level; the values of `sport/#` hang on the node of
 * `sport`, because `#` also matches the parent level (MQTT-5.0 §4.7.1.2):
 *
 *     root ── sport {#: [c]} ── + {[a]}                 sport/+  a
 *                 └──────────── tennis {#: [b]}         sport/#  c    sport/tennis/#  b
 *
 * A match goes down level by level with the set of nodes reached so far. Each node is reached by one
 * path only, so it is looked at once: the cost is one look-up plus the number of nodes whose path
 * matches a beginning of the name, at most 2 to the power of the depth and never more than the trie
 * has. Nothing recurses: a filter of 65535 slashes costs memory, not the stack.
 *
 * Filters and names come in valid: nothing is checked again here.
 */
export class FilterTrie<V extends object> {
  readonly #exact = new Map<string, V | ValueList<V>>();
  readonly #root = new FilterNode<V>(null);
  #wildcardFilterCount = 0;
  #valueCount = 0;
  /** Scratch for matching; null while a match uses it, so that a visitor may match again. */
  #scratch: Frontiers<V> | null = new Frontiers();

  /** How many different filters have a value. */
  get filterCount(): number {
    return this.#exact.size + this.#wildcardFilterCount;
  }

  /** How many pairs of a filter and a value there are. */
  get valueCount(): number {
    return this.#valueCount;
  }

  /** How many of the filters have a wildcard; 0 means that a match is one look-up. */
  get wildcardFilterCount(): number {
    return this.#wildcardFilterCount;
  }

  /** Adds a pair. The caller guarantees that it is not there yet: a second copy is visited twice. */
  add(filter: string, value: V): void {
    this.#valueCount += 1;
    if (!hasWildcard(filter)) {
      this.#exact.set(filter, withValue(this.#exact.get(filter) ?? null, value));
      return;
    }
    const node = this.#nodeMadeFor(filter);
    const before = node.valuesAt(filter);
    if (before === null) this.#wildcardFilterCount += 1;
    node.setValuesAt(filter, withValue(before, value));
  }

  /** Removes a pair and every node that this leaves empty. @returns false when it was not there */
  remove(filter: string, value: V): boolean {
    const removed = hasWildcard(filter)
      ? this.#removeWildcard(filter, value)
      : this.#removeExact(filter, value);
    if (removed) this.#valueCount -= 1;
    return removed;
  }

  /**
   * Calls `visit` once for each pair whose filter matches, in no particular order. The trie must not
   * change meanwhile. A value that was added under several matching filters is visited for each.
   */
  match(name: string, visit: (value: V) => void): void {
    const exact = this.#exact.get(name);
    if (exact !== undefined) visitValues(exact, visit);
    if (this.#wildcardFilterCount > 0) this.matchWildcards(name, visit);
  }

  /** As `match`, but leaves out filters without a wildcard. */
  matchWildcards(name: string, visit: (value: V) => void): void {
    const frontiers = this.#scratch ?? new Frontiers<V>();
    this.#scratch = null;
    try {
      matchFrom(this.#root, name, frontiers, visit);
    } finally {
      frontiers.clear();
      this.#scratch = frontiers;
    }
  }

  /** The values of exactly this filter. A snapshot when there is one, else live: do not keep it. */
  valuesOf(filter: string): readonly V[] {
    const values = hasWildcard(filter)
      ? (this.#pathOf(filter)?.at(-1)?.valuesAt(filter) ?? null)
      : (this.#exact.get(filter) ?? null);
    if (values === null) return [];
    return values instanceof ValueList ? values.values : [values];
  }

  #nodeMadeFor(filter: string): FilterNode<V> {
    let node = this.#root;
    for (let start = 0; start <= filter.length; ) {
      if (filter.charCodeAt(start) === HASH) break; // `#` is a field of its parent.
      const end = levelEndOf(filter, start);
      node =
        filter.charCodeAt(start) === PLUS
          ? node.plusMade()
          : node.literalMade(keptLevelOf(filter, start, end));
      start = end + 1;
    }
    return node;
  }

  #removeExact(filter: string, value: V): boolean {
    const remaining = withoutValue<V>(this.#exact.get(filter) ?? null, value);
    if (remaining === undefined) return false;
    if (remaining === null) this.#exact.delete(filter);
    else this.#exact.set(filter, remaining);
    return true;
  }

  #removeWildcard(filter: string, value: V): boolean {
    const path = this.#pathOf(filter);
    const node = path?.at(-1);
    if (path === null || node === undefined) return false;
    const remaining = withoutValue<V>(node.valuesAt(filter), value);
    if (remaining === undefined) return false;
    node.setValuesAt(filter, remaining);
    if (remaining === null) {
      this.#wildcardFilterCount -= 1;
      prune(path);
    }
    return true;
  }

  /** The nodes from the root to the filter's own; null when there is no such node. */
  #pathOf(filter: string): FilterNode<V>[] | null {
    let node: FilterNode<V> | null = this.#root;
    const path = [node];
    for (let start = 0; start <= filter.length; ) {
      if (filter.charCodeAt(start) === HASH) break;
      const end = levelEndOf(filter, start);
      node = filter.charCodeAt(start) === PLUS ? node.plus : node.literal(filter.slice(start, end));
      if (node === null) return null;
      path.push(node);
      start = end + 1;
    }
    return path;
  }
}

/** The nodes reached at one depth, and at the next. Kept between matches to spare their making. */
class Frontiers<V extends object> {
  current: (FilterNode<V> | null)[] = [];
  next: (FilterNode<V> | null)[] = [];

  swap(): void {
    const { current } = this;
    this.current = this.next;
    this.next = current;
  }

  /** Lets go of the nodes; what is removed from the trie must not live on here. */
  clear(): void {
    clearPrefix(this.current);
    clearPrefix(this.next);
  }
}

/** The arrays are written from the start, so everything after the first null is null already. */
function clearPrefix<Node>(nodes: (Node | null)[]): void {
  if (nodes.length > 256) nodes.length = 0;
  for (let index = 0; index < nodes.length && nodes[index] !== null; index += 1) {
    nodes[index] = null;
  }
}

function matchFrom<V extends object>(
  root: FilterNode<V>,
  name: string,
  frontiers: Frontiers<V>,
  visit: (value: V) => void,
): void {
  // MQTT-5.0 [MQTT-4.7.2-1]: at the first level, wildcards do not apply to `$SYS/…`.
  let wildcardsApply = name.charCodeAt(0) !== DOLLAR;
  let count = 1;
  frontiers.current[0] = root;
  for (let start = 0; start <= name.length && count > 0; ) {
    const end = levelEndOf(name, start);
    const level = name.slice(start, end);
    const { current, next } = frontiers;
    let nextCount = 0;
    for (let index = 0; index < count; index += 1) {
      const node = current[index] as FilterNode<V>;
      if (wildcardsApply) {
        if (node.hashValues !== null) visitValues<V>(node.hashValues, visit);
        if (node.plus !== null) next[nextCount++] = node.plus;
      }
      const child = node.literal(level);
      if (child !== null) next[nextCount++] = child;
    }
    wildcardsApply = true;
    frontiers.swap();
    count = nextCount;
    start = end + 1;
  }
  for (let index = 0; index < count; index += 1) {
    const node = frontiers.current[index] as FilterNode<V>;
    visitValues<V>(node.values, visit);
    visitValues<V>(node.hashValues, visit); // `a/#` matches `a` (MQTT-5.0 §4.7.1.2).
  }
}

/** Unlinks empty nodes from the end of a path on. The root stays. */
function prune<V extends object>(path: readonly FilterNode<V>[]): void {
  for (let depth = path.length - 1; depth > 0; depth -= 1) {
    const node = path[depth] as FilterNode<V>;
    if (!node.isEmpty()) return;
    (path[depth - 1] as FilterNode<V>).unlink(node);
  }
}
