/** Reads big-endian numbers and byte strings; whatever the bytes are, only one error escapes. */

/** The bytes are not what they should be: a frame or a file that this version did not write. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

/** The high half of the largest safe integer, 2^53 - 1. */
const UINT53_HIGH_MAX = 0x1f_ffff;

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get position(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  byte(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  uint16(): number {
    const at = this.#take(2);
    return ((this.#bytes[at] as number) << 8) | (this.#bytes[at + 1] as number);
  }

  uint32(): number {
    return readUint32(this.#bytes, this.#take(4));
  }

  /** Eight bytes that hold 0 to 2^53 - 1. */
  uint53(): number {
    const at = this.#take(8);
    const high = readUint32(this.#bytes, at);
    if (high > UINT53_HIGH_MAX) throw new MalformedError(`a number beyond 2^53 at ${at}`);
    return high * 0x1_0000_0000 + readUint32(this.#bytes, at + 4);
  }

  /** 0 or 1. */
  flag(): boolean {
    const value = this.byte();
    if (value > 1) throw new MalformedError(`a flag of ${value} at ${this.#at - 1}`);
    return value === 1;
  }

  /** The next bytes, shared with the source. */
  view(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  expectEnd(): void {
    if (this.#at !== this.#end) throw new MalformedError(`${this.remaining} bytes too many`);
  }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.#end - at) throw new MalformedError(`${count} bytes are missing at ${at}`);
    this.#at = at + count;
    return at;
  }
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

/** @param value  0 to 2^32 - 1. @returns the position after it */
export function writeUint32(target: Uint8Array, at: number, value: number): number {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
  return at + 4;
}

/** @param value  0 to 2^53 - 1. @returns the position after it */
export function writeUint53(target: Uint8Array, at: number, value: number): number {
  writeUint32(target, at, Math.floor(value / 0x1_0000_0000));
  return writeUint32(target, at + 4, value >>> 0);
}
