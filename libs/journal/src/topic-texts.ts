/**
 * Topic bytes to strings, cheaply when the same topics come again and again.
 *
 * A direct-mapped cache: one slot per hash, the newcomer replaces the holder. A hit costs a hash
 * and a comparison (about 1 ns per byte each), a miss one decoding.
 */
import { copyOf, hashBytes, sameBytes } from './byte-keys.ts';

const SLOTS = 1024;
/** Longer topics are decoded each time, so that the cache stays below about 300 KB. */
const CACHED_BYTES_MAX = 256;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export class TopicTexts {
  readonly #keys: (Uint8Array | undefined)[] = [];
  readonly #texts: string[] = [];

  textOf(bytes: Uint8Array, start: number, length: number): string {
    if (length === 0) return '';
    if (length > CACHED_BYTES_MAX) return decoder.decode(bytes.subarray(start, start + length));
    const slot = hashBytes(bytes, start, length) & (SLOTS - 1);
    const key = this.#keys[slot];
    if (key !== undefined && key.length === length && sameBytes(key, 0, bytes, start, length)) {
      return this.#texts[slot] as string;
    }
    const text = decoder.decode(bytes.subarray(start, start + length));
    this.#keys[slot] = copyOf(bytes, start, length);
    this.#texts[slot] = text;
    return text;
  }
}
