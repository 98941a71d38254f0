import { DOLLAR, HASH, levelEndOf, PLUS } from './character.ts';
import { isHashTail } from './filter-match.ts';
import type { NameNode } from './name-node.ts';

/** The rest of the filter is `#`: everything below is wanted. */
const EVERYTHING = -1;

/**
 * A part of the walk that is still to do. The prefix is the path so far, as `site/7/`; it is not kept
 * up to date below a `#`, where nobody asks for it.
 */
type Work<V> =
  | {
      readonly kind: 'node';
      readonly node: NameNode<V>;
      readonly prefix: string;
      readonly offset: number;
    }
  | {
      readonly kind: 'branches';
      readonly branches: Iterator<NameNode<V>, undefined>;
      readonly prefix: string;
      readonly offset: number;
      readonly isRoot: boolean;
    }
  | {
      readonly kind: 'values';
      readonly values: Iterator<[string, V], undefined>;
      readonly isRoot: boolean;
    }
  | { readonly kind: 'only'; readonly node: NameNode<V>; readonly name: string };

/**
 * Walks the names that a filter matches, a page at a time, while the tree changes in between.
 *
 * A name that is in the tree from the first page to the last is delivered exactly once, with its
 * value at that time. A name that comes in between is delivered once or not at all; one that goes
 * is not delivered after it went. The cursor holds no copy of the names: its size is bounded by the
 * levels of the tree.
 */
export class NameCursor<V> {
  readonly #filter: string;
  readonly #work: Work<V>[];

  /** Use `NameTree.cursor`. The filter is valid. */
  constructor(root: NameNode<V>, filter: string) {
    this.#filter = filter;
    this.#work = [{ kind: 'node', node: root, prefix: '', offset: 0 }];
  }

  /** The next names with their values, at most `max` (at least 1); fewer only at the end. */
  next(max: number): [name: string, value: V][] {
    const page: [string, V][] = [];
    if (max > 0) this.advance(max, (name, value) => page.push([name, value]));
    return page;
  }

  /** As `next`, without making pairs. `visit` must not change the tree. */
  advance(max: number, visit: (name: string, value: V) => void): void {
    let remaining = max;
    const work = this.#work;
    for (let top = work.at(-1); top !== undefined && remaining > 0; top = work.at(-1)) {
      if (top.kind === 'values') {
        const next = top.values.next();
        if (next.done === true) {
          work.pop();
        } else if (!top.isRoot || next.value[0].charCodeAt(0) !== DOLLAR) {
          visit(next.value[0], next.value[1]);
          remaining -= 1;
        }
      } else if (top.kind === 'branches') {
        const next = top.branches.next();
        if (next.done === true) work.pop();
        else this.#enter(next.value, top);
      } else {
        work.pop();
        if (top.kind === 'node') {
          this.#walk(top.node, top.prefix, top.offset);
        } else if (top.node.has(top.name)) {
          visit(top.name, top.node.value(top.name) as V);
          remaining -= 1;
        }
      }
    }
  }

  #enter(branch: NameNode<V>, from: { prefix: string; offset: number; isRoot: boolean }): void {
    // MQTT-5.0 [MQTT-4.7.2-1]: a leading wildcard does not reach below `$SYS/`.
    if (from.isRoot && branch.level.charCodeAt(0) === DOLLAR) return;
    if (from.offset === EVERYTHING) {
      this.#pushBranches(branch, '', EVERYTHING, 'below');
      this.#pushValues(branch, 'below');
      return;
    }
    this.#walk(branch, `${from.prefix}${branch.level}/`, from.offset);
  }

  /** Applies the filter's level at `offset` to the node that stands for that level's place. */
  #walk(node: NameNode<V>, prefix: string, offset: number): void {
    const filter = this.#filter;
    const place = offset === 0 ? 'root' : 'below';
    const unit = filter.charCodeAt(offset);
    if (unit === HASH) {
      this.#pushBranches(node, '', EVERYTHING, place);
      this.#pushValues(node, place);
      return;
    }
    const end = levelEndOf(filter, offset);
    // `a/#` matches `a` too (MQTT-5.0 §4.7.1.2).
    const namesEndHere = end === filter.length || isHashTail(filter, end);
    if (unit === PLUS) {
      if (end < filter.length) this.#pushBranches(node, prefix, end + 1, place);
      if (namesEndHere) this.#pushValues(node, place);
      return;
    }
    const level = filter.slice(offset, end);
    if (end < filter.length) {
      const branch = node.branch(level);
      if (branch !== null) {
        const below = `${prefix}${level}/`;
        this.#work.push({ kind: 'node', node: branch, prefix: below, offset: end + 1 });
      }
    }
    if (namesEndHere) this.#work.push({ kind: 'only', node, name: prefix + level });
  }

  #pushBranches(node: NameNode<V>, prefix: string, offset: number, place: Place): void {
    const only = node.onlyBranch;
    const branches = only === null ? node.branches?.values() : [only].values();
    if (branches === undefined) return;
    this.#work.push({ kind: 'branches', branches, prefix, offset, isRoot: place === 'root' });
  }

  #pushValues(node: NameNode<V>, place: Place): void {
    const { onlyName, values } = node;
    const isRoot = place === 'root';
    if (values !== null) {
      this.#work.push({ kind: 'values', values: values.entries(), isRoot });
    } else if (onlyName !== null && !(isRoot && onlyName.charCodeAt(0) === DOLLAR)) {
      this.#work.push({ kind: 'only', node, name: onlyName });
    }
  }
}

/** Only at the root do wildcards spare what starts with `$`. */
type Place = 'root' | 'below';
