/**
 * Records in memory: an ordered map for simulations and tests.
 *
 * ```text
 *  #values   key → value                        for point reads
 *  #blocks   [a b c] [d e] [f g h i] …          keys in order, in blocks of at most 512
 * ```
 *
 * Cost: a point read is one look into a map; a new or deleted key a binary search over the blocks and
 * a move inside one; a range goes along the blocks.
 */
import type { KeyRange } from './key-value.ts';
import { compareKeys } from './keys.ts';
import { RecordDigest } from './record-digest.ts';
import type { RecordReader, RecordWrite } from './record-store.ts';

const BLOCK_KEYS_MAX = 512;

export class MemoryRecords implements RecordReader {
  readonly #values = new Map<string, Uint8Array>();
  // Invariant: no block is empty but the only one; keys ascend through all of them.
  readonly #blocks: string[][] = [[]];

  get size(): number {
    return this.#values.size;
  }

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key);
  }

  *range(range: KeyRange): IterableIterator<readonly [key: string, value: Uint8Array]> {
    let block = this.#blockOf(range.first);
    let at = firstAtOrAfter(this.#blocks[block] as string[], range.first);
    for (; block < this.#blocks.length; block += 1, at = 0) {
      const keys = this.#blocks[block] as string[];
      for (; at < keys.length; at += 1) {
        const key = keys[at] as string;
        if (range.after !== null && compareKeys(key, range.after) >= 0) return;
        yield [key, this.#values.get(key) as Uint8Array];
      }
    }
  }

  /** Every record, ascending. */
  [Symbol.iterator](): IterableIterator<readonly [key: string, value: Uint8Array]> {
    return this.range({ first: '', after: null });
  }

  /** Performs the writes of one command. Values are kept, not copied. */
  apply(writes: readonly RecordWrite[]): void {
    for (const write of writes) {
      if (write.kind === 'put') this.put(write.key, write.value);
      else if (write.kind === 'delete') this.delete(write.key);
      else this.#forget(write.range);
    }
  }

  put(key: string, value: Uint8Array): void {
    if (!this.#values.has(key)) this.#insert(key);
    this.#values.set(key, value);
  }

  delete(key: string): void {
    if (!this.#values.delete(key)) return;
    const block = this.#blockOf(key);
    const keys = this.#blocks[block] as string[];
    keys.splice(firstAtOrAfter(keys, key), 1);
    if (keys.length === 0 && this.#blocks.length > 1) this.#blocks.splice(block, 1);
  }

  /** Equal for equal content. */
  digest(): string {
    const digest = new RecordDigest();
    for (const [key, value] of this) digest.add(key, value);
    return digest.toString();
  }

  #forget(range: KeyRange): void {
    for (const key of [...this.range(range)].map(([each]) => each)) this.delete(key);
  }

  #insert(key: string): void {
    const block = this.#blockOf(key);
    const keys = this.#blocks[block] as string[];
    keys.splice(firstAtOrAfter(keys, key), 0, key);
    if (keys.length <= BLOCK_KEYS_MAX) return;
    // Keys that only grow fill blocks to the brim; others split them in the middle.
    const isNewest = block === this.#blocks.length - 1 && keys.at(-1) === key;
    const half = isNewest ? BLOCK_KEYS_MAX : BLOCK_KEYS_MAX / 2;
    this.#blocks.splice(block + 1, 0, keys.splice(half));
  }

  /** The last block that begins at or before the key; else the first. */
  #blockOf(key: string): number {
    let low = 0;
    let high = this.#blocks.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.#blocks[middle]?.[0] as string, key) <= 0) low = middle;
      else high = middle;
    }
    return low;
  }
}

function firstAtOrAfter(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(keys[middle] as string, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
