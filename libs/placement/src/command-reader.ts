/** Reads the fields of a command and never beyond its end. */

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const TWO_32 = 2 ** 32;
const HIGH_MAX = 2 ** 21;

/** What the reader throws; `decodeCommand` makes a fault of it. */
export class MalformedCommand extends Error {
  override readonly name = 'MalformedCommand';
}

export class CommandReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  byte(): number {
    return this.#view.getUint8(this.#take(1));
  }

  flag(): boolean {
    const value = this.byte();
    if (value > 1) throw new MalformedCommand(`byte ${value} stands where 0 or 1 must`);
    return value === 1;
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  number(): number {
    const high = this.uint32();
    if (high >= HIGH_MAX) throw new MalformedCommand('a number is above 2^53 - 1');
    return high * TWO_32 + this.uint32();
  }

  /** A view of the command. */
  bytes(): Uint8Array {
    const length = this.uint32();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  text(): string {
    const bytes = this.bytes();
    try {
      return decoder.decode(bytes);
    } catch (error) {
      throw new MalformedCommand('a text is not UTF-8', { cause: error });
    }
  }

  nullable<Value>(read: () => Value): Value | null {
    return this.flag() ? read() : null;
  }

  /** @param elementBytesMin  what the smallest element takes: bounds the count by what is there */
  list<Value>(read: () => Value, elementBytesMin: number): Value[] {
    const count = this.uint32();
    if (count * elementBytesMin > this.#bytes.length - this.#at) {
      throw new MalformedCommand(`a list of ${count} does not fit`);
    }
    const values: Value[] = [];
    for (let at = 0; at < count; at += 1) values.push(read());
    return values;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new MalformedCommand('bytes follow the command');
  }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) throw new MalformedCommand('the command ends early');
    this.#at = at + count;
    return at;
  }
}
