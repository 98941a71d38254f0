/**
 * Verified batches in memory, over all shards of a journal, the least recently used ones going first.
 *
 * Batches come and go in chunks: what one flush wrote or one read fetched shares one buffer, so the
 * buffer is freed when the chunk goes.
 */

/** Rough cost of the entries beside the bytes themselves. */
const ENTRY_BYTES = 128;

/** What the cache needs of a segment: a place for the batches of it that are in memory. */
export interface CachedSegment {
  /** By position in the file. Kept by the batch cache. */
  readonly cached: Map<number, CachedChunk>;
}

/** Bytes from `position` of a segment file; the batches at `positions` are whole and checked. */
export interface CachedChunk {
  readonly segment: CachedSegment;
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly positions: readonly number[];
}

export class BatchCache {
  readonly #bytesMax: number;
  /** Least recently used first. */
  readonly #chunks = new Set<CachedChunk>();
  /** At the front of `#chunks`: one begun anew steps over all that were taken out there since long. */
  #oldest: Iterator<CachedChunk> = this.#chunks.values();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get byteLength(): number {
    return this.#bytes;
  }

  add(chunk: CachedChunk): void {
    const cost = costOf(chunk);
    if (cost > this.#bytesMax) return;
    this.#chunks.add(chunk);
    this.#bytes += cost;
    for (const position of chunk.positions) chunk.segment.cached.set(position, chunk);
    while (this.#bytes > this.#bytesMax) this.#removeOldest();
  }

  /** The chunk with the batch at `position` of the segment, if it is in memory. */
  find(segment: CachedSegment, position: number): CachedChunk | undefined {
    const chunk = segment.cached.get(position);
    if (chunk !== undefined && this.#chunks.delete(chunk)) this.#chunks.add(chunk);
    return chunk;
  }

  /** Forgets the batches of a segment that is gone. */
  drop(segment: CachedSegment): void {
    for (const chunk of new Set(segment.cached.values())) this.#remove(chunk);
  }

  #removeOldest(): void {
    const oldest = this.#oldest.next();
    if (oldest.done === true) this.#oldest = this.#chunks.values();
    else this.#remove(oldest.value);
  }

  #remove(chunk: CachedChunk): void {
    if (!this.#chunks.delete(chunk)) return;
    this.#bytes -= costOf(chunk);
    const { cached } = chunk.segment;
    for (const position of chunk.positions) {
      if (cached.get(position) === chunk) cached.delete(position);
    }
  }
}

function costOf(chunk: CachedChunk): number {
  return chunk.bytes.length + chunk.positions.length * ENTRY_BYTES;
}
