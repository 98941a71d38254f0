/**
 * Writes messages in the wire format of Protocol Buffers, for the messages of hot streams: about twice
 * as fast as reflection, and from the domain's own objects without a copy in between.
 *
 * Fields that have their default value are left out, as proto3 does. Source: Protocol Buffers,
 * "Encoding".
 */
import { assert } from '@robustmq/errors';

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIRST_CAPACITY_BYTES = 1024;
/** A larger buffer is not kept for the next message. */
const KEPT_CAPACITY_BYTES = 1 << 20;
/** Up to this many UTF-16 units are looked at one by one: most keys are short and ASCII. */
const SHORT_TEXT_UNITS = 64;

/** Writes one message; made by {@link encodeMessage} only. */
export class ProtobufWriter {
  #bytes: Buffer = Buffer.allocUnsafe(FIRST_CAPACITY_BYTES);
  #length = 0;

  /** @param value  0 to 2^53 - 1; 0 is left out */
  uint(field: number, value: number): void {
    if (value !== 0) this.alwaysUint(field, value);
  }

  /** As `uint`, but 0 is written: for a field that may be absent. */
  alwaysUint(field: number, value: number): void {
    this.#reserve(15);
    this.#varint((field << 3) | VARINT);
    this.#varint(value);
  }

  bool(field: number, value: boolean): void {
    if (value) this.alwaysUint(field, 1);
  }

  double(field: number, value: number): void {
    if (value === 0) return;
    this.#reserve(13);
    this.#varint((field << 3) | FIXED64);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  text(field: number, value: string): void {
    if (value !== '') this.alwaysText(field, value);
  }

  /** As `text`, but an empty one is written: for a field that may be absent, or repeats. */
  alwaysText(field: number, value: string): void {
    this.#reserve(10 + 3 * value.length);
    this.#varint((field << 3) | LENGTH_DELIMITED);
    if (value.length <= SHORT_TEXT_UNITS && this.#shortAscii(value)) return;
    this.#varint(Buffer.byteLength(value));
    this.#length += this.#bytes.write(value, this.#length);
  }

  bytes(field: number, value: Uint8Array): void {
    if (value.length > 0) this.alwaysBytes(field, value);
  }

  /** As `bytes`, but an empty one is written. */
  alwaysBytes(field: number, value: Uint8Array): void {
    this.#reserve(10 + value.length);
    this.#varint((field << 3) | LENGTH_DELIMITED);
    this.#varint(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** Writes a message within this one; an empty one, too. */
  message<Value>(
    field: number,
    value: Value,
    write: (writer: ProtobufWriter, value: Value) => void,
  ): void {
    this.#reserve(6);
    this.#varint((field << 3) | LENGTH_DELIMITED);
    // One byte is kept for the length; a longer message is moved.
    const start = this.#length + 1;
    this.#length = start;
    write(this, value);
    const size = this.#length - start;
    const more = varintSize(size) - 1;
    if (more > 0) {
      this.#reserve(more);
      this.#bytes.copyWithin(start + more, start, this.#length);
    }
    this.#length = start - 1;
    this.#varint(size);
    this.#length += size;
  }

  /** A copy of what was written; the writer is empty again. */
  take(): Uint8Array {
    const taken = Buffer.allocUnsafe(this.#length);
    this.#bytes.copy(taken, 0, 0, this.#length);
    this.clear();
    return taken;
  }

  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > KEPT_CAPACITY_BYTES) {
      this.#bytes = Buffer.allocUnsafe(FIRST_CAPACITY_BYTES);
    }
  }

  #shortAscii(value: string): boolean {
    const bytes = this.#bytes;
    const start = this.#length;
    for (let i = 0; i < value.length; i += 1) {
      const unit = value.charCodeAt(i);
      if (unit > 0x7f) return false;
      bytes[start + 1 + i] = unit;
    }
    bytes[start] = value.length;
    this.#length = start + 1 + value.length;
    return true;
  }

  #varint(value: number): void {
    const bytes = this.#bytes;
    let rest = value;
    while (rest > 0x7f_ff_ff_ff) {
      bytes[this.#length] = (rest % 128) | 0x80;
      this.#length += 1;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      bytes[this.#length] = (rest & 0x7f) | 0x80;
      this.#length += 1;
      rest >>>= 7;
    }
    bytes[this.#length] = rest;
    this.#length += 1;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) size += 1;
  return size;
}

const scratch = new ProtobufWriter();
let scratchBusy = false;

/** The bytes of one message, written by `write`; the caller owns them. */
export function encodeMessage<Value>(
  value: Value,
  write: (writer: ProtobufWriter, value: Value) => void,
): Uint8Array {
  assert(!scratchBusy, 'a message is encoded within another by ProtobufWriter.message');
  scratchBusy = true;
  try {
    write(scratch, value);
    return scratch.take();
  } finally {
    scratch.clear();
    scratchBusy = false;
  }
}
