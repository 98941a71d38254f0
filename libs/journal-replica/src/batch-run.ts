import type { BatchCache, CachedSegment } from '@robustmq/journal-segment';

/** A longer run is cached in parts. */
const RUN_BYTES_MAX = 32 * 1024;

/**
 * Puts applied batches into the cache: those that stand in memory as they do in the file of the log
 * as one chunk. Its memory is what they came in, so nothing is copied.
 */
export class BatchRun {
  readonly #cache: BatchCache;
  #segment: CachedSegment | null = null;
  #first: Uint8Array = new Uint8Array(0);
  /** Of the first batch, in the file. */
  #position = 0;
  #byteCount = 0;
  #positions: number[] = [];

  constructor(cache: BatchCache) {
    this.#cache = cache;
  }

  /** @param position  of the batch in the file of `segment` */
  add(segment: CachedSegment, position: number, batch: Uint8Array): void {
    const byteCount = position + batch.length - this.#position;
    const follows =
      segment === this.#segment &&
      batch.buffer === this.#first.buffer &&
      batch.byteOffset - this.#first.byteOffset === position - this.#position &&
      byteCount <= RUN_BYTES_MAX;
    if (follows) this.#byteCount = byteCount;
    else {
      this.end();
      this.#segment = segment;
      this.#first = batch;
      this.#position = position;
      this.#byteCount = batch.length;
    }
    this.#positions.push(position);
  }

  /** What was added is in the cache from now on. */
  end(): void {
    const segment = this.#segment;
    if (segment === null) return;
    const { buffer, byteOffset } = this.#first;
    const bytes = new Uint8Array(buffer, byteOffset, this.#byteCount);
    this.#cache.add({ segment, position: this.#position, bytes, positions: this.#positions });
    this.#segment = null;
    this.#first = new Uint8Array(0);
    this.#positions = [];
  }
}
