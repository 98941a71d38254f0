/** Verified batches in memory, over all shards of a journal, the least recently used ones going first. */

/** Rough cost of an entry beside its bytes. */
const ENTRY_BYTES = 128;

interface CachedBatch {
  readonly first: number;
  readonly bytes: Uint8Array;
  readonly shard: Map<number, CachedBatch>;
}

/** The batches of one shard, by their first offset. */
export class ShardCache {
  readonly #cache: BatchCache;
  readonly #batches = new Map<number, CachedBatch>();

  constructor(cache: BatchCache) {
    this.#cache = cache;
  }

  find(first: number): Uint8Array | undefined {
    const batch = this.#batches.get(first);
    if (batch !== undefined) this.#cache.touch(batch);
    return batch?.bytes;
  }

  add(first: number, bytes: Uint8Array): void {
    const known = this.#batches.get(first);
    if (known !== undefined) this.#cache.remove(known);
    this.#cache.add({ first, bytes, shard: this.#batches });
  }

  /** Forgets what stands before `first`. */
  dropBefore(first: number): void {
    for (const batch of this.#batches.values()) if (batch.first < first) this.#cache.remove(batch);
  }
}

export class BatchCache {
  readonly #bytesMax: number;
  /** Least recently used first. */
  readonly #batches = new Set<CachedBatch>();
  /** At the front of `#batches`: one begun anew steps over all that were taken out there since long. */
  #oldest: Iterator<CachedBatch> = this.#batches.values();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(batch: CachedBatch): void {
    const cost = costOf(batch);
    if (cost > this.#bytesMax) return;
    this.#batches.add(batch);
    batch.shard.set(batch.first, batch);
    this.#bytes += cost;
    while (this.#bytes > this.#bytesMax) this.#removeOldest();
  }

  #removeOldest(): void {
    const oldest = this.#oldest.next();
    if (oldest.done === true) this.#oldest = this.#batches.values();
    else this.remove(oldest.value);
  }

  touch(batch: CachedBatch): void {
    if (this.#batches.delete(batch)) this.#batches.add(batch);
  }

  remove(batch: CachedBatch): void {
    if (!this.#batches.delete(batch)) return;
    this.#bytes -= costOf(batch);
    batch.shard.delete(batch.first);
  }
}

function costOf(batch: CachedBatch): number {
  return batch.bytes.length + ENTRY_BYTES;
}
