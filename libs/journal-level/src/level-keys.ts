/**
 * The keys of a journal in LevelDB, in the order in which they stand there.
 *
 * ```text
 * b/<shard>/<first, 16 digits><count, 8 digits>    a batch
 * i/<shard>/<first>                                the index of a sealed segment, see packed-index.ts
 * s/<shard>                                        where the active segment starts: first, place
 * t/<shard>/<first>                                a sealed segment: place, after, bytes, span
 * ```
 *
 * Digits are hexadecimal. Names of shards are escaped, so that they hold no slash and are one-byte text.
 */
import { readUint64, writeUint64 } from '@robustmq/journal';

const OFFSET_DIGITS = 16;
const COUNT_DIGITS = 8;
/** Stands behind `/` in the order of bytes. */
const AFTER_SLASH = '0';

export interface KeyRange {
  readonly gte: string;
  readonly lt: string;
}

export const HEADS: KeyRange = { gte: 's/', lt: `s${AFTER_SLASH}` };

export class ShardKeys {
  readonly #name: string;

  constructor(shard: string) {
    this.#name = encodeURIComponent(shard);
  }

  get head(): string {
    return `s/${this.#name}`;
  }

  batch(first: number, after: number): string {
    const count = (after - first).toString(16).padStart(COUNT_DIGITS, '0');
    return `b/${this.#name}/${offsetDigits(first)}${count}`;
  }

  /** The batches from `first` on, up to before `after`; null: all. */
  batches(first: number, after: number | null): KeyRange {
    const prefix = `b/${this.#name}`;
    const lt = after === null ? `${prefix}${AFTER_SLASH}` : `${prefix}/${offsetDigits(after)}`;
    return { gte: `${prefix}/${offsetDigits(first)}`, lt };
  }

  segment(first: number): string {
    return `t/${this.#name}/${offsetDigits(first)}`;
  }

  get segments(): KeyRange {
    return { gte: `t/${this.#name}/`, lt: `t/${this.#name}${AFTER_SLASH}` };
  }

  index(first: number): string {
    return `i/${this.#name}/${offsetDigits(first)}`;
  }

  get indexes(): KeyRange {
    return { gte: `i/${this.#name}/`, lt: `i/${this.#name}${AFTER_SLASH}` };
  }
}

/** The offsets in the key of a batch. */
export function offsetsIn(key: string): { readonly first: number; readonly after: number } {
  const digits = key.slice(-(OFFSET_DIGITS + COUNT_DIGITS));
  const first = Number.parseInt(digits.slice(0, OFFSET_DIGITS), 16);
  return { first, after: first + Number.parseInt(digits.slice(OFFSET_DIGITS), 16) };
}

/** The first offset in the key of a segment. */
export function segmentFirstIn(key: string): number {
  return Number.parseInt(key.slice(-OFFSET_DIGITS), 16);
}

export function shardIn(headKey: string): string {
  return decodeURIComponent(headKey.slice('s/'.length));
}

export function encodeNumbers(...numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length * 8);
  for (const [i, number] of numbers.entries()) writeUint64(bytes, i * 8, number);
  return bytes;
}

/** Zero where the value is too short. */
export function numberAt(bytes: Uint8Array, place: number): number {
  return bytes.length < place * 8 + 8 ? 0 : readUint64(bytes, place * 8);
}

function offsetDigits(offset: number): string {
  return offset.toString(16).padStart(OFFSET_DIGITS, '0');
}
