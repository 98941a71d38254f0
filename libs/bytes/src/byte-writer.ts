import { variableByteIntegerSize, writeVariableByteInteger } from './variable-byte-integer.ts';

/** Writes big-endian numbers and byte strings into an array that grows by doubling. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  /** @param capacityBytes  room before the first growth, at least 1 */
  constructor(capacityBytes: number) {
    this.#bytes = new Uint8Array(capacityBytes);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** @param value  0 to 255 */
  byte(value: number): void {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
  }

  /** @param value  0 to 65535 */
  uint16(value: number): void {
    const at = this.#reserve(2);
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
  }

  /** @param value  0 to 2^32 - 1 */
  uint32(value: number): void {
    const at = this.#reserve(4);
    this.#bytes[at] = value >>> 24;
    this.#bytes[at + 1] = value >>> 16;
    this.#bytes[at + 2] = value >>> 8;
    this.#bytes[at + 3] = value;
  }

  /** @param value  0 to 268 435 455 */
  variableByteInteger(value: number): void {
    const at = this.#reserve(variableByteIntegerSize(value));
    writeVariableByteInteger(this.#bytes, at, value);
  }

  /** Copies `source`. */
  raw(source: Uint8Array): void {
    const at = this.#reserve(source.length);
    this.#bytes.set(source, at);
  }

  /** What was written, without a copy: valid until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(count: number): number {
    const at = this.#length;
    const needed = at + count;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    this.#length = needed;
    return at;
  }
}
