import { ENTRY_HEADER_BYTES } from '@robustmq/raft-driver';

const SLAB_BYTES = 64 * 1024;
/** A larger entry has memory of its own. */
const SHARED_BYTES_MAX = SLAB_BYTES / 4;

/**
 * Memory for entries that are about to be proposed, many in one piece: a piece per entry costs more to
 * collect than to fill. Entries taken one after the other stand as far apart as in the file of the
 * log, as those in a frame of the leader do, so that a run of them can be cached as one chunk.
 */
export class EntrySlab {
  #slab: Uint8Array = new Uint8Array(0);
  #used = 0;

  /** Zeros that are nobody else's. */
  take(byteCount: number): Uint8Array {
    if (byteCount > SHARED_BYTES_MAX) return new Uint8Array(byteCount);
    if (this.#used + byteCount > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used = start + byteCount + ENTRY_HEADER_BYTES;
    return this.#slab.subarray(start, start + byteCount);
  }
}
