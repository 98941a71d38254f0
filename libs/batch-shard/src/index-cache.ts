/** The indexes of sealed segments that are in memory, over all shards, the least recently used going first. */
import type { PackedIndex } from '@robustmq/journal';
import type { ShardSegment } from './shard-segment.ts';

export class IndexCache {
  readonly #bytesMax: number;
  /** Least recently used first. */
  readonly #indexes = new Map<ShardSegment, PackedIndex>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  find(segment: ShardSegment): PackedIndex | undefined {
    const index = this.#indexes.get(segment);
    if (index !== undefined) {
      this.#indexes.delete(segment);
      this.#indexes.set(segment, index);
    }
    return index;
  }

  /** The one kept last stays, whatever its size. */
  keep(segment: ShardSegment, index: PackedIndex): void {
    this.drop(segment);
    this.#indexes.set(segment, index);
    this.#bytes += index.byteLength;
    for (const oldest of this.#indexes.keys()) {
      if (this.#bytes <= this.#bytesMax || oldest === segment) break;
      this.drop(oldest);
    }
  }

  drop(segment: ShardSegment): void {
    const index = this.#indexes.get(segment);
    if (index === undefined) return;
    this.#indexes.delete(segment);
    this.#bytes -= index.byteLength;
  }
}
