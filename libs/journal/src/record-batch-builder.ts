/**
 * Gathers records into a batch without allocating per record.
 *
 * The header's room is left free at the front, so positions that `reserve` returns are valid in the
 * sealed bytes too. A record is open between `beginRecord` and `endRecord`; its body is written in
 * place. Cost: one growing buffer, no object per record; about 30 ns for a record of 60 bytes plus
 * the checksum (about 0.3 ns per byte) in `seal`.
 */
import { assert } from '@robustmq/errors';
import type { Offset, RecordBatch } from './journal.ts';
import { encodeAttributes, type RecordAttributes } from './record-attributes.ts';
import {
  BATCH_BYTES_MAX,
  BATCH_HEADER_BYTES,
  RECORD_HEADER_BYTES,
  writeBatchHeader,
  writeUint32,
} from './record-batch.ts';

const INITIAL_BYTES = 16 * 1024;
/** Up to here a loop beats the set-up of a bulk copy. */
const LOOP_COPY_BYTES_MAX = 64;
/** LIMIT: POOL_BYTES_MAX (of buffers that a builder keeps; further ones are not reused) */
const POOL_BYTES_MAX = 8 * 1024 * 1024;

export class RecordBatchBuilder {
  /** The buffer being filled. Replaced when it grows: read it again after each `reserve`. */
  bytes: Uint8Array = new Uint8Array(INITIAL_BYTES);
  #length = BATCH_HEADER_BYTES;
  #recordCount = 0;
  /** Where the open record starts, or -1. */
  #recordStart = -1;
  /** Where the body of the open record starts. */
  #bodyStart = -1;
  #hasAttributes = false;
  readonly #pool: Uint8Array[] = [];
  #poolBytes = 0;

  /** Finished records. */
  get recordCount(): number {
    return this.#recordCount;
  }

  /** Bytes so far, the batch header included. */
  get byteLength(): number {
    return this.#length;
  }

  /** Opens a record. `kind` is 0 to 255, the topic at most 65,535 bytes of UTF-8. */
  beginRecord(kind: number, topicBytes: Uint8Array, topicStart: number, topicLength: number): void {
    assert(this.#recordStart < 0, 'the previous record is still open');
    const start = this.#length;
    const body = start + RECORD_HEADER_BYTES + topicLength;
    if (body > this.bytes.length) this.#grow(body);
    const bytes = this.bytes;
    bytes[start + 4] = topicLength;
    bytes[start + 5] = topicLength >>> 8;
    bytes[start + 6] = kind;
    bytes[start + 7] = 0;
    copyBytes(topicBytes, topicStart, topicLength, bytes, start + RECORD_HEADER_BYTES);
    this.#recordStart = start;
    this.#bodyStart = body;
    this.#length = body;
  }

  /** Gives the open record its attributes, before anything of its body. Copies them. */
  attach(attributes: RecordAttributes): void {
    assert(this.#length === this.#bodyStart, 'attributes stand before the body');
    const { flags, parts } = encodeAttributes(attributes);
    if (flags === 0) return;
    for (const part of parts) {
      const at = this.reserve(part.length);
      this.bytes.set(part, at);
    }
    this.bytes[this.#recordStart + 7] = flags;
    this.#hasAttributes = true;
    this.#bodyStart = -1;
  }

  /** Makes room for `byteCount` more bytes of body; returns where in `bytes` they start. */
  reserve(byteCount: number): number {
    const start = this.#length;
    const after = start + byteCount;
    if (after > this.bytes.length) this.#grow(after);
    this.#length = after;
    return start;
  }

  endRecord(): void {
    const start = this.#recordStart;
    assert(start >= 0, 'no record is open');
    writeUint32(this.bytes, start, this.#length - start);
    this.#recordStart = -1;
    this.#recordCount += 1;
  }

  /** Forgets the open record, as if `beginRecord` had not been called. */
  abandonRecord(): void {
    assert(this.#recordStart >= 0, 'no record is open');
    this.#length = this.#recordStart;
    this.#recordStart = -1;
  }

  /** Adds a whole record; its body is the parts in a row. A convenience: hot paths write in place. */
  add(
    kind: number,
    topic: Uint8Array,
    topicStart: number,
    topicLength: number,
    ...bodyParts: readonly Uint8Array[]
  ): void {
    this.beginRecord(kind, topic, topicStart, topicLength);
    for (const part of bodyParts) {
      const at = this.reserve(part.length);
      copyBytes(part, 0, part.length, this.bytes, at);
    }
    this.endRecord();
  }

  /**
   * Finishes the batch, which must have a record, and starts an empty one in another buffer.
   *
   * The bytes of the batch belong to whoever it is handed to; give them back with `recycle` once
   * nobody reads them any more (for an append: when its promise has settled), or never.
   */
  seal(baseOffset: Offset, appendedAtMs: number): RecordBatch {
    assert(this.#recordStart < 0, 'a record is still open');
    assert(this.#recordCount > 0, 'a batch has at least one record');
    const recordCount = this.#recordCount;
    const hasAttributes = this.#hasAttributes;
    const facts = { recordCount, baseOffset, appendedAtMs, hasAttributes };
    writeBatchHeader(this.bytes, this.#length, facts);
    const batch = { bytes: this.bytes.subarray(0, this.#length), recordCount };
    this.bytes = this.#pooled() ?? new Uint8Array(INITIAL_BYTES);
    this.reset();
    return batch;
  }

  /** Drops everything gathered so far. */
  reset(): void {
    this.#length = BATCH_HEADER_BYTES;
    this.#recordCount = 0;
    this.#recordStart = -1;
    this.#hasAttributes = false;
  }

  /** Takes back the bytes of a batch that `seal` made. The caller must not read them afterwards. */
  recycle(bytes: Uint8Array): void {
    const capacity = bytes.buffer.byteLength;
    if (bytes.byteOffset !== 0 || this.#poolBytes + capacity > POOL_BYTES_MAX) return;
    this.#poolBytes += capacity;
    this.#pool.push(new Uint8Array(bytes.buffer));
  }

  #pooled(): Uint8Array | undefined {
    const bytes = this.#pool.pop();
    this.#poolBytes -= bytes?.length ?? 0;
    return bytes;
  }

  #grow(byteCount: number): void {
    assert(
      byteCount <= BATCH_BYTES_MAX,
      `a batch of ${byteCount} bytes exceeds ${BATCH_BYTES_MAX}`,
    );
    const grown = new Uint8Array(Math.max(byteCount, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.#length));
    this.bytes = grown;
  }
}

function copyBytes(
  source: Uint8Array,
  start: number,
  length: number,
  target: Uint8Array,
  at: number,
): void {
  if (length > LOOP_COPY_BYTES_MAX) {
    target.set(source.subarray(start, start + length), at);
    return;
  }
  for (let i = 0; i < length; i += 1) target[at + i] = source[start + i] as number;
}
