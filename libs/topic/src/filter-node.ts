import { HASH } from './character.ts';
import type { Values } from './value-list.ts';

/**
 * One level of the filter trie. Most nodes have one literal child or none, so the first one is a
 * field, and a map is made for the second: a map of its own costs about 200 bytes, a node 88.
 */
export class FilterNode<V extends object> {
  /** How the parent finds this node; null for `+` and the root. */
  readonly level: string | null;
  /** Of the filter that ends here. */
  values: Values<V> = null;
  /** Of the filter that goes on with `/#`. */
  hashValues: Values<V> = null;
  plus: FilterNode<V> | null = null;
  // Invariant: at most one of the two is set.
  #onlyLiteral: FilterNode<V> | null = null;
  #literals: Map<string, FilterNode<V>> | null = null;

  constructor(level: string | null) {
    this.level = level;
  }

  literal(level: string): FilterNode<V> | null {
    const only = this.#onlyLiteral;
    if (only !== null) return only.level === level ? only : null;
    return this.#literals?.get(level) ?? null;
  }

  literalMade(level: string): FilterNode<V> {
    const existing = this.literal(level);
    if (existing !== null) return existing;
    const made = new FilterNode<V>(level);
    const only = this.#onlyLiteral;
    if (this.#literals !== null) {
      this.#literals.set(level, made);
    } else if (only === null) {
      this.#onlyLiteral = made;
    } else {
      this.#literals = new Map([
        [only.level as string, only],
        [level, made],
      ]);
      this.#onlyLiteral = null;
    }
    return made;
  }

  plusMade(): FilterNode<V> {
    this.plus ??= new FilterNode<V>(null);
    return this.plus;
  }

  /** The values of a filter whose path, apart from a final `#`, ends at this node. */
  valuesAt(filter: string): Values<V> {
    return filter.charCodeAt(filter.length - 1) === HASH ? this.hashValues : this.values;
  }

  setValuesAt(filter: string, values: Values<V>): void {
    if (filter.charCodeAt(filter.length - 1) === HASH) this.hashValues = values;
    else this.values = values;
  }

  isEmpty(): boolean {
    return (
      this.values === null &&
      this.hashValues === null &&
      this.plus === null &&
      this.#onlyLiteral === null &&
      this.#literals === null
    );
  }

  /** Takes a child out. */
  unlink(child: FilterNode<V>): void {
    if (child === this.plus) {
      this.plus = null;
    } else if (child === this.#onlyLiteral) {
      this.#onlyLiteral = null;
    } else if (this.#literals !== null) {
      this.#literals.delete(child.level as string);
      if (this.#literals.size === 0) this.#literals = null;
    }
  }
}
