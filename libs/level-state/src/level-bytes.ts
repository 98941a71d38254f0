/** Reads LevelDB's integers; a reader past its end throws, and the caller says which file it was. */
export class LevelBytes {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** A varint of up to 53 bits. */
  varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = this.#next();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new LevelFormatError('an integer is too long');
  }

  take(length: number): Uint8Array {
    if (length > this.#end - this.#at) throw new LevelFormatError('a length reaches past the end');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Bytes behind their own length. */
  slice(): Uint8Array {
    return this.take(this.varint());
  }

  #next(): number {
    if (this.isAtEnd) throw new LevelFormatError('it ends in the middle of an integer');
    this.#at += 1;
    return this.#bytes[this.#at - 1] as number;
  }
}

/** The bytes are not what LevelDB writes. */
export class LevelFormatError extends Error {
  override readonly name = 'LevelFormatError';
}
