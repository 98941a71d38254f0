/**
 * Which records of a segment have an attribute with a value, by the hash of the value.
 *
 * What is found is a candidate: whoever reads the record compares the value itself. While the
 * segment grows there is one hash per record; once it is complete, the hashes are sorted, each
 * beside its ordinal, 8 bytes for each record that has the attribute.
 */
import { hashBytes } from './byte-keys.ts';
import { grownUint32 } from './grown-array.ts';
import { INDEXED_ATTRIBUTES, type IndexedAttribute } from './record-attributes.ts';
import type { RecordBatchReader } from './record-batch-reader.ts';
import { WANTED_MAX, type WantedOrdinals } from './segment-index.ts';

const BUCKETS = 0x1_0000;

/** Never 0, which stands for a record without the attribute. */
export function attributeHash(value: Uint8Array, start: number, length: number): number {
  return hashBytes(value, start, length) || 1;
}

export class GrowingAttributes {
  /** By ordinal; shorter than the segment when the last records have none. */
  readonly #columns: Record<IndexedAttribute, Uint32Array> = {
    key: new Uint32Array(0),
    sender: new Uint32Array(0),
    messageId: new Uint32Array(0),
  };

  get byteLength(): number {
    return INDEXED_ATTRIBUTES.reduce((sum, each) => sum + this.#columns[each].byteLength, 0);
  }

  /** The current record of the cursor, which has some. */
  add(ordinal: number, cursor: RecordBatchReader): void {
    for (const attribute of INDEXED_ATTRIBUTES) {
      const start = cursor.attributeStart(attribute);
      if (start < 0) continue;
      const column = grownUint32(this.#columns[attribute], ordinal + 1);
      const length = cursor.attributeLength(attribute);
      column[ordinal] = attributeHash(cursor.bytes, start, length);
      this.#columns[attribute] = column;
    }
  }

  collect(attribute: IndexedAttribute, hash: number, range: OrdinalRange): WantedOrdinals {
    const column = this.#columns[attribute];
    const found: number[] = [];
    const end = Math.min(column.length, range.after);
    for (let ordinal = range.from; ordinal < end; ordinal += 1) {
      if (column[ordinal] !== hash) continue;
      if (found.length === WANTED_MAX) return { ordinals: Uint32Array.from(found), after: ordinal };
      found.push(ordinal);
    }
    return { ordinals: Uint32Array.from(found), after: range.after };
  }

  /** Hashes in ascending order, and beside each its ordinal; those of one hash ascend. */
  sorted(attribute: IndexedAttribute): readonly [Uint32Array, Uint32Array] {
    const column = this.#columns[attribute];
    const hashes = column.filter((hash) => hash !== 0);
    const ordinals = new Uint32Array(hashes.length);
    let count = 0;
    for (const [ordinal, hash] of column.entries()) {
      if (hash === 0) continue;
      ordinals[count] = ordinal;
      count += 1;
    }
    // By the low half, then by the high one: each pass keeps the order of equals.
    return radixPass(radixPass([hashes, ordinals], 0), 16);
  }
}

/** Ordinals from `from` to before `after`. */
export interface OrdinalRange {
  readonly from: number;
  readonly after: number;
}

/** Looks in what `sorted` gave. */
export function collectSorted(
  [hashes, ordinals]: readonly [Uint32Array, Uint32Array],
  hash: number,
  { from, after }: OrdinalRange,
): WantedOrdinals {
  const found: number[] = [];
  for (let at = firstAtLeast(hashes, hash); hashes[at] === hash; at += 1) {
    const ordinal = ordinals[at] as number;
    if (ordinal < from) continue;
    if (found.length === WANTED_MAX) return { ordinals: Uint32Array.from(found), after: ordinal };
    found.push(ordinal);
  }
  return { ordinals: Uint32Array.from(found), after };
}

function firstAtLeast(values: Uint32Array, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function radixPass(
  [keys, values]: readonly [Uint32Array, Uint32Array],
  shift: number,
): readonly [Uint32Array, Uint32Array] {
  const starts = new Uint32Array(BUCKETS + 1);
  for (const key of keys) {
    const bucket = ((key >>> shift) & 0xffff) + 1;
    starts[bucket] = (starts[bucket] as number) + 1;
  }
  for (let bucket = 1; bucket <= BUCKETS; bucket += 1) {
    starts[bucket] = (starts[bucket] as number) + (starts[bucket - 1] as number);
  }
  const sortedKeys = new Uint32Array(keys.length);
  const sortedValues = new Uint32Array(keys.length);
  for (const [i, key] of keys.entries()) {
    const bucket = (key >>> shift) & 0xffff;
    const at = starts[bucket] as number;
    starts[bucket] = at + 1;
    sortedKeys[at] = key;
    sortedValues[at] = values[i] as number;
  }
  return [sortedKeys, sortedValues];
}
