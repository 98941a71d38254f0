/** How a range read becomes its result: the same in a transaction and beside it. */
import type { KeyValue } from './key-value.ts';
import { RANGE_BYTES_MAX, RANGE_KEYS_MAX } from './limits.ts';
import type { RangeOperation, RangeResult } from './transaction.ts';

const NO_VALUE = new Uint8Array(0);
/** Beside the value: revisions, version, lease and a key's usual length. */
const KEY_OVERHEAD_BYTES = 64;

/** How many keys one read tells at most. */
export function keysWanted(request: Omit<RangeOperation, 'kind'>): number {
  return request.limit === 0 ? RANGE_KEYS_MAX : Math.min(request.limit, RANGE_KEYS_MAX);
}

/** @param keyValues  the keys of the range in order; read no further than needed */
export function rangeResult(
  keyValues: Iterable<KeyValue>,
  request: Omit<RangeOperation, 'kind'>,
): RangeResult {
  const collector = new RangeCollector(request);
  for (const keyValue of keyValues) {
    if (collector.add(keyValue) === 'full') break;
  }
  return collector.result();
}

/** Gathers the result of a range read, key by key in order. */
export class RangeCollector {
  readonly #content: RangeOperation['content'];
  readonly #keysMax: number;
  readonly #keyValues: KeyValue[] = [];
  #count = 0;
  #bytes = 0;
  #more = false;

  constructor(request: Omit<RangeOperation, 'kind'>) {
    this.#content = request.content;
    this.#keysMax = keysWanted(request);
  }

  /** @returns `full` when the key does not belong to the result and no later one will */
  add(keyValue: KeyValue): 'full' | 'more' {
    if (this.#content === 'count') {
      this.#count += 1;
      return 'more';
    }
    const kept = this.#content === 'whole' ? keyValue : { ...keyValue, value: NO_VALUE };
    const bytes = KEY_OVERHEAD_BYTES + kept.key.length + kept.value.length;
    if (!this.#hasRoom(bytes)) {
      this.#more = true;
      return 'full';
    }
    this.#keyValues.push(kept);
    this.#count += 1;
    this.#bytes += bytes;
    return 'more';
  }

  #hasRoom(bytes: number): boolean {
    if (this.#count >= this.#keysMax) return false;
    return this.#count === 0 || this.#bytes + bytes <= RANGE_BYTES_MAX;
  }

  result(): RangeResult {
    return { kind: 'range', keyValues: this.#keyValues, count: this.#count, more: this.#more };
  }
}
