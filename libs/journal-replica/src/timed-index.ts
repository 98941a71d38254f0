/**
 * The index of a segment, and when each of its batches was appended.
 *
 * On disk: a `PackedIndex`, then the time of the segment's first batch u64, each batch's milliseconds
 * since then u32, and the CRC-32C of what follows the packed index; in the machine's byte order
 * like the packed index itself.
 */
import { crc32c } from '@robustmq/bytes';
import {
  type DamagedRange,
  GrowingIndex,
  type IndexedAttribute,
  PackedIndex,
  readUint32,
  readUint64,
  type SegmentIndex,
  type WantedOrdinals,
  writeUint32,
  writeUint64,
} from '@robustmq/journal';

/** Later times in one segment are kept as this many milliseconds after its first batch: 49 days. */
const DELTA_MS_MAX = 0xffff_ffff;
const LENGTH_AT = 12;

export class TimedIndex implements SegmentIndex {
  readonly #index: SegmentIndex;
  #beginMs: number;
  #deltas: Uint32Array;

  private constructor(index: SegmentIndex, beginMs: number, deltas: Uint32Array) {
    this.#index = index;
    this.#beginMs = beginMs;
    this.#deltas = deltas;
  }

  /** @param beginMs  no batch of the segment is older; the first batch tells more exactly */
  static growing(baseOffset: number, beginMs: number): TimedIndex {
    return new TimedIndex(new GrowingIndex(baseOffset), beginMs, new Uint32Array(64));
  }

  /** Null when the bytes are not the index of this segment, or damaged. */
  static open(
    bytes: Uint8Array,
    segment: { readonly baseOffset: number; readonly fileBytes: number },
  ): TimedIndex | null {
    if (bytes.length < LENGTH_AT + 4) return null;
    const packedBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(
      LENGTH_AT,
      IS_LITTLE_ENDIAN,
    );
    if (packedBytes + 12 > bytes.length) return null;
    const packed = PackedIndex.open(
      bytes.subarray(0, packedBytes),
      segment.baseOffset,
      segment.fileBytes,
    );
    const end = bytes.length - 4;
    if (packed === null || readUint32(bytes, end) !== crc32c(bytes, packedBytes, end)) return null;
    if (end - packedBytes !== 8 + packed.batchCount * 4) return null;
    const deltas = new Uint32Array(bytes.slice(packedBytes + 8, end).buffer);
    return new TimedIndex(packed, readUint64(bytes, packedBytes), deltas);
  }

  /** Of a growing one: as it is kept on disk, and as it serves from now on. */
  pack(segment: { readonly baseOffset: number; readonly fileBytes: number }): {
    readonly index: TimedIndex;
    readonly bytes: Uint8Array;
  } {
    const { baseOffset, fileBytes } = segment;
    const packed = PackedIndex.pack(this.#index as GrowingIndex, baseOffset, fileBytes);
    const deltas = this.#deltas.slice(0, packed.batchCount);
    const start = packed.bytes.length;
    const bytes = new Uint8Array(start + 12 + deltas.byteLength);
    bytes.set(packed.bytes);
    writeUint64(bytes, start, this.#beginMs);
    bytes.set(new Uint8Array(deltas.buffer), start + 8);
    const end = bytes.length - 4;
    writeUint32(bytes, end, crc32c(bytes, start, end));
    return { index: new TimedIndex(packed, this.#beginMs, deltas), bytes };
  }

  /** Only of a growing one. */
  addBatch(bytes: Uint8Array, start: number, at: BatchFacts): void {
    const batch = this.#index.batchCount;
    // The first segment of a shard begins at no time at all.
    if (batch === 0) this.#beginMs = Math.max(this.#beginMs, at.appendedAtMs);
    (this.#index as GrowingIndex).addBatch(bytes, start, at.position, at.baseOffset);
    if (batch >= this.#deltas.length) {
      const grown = new Uint32Array(this.#deltas.length * 2);
      grown.set(this.#deltas);
      this.#deltas = grown;
    }
    this.#deltas[batch] = Math.min(DELTA_MS_MAX, Math.max(0, at.appendedAtMs - this.#beginMs));
  }

  appendedAtMs(batch: number): number {
    return this.#beginMs + (this.#deltas[batch] as number);
  }

  /** The first batch appended at `atMs` or later; `batchCount` when there is none. */
  firstBatchAt(atMs: number): number {
    let low = 0;
    let high = this.batchCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.appendedAtMs(middle) < atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  get recordsAfter(): number {
    return this.#index.recordsAfter;
  }
  get topicCount(): number {
    return this.#index.topicCount;
  }
  get batchCount(): number {
    return this.#index.batchCount;
  }
  get damage(): readonly DamagedRange[] {
    return this.#index.damage;
  }
  get byteLength(): number {
    return this.#index.byteLength + this.#deltas.byteLength;
  }
  topicText(id: number): string {
    return this.#index.topicText(id);
  }
  findTopic(topic: Uint8Array): number {
    return this.#index.findTopic(topic);
  }
  collect(topicIds: Uint32Array, from: number): WantedOrdinals {
    return this.#index.collect(topicIds, from);
  }
  collectAttribute(attribute: IndexedAttribute, hash: number, from: number): WantedOrdinals {
    return this.#index.collectAttribute(attribute, hash, from);
  }
  findBatch(ordinal: number): number {
    return this.#index.findBatch(ordinal);
  }
  batchFirst(batch: number): number {
    return this.#index.batchFirst(batch);
  }
  batchAfter(batch: number): number {
    return this.#index.batchAfter(batch);
  }
  batchPosition(batch: number): number {
    return this.#index.batchPosition(batch);
  }
  batchLength(batch: number): number {
    return this.#index.batchLength(batch);
  }
}

export interface BatchFacts {
  /** Of the batch in the segment's file. */
  readonly position: number;
  readonly baseOffset: number;
  readonly appendedAtMs: number;
}

const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
