/** From this many values on, a list remembers where each of them is. */
const INDEXED_LENGTH_MIN = 64;

/**
 * The values of one filter when there are two or more. Order is not kept: removing moves the last
 * value into the gap. Large lists have an index, so that a crowd on one filter can leave in linear
 * time altogether.
 */
export class ValueList<V extends object> {
  readonly values: V[];
  #positions: Map<V, number> | null = null;

  constructor(first: V, second: V) {
    this.values = [first, second];
  }

  add(value: V): void {
    const { values } = this;
    values.push(value);
    if (this.#positions !== null) {
      this.#positions.set(value, values.length - 1);
    } else if (values.length >= INDEXED_LENGTH_MIN) {
      this.#positions = new Map(values.map((each, index) => [each, index]));
    }
  }

  /** @returns false when the value is not in the list */
  remove(value: V): boolean {
    const { values } = this;
    const position = this.#positions === null ? values.indexOf(value) : this.#positions.get(value);
    if (position === undefined || position === -1) return false;
    const last = values.pop() as V;
    this.#positions?.delete(value);
    if (last !== value) {
      values[position] = last;
      this.#positions?.set(last, position);
    }
    if (values.length < INDEXED_LENGTH_MIN / 2) this.#positions = null;
    return true;
  }
}

/** The values of one filter: none, a bare one (the usual case, which costs nothing more), or a list. */
export type Values<V extends object> = V | ValueList<V> | null;

export function withValue<V extends object>(values: Values<V>, value: V): V | ValueList<V> {
  if (values === null) return value;
  if (!(values instanceof ValueList)) return new ValueList(values, value);
  values.add(value);
  return values;
}

/** @returns what remains, or undefined when the value was not there */
export function withoutValue<V extends object>(values: Values<V>, value: V): Values<V> | undefined {
  if (values === value) return null;
  if (!(values instanceof ValueList) || !values.remove(value)) return undefined;
  return values.values.length === 1 ? (values.values[0] as V) : values;
}

export function visitValues<V extends object>(values: Values<V>, visit: (value: V) => void): void {
  if (values === null) return;
  if (!(values instanceof ValueList)) {
    visit(values);
    return;
  }
  const list = values.values;
  for (let index = 0; index < list.length; index += 1) visit(list[index] as V);
}
