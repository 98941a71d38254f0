/**
 * Records as a stream of bytes, for snapshots that go to another member.
 *
 * ```text
 *  name, version        8 bytes, the same in every stream of one state machine
 *  block …              length (4), CRC-32C of the content (4), content: records
 *  end                  length 0 (4), count of all records (8), CRC-32C of the count (4)
 *
 *  record               key length (4), value length (4), key as UTF-8, value
 * ```
 *
 * Readers take pieces of any size: they need not be cut where the writer cut them.
 */
import { ByteWriter, crc32c, encodeUtf8 } from '@robustmq/bytes';

/** Blocks are about this long; one with a long record is longer. */
const BLOCK_BYTES = 128 * 1024;
/** No block is longer: one record of the longest key and value and its neighbours. */
const BLOCK_BYTES_MAX = 16 * 1024 * 1024;
const TWO_32 = 2 ** 32;
const BLOCK_HEADER_BYTES = 8;
const END_BYTES = 16;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The pieces of a snapshot were damaged, cut off, or written by a later version. */
export class RecordStreamDamaged extends Error {
  override readonly name = 'RecordStreamDamaged';
}

/** Gathers records into pieces of about 128 KiB. */
export class RecordStreamWriter {
  readonly #name: Uint8Array;
  #block: ByteWriter = new ByteWriter(BLOCK_BYTES);
  #records = 0;
  #hasBegun = false;

  /** @param name  7 characters of ASCII and the version as the 8th */
  constructor(name: string) {
    this.#name = encodeUtf8(name);
  }

  /** @returns a piece when enough was gathered; it belongs to the caller */
  add(key: string, value: Uint8Array): Uint8Array | null {
    const name = encodeUtf8(key);
    this.#block.uint32(name.length);
    this.#block.uint32(value.length);
    this.#block.raw(name);
    this.#block.raw(value);
    this.#records += 1;
    return this.#block.length < BLOCK_BYTES ? null : this.#takeBlock();
  }

  /** The last piece. */
  end(): Uint8Array {
    const block = this.#block.length === 0 ? new Uint8Array(0) : this.#takeBlock();
    const start = this.#hasBegun ? new Uint8Array(0) : this.#name;
    const end = new Uint8Array(END_BYTES);
    const view = new DataView(end.buffer);
    view.setUint32(4, Math.floor(this.#records / TWO_32));
    view.setUint32(8, this.#records % TWO_32);
    view.setUint32(12, crc32c(end, 4, 12));
    return joined([start, block, end]);
  }

  #takeBlock(): Uint8Array {
    const content = this.#block.view();
    this.#block = new ByteWriter(BLOCK_BYTES);
    const header = new Uint8Array(BLOCK_HEADER_BYTES);
    const view = new DataView(header.buffer);
    view.setUint32(0, content.length);
    view.setUint32(4, crc32c(content, 0, content.length));
    const start = this.#hasBegun ? new Uint8Array(0) : this.#name;
    this.#hasBegun = true;
    return joined([start, header, content]);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Takes pieces and tells the records in them. Every method throws RecordStreamDamaged. */
export class RecordStreamReader {
  readonly #name: Uint8Array;
  #pending: Uint8Array = new Uint8Array(0);
  #state: 'start' | 'blocks' | 'ended' = 'start';
  #records = 0;

  /** @param name  as given to the writer */
  constructor(name: string) {
    this.#name = encodeUtf8(name);
  }

  /** @returns the records of the blocks that are complete now; values are views */
  push(piece: Uint8Array): readonly (readonly [key: string, value: Uint8Array])[] {
    this.#pending = this.#pending.length === 0 ? piece : joined([this.#pending, piece]);
    const found: (readonly [string, Uint8Array])[] = [];
    for (let used = this.#step(found); used > 0; used = this.#step(found)) {
      this.#pending = this.#pending.subarray(used);
    }
    return found;
  }

  /** Call after the last piece: throws when something is missing. */
  end(): void {
    if (this.#state !== 'ended') throw new RecordStreamDamaged('the snapshot ends early');
  }

  /** @returns how many bytes were used; 0 when more are needed */
  #step(found: (readonly [string, Uint8Array])[]): number {
    const bytes = this.#pending;
    if (bytes.length === 0) return 0;
    switch (this.#state) {
      case 'start':
        return this.#readStart(bytes);
      case 'blocks':
        return this.#readBlock(bytes, found);
      case 'ended':
        throw new RecordStreamDamaged('bytes follow the end of the snapshot');
    }
  }

  #readStart(bytes: Uint8Array): number {
    const name = this.#name;
    if (bytes.length < name.length) return 0;
    if (name.some((byte, at) => bytes[at] !== byte)) {
      throw new RecordStreamDamaged('this is no snapshot of a state that is understood here');
    }
    this.#state = 'blocks';
    return name.length;
  }

  #readBlock(bytes: Uint8Array, found: (readonly [string, Uint8Array])[]): number {
    if (bytes.length < BLOCK_HEADER_BYTES) return 0;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const length = view.getUint32(0);
    if (length === 0) return this.#readEnd(bytes, view);
    if (length > BLOCK_BYTES_MAX) throw new RecordStreamDamaged(`a block claims ${length} bytes`);
    const after = BLOCK_HEADER_BYTES + length;
    if (bytes.length < after) return 0;
    if (crc32c(bytes, BLOCK_HEADER_BYTES, after) !== view.getUint32(4)) {
      throw new RecordStreamDamaged('the checksum of a block does not match');
    }
    const content = bytes.subarray(0, after);
    for (let at = BLOCK_HEADER_BYTES; at < after; this.#records += 1) {
      at = readRecord(content, at, found);
    }
    return after;
  }

  #readEnd(bytes: Uint8Array, view: DataView): number {
    if (bytes.length < END_BYTES) return 0;
    if (crc32c(bytes, 4, 12) !== view.getUint32(12)) {
      throw new RecordStreamDamaged('the checksum of the end does not match');
    }
    const records = view.getUint32(4) * TWO_32 + view.getUint32(8);
    if (records !== this.#records) {
      throw new RecordStreamDamaged(`the snapshot has ${this.#records} of ${records} records`);
    }
    this.#state = 'ended';
    return END_BYTES;
  }
}

function readRecord(
  bytes: Uint8Array,
  at: number,
  found: (readonly [string, Uint8Array])[],
): number {
  const keyAt = at + 8;
  if (keyAt > bytes.length) throw new RecordStreamDamaged('a record ends early');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const valueAt = keyAt + view.getUint32(at);
  const after = valueAt + view.getUint32(at + 4);
  if (after > bytes.length) throw new RecordStreamDamaged('a record ends early');
  found.push([decoder.decode(bytes.subarray(keyAt, valueAt)), bytes.subarray(valueAt, after)]);
  return after;
}
