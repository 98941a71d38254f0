/** Reads messages in the wire format of Protocol Buffers; the counterpart of protobuf-writer.ts. */

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;
const SHORT_TEXT_BYTES = 24;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes are no message of the kind expected. */
export class MalformedMessageError extends Error {
  override readonly name = 'MalformedMessageError';
}

/**
 * Reads one message field by field: `while (reader.next()) switch (reader.field) …`. A field that no
 * arm takes must be given to `skip`.
 */
export class ProtobufReader {
  /** Of the field that `next` came to. */
  field = 0;
  readonly #bytes: Uint8Array;
  #position = 0;
  #end: number;
  #wireType = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /** @returns false at the end of the message */
  next(): boolean {
    if (this.#position >= this.#end) return false;
    const tag = this.#varint();
    this.#wireType = tag & 7;
    this.field = Math.floor(tag / 8);
    if (this.field === 0) throw new MalformedMessageError('a field has the number 0');
    return true;
  }

  uint(): number {
    this.#expect(VARINT);
    return this.#varint();
  }

  bool(): boolean {
    return this.uint() !== 0;
  }

  double(): number {
    this.#expect(FIXED64);
    const at = this.#take(8);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, 8).getFloat64(0, true);
  }

  text(): string {
    const size = this.#size();
    const start = this.#take(size);
    if (size <= SHORT_TEXT_BYTES) {
      const text = this.#shortAscii(start, size);
      if (text !== null) return text;
    }
    try {
      return decoder.decode(this.#bytes.subarray(start, start + size));
    } catch (error) {
      throw new MalformedMessageError('a text is not UTF-8', { cause: error });
    }
  }

  /** A copy: it does not keep what was received alive. */
  bytes(): Uint8Array {
    return this.view().slice();
  }

  /** A part of what was received. */
  view(): Uint8Array {
    const size = this.#size();
    const start = this.#take(size);
    return this.#plain(start, size);
  }

  message<Value>(read: (reader: ProtobufReader) => Value): Value {
    const size = this.#size();
    const start = this.#take(size);
    const outerEnd = this.#end;
    this.#position = start;
    this.#end = start + size;
    const value = read(this);
    this.#position = this.#end;
    this.#end = outerEnd;
    return value;
  }

  /** Passes over a field that a newer version has added. */
  skip(): void {
    switch (this.#wireType) {
      case VARINT:
        this.#skipVarint();
        return;
      case FIXED64:
        this.#take(8);
        return;
      case LENGTH_DELIMITED:
        this.#take(this.#varint());
        return;
      case FIXED32:
        this.#take(4);
        return;
      default:
        throw new MalformedMessageError(`field ${this.field} has wire type ${this.#wireType}`);
    }
  }

  /** A plain `Uint8Array`, even when a `Buffer` was received: its `slice` copies. */
  #plain(start: number, size: number): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, size);
  }

  #size(): number {
    this.#expect(LENGTH_DELIMITED);
    return this.#varint();
  }

  #expect(wireType: number): void {
    if (this.#wireType === wireType) return;
    throw new MalformedMessageError(
      `field ${this.field} has wire type ${this.#wireType}, not ${wireType}`,
    );
  }

  #take(count: number): number {
    const start = this.#position;
    if (count > this.#end - start) {
      throw new MalformedMessageError(`${count} bytes announced, ${this.#end - start} there`);
    }
    this.#position = start + count;
    return start;
  }

  #shortAscii(start: number, size: number): string | null {
    let text = '';
    for (let at = start; at < start + size; at += 1) {
      const byte = this.#bytes[at] as number;
      if (byte > 0x7f) return null;
      text += String.fromCharCode(byte);
    }
    return text;
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count += 1) {
      const byte = this.#bytes[this.#take(1)] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 128;
    }
    throw new MalformedMessageError('a number is above 2^53 - 1');
  }

  #skipVarint(): void {
    for (let count = 0; count < 10; count += 1) {
      if ((this.#bytes[this.#take(1)] as number) < 0x80) return;
    }
    throw new MalformedMessageError('a number has more than ten bytes');
  }
}
