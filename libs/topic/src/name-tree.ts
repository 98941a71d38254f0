import { keptLevelOf } from './character.ts';
import { hasWildcard } from './topic-filter.ts';
import { NameCursor } from './name-cursor.ts';
import { NameNode } from './name-node.ts';

/**
 * NameTree answers the question opposite to FilterTrie's: which of the stored topic names does this
 * filter match? It keeps retained messages.
 *
 * One node per inner level; names hang, under their whole text, on the node of their prefix:
 *
 *     root ── site ── 7 {site/7/on, site/7/off}
 *       └─ {site}                                  the name "site" itself
 *
 * Cost: `get`, `set` and `delete` one look-up per level. A filter without a wildcard is one `get`. A
 * wildcard filter walks the nodes whose path the filter's beginning matches, and the names it
 * matches; names that end at a level where the filter goes on are not looked at: `test/+/x` costs
 * nothing extra for a million names `test/…`. Nothing recurses.
 *
 * Names and filters come in valid: nothing is checked again here. A value must not be undefined.
 */
export class NameTree<V> {
  readonly #root = new NameNode<V>('');
  #size = 0;

  /** How many names there are. */
  get size(): number {
    return this.#size;
  }

  get(name: string): V | undefined {
    return this.#nodeOf(name)?.value(name);
  }

  /** @returns the value that this one replaces; undefined for a new name */
  set(name: string, value: V): V | undefined {
    const node = this.#nodeMadeFor(name);
    const before = node.value(name);
    if (before === undefined) this.#size += 1;
    node.setValue(name, value);
    return before;
  }

  /** Removes a name and every node that this leaves empty. @returns the value it had */
  delete(name: string): V | undefined {
    const path = this.#pathOf(name);
    const node = path?.at(-1);
    const before = node?.value(name);
    if (path === null || node === undefined || before === undefined) return undefined;
    node.deleteValue(name);
    this.#size -= 1;
    for (let depth = path.length - 1; depth > 0; depth -= 1) {
      const emptied = path[depth] as NameNode<V>;
      if (!emptied.isEmpty()) break;
      (path[depth - 1] as NameNode<V>).deleteBranch(emptied);
    }
    return before;
  }

  /** Visits every name that the filter matches once, in no particular order. `visit` must not change the tree. */
  match(filter: string, visit: (name: string, value: V) => void): void {
    if (hasWildcard(filter)) {
      this.cursor(filter).advance(Number.POSITIVE_INFINITY, visit);
      return;
    }
    const value = this.get(filter);
    if (value !== undefined) visit(filter, value);
  }

  /** As `match`, a page at a time: between pages the tree may change. */
  cursor(filter: string): NameCursor<V> {
    return new NameCursor(this.#root, filter);
  }

  #nodeOf(name: string): NameNode<V> | null {
    let node: NameNode<V> | null = this.#root;
    let start = 0;
    for (let slash = name.indexOf('/'); slash !== -1; slash = name.indexOf('/', start)) {
      node = node.branch(name.slice(start, slash));
      if (node === null) return null;
      start = slash + 1;
    }
    return node;
  }

  #nodeMadeFor(name: string): NameNode<V> {
    let node = this.#root;
    let start = 0;
    for (let slash = name.indexOf('/'); slash !== -1; slash = name.indexOf('/', start)) {
      let branch = node.branch(name.slice(start, slash));
      if (branch === null) {
        branch = new NameNode<V>(keptLevelOf(name, start, slash));
        node.addBranch(branch);
      }
      node = branch;
      start = slash + 1;
    }
    return node;
  }

  /** The nodes from the root to the one the name hangs on; null when there is no such node. */
  #pathOf(name: string): NameNode<V>[] | null {
    let node: NameNode<V> | null = this.#root;
    const path = [node];
    let start = 0;
    for (let slash = name.indexOf('/'); slash !== -1; slash = name.indexOf('/', start)) {
      node = node.branch(name.slice(start, slash));
      if (node === null) return null;
      path.push(node);
      start = slash + 1;
    }
    return path;
  }
}
