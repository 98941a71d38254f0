/** Where outbound packets gather until the end of the turn. Most turns fit the small size. */
export const SMALL_CHUNK_BYTES: number = 8 * 1024;
export const LARGE_CHUNK_BYTES: number = 64 * 1024;

const KEPT_SMALL_MAX = 4096;
const KEPT_LARGE_MAX = 256;

/**
 * A pool of output buffers. A connection holds one only while it has something to send, so that an
 * idle one costs nothing.
 *
 * LIMIT: pooledChunks (32 MB small, 16 MB large are kept; more are left to the garbage collector)
 */
export class OutputChunks {
  readonly #small: Buffer[] = [];
  readonly #large: Buffer[] = [];

  /** A chunk of at least `byteLength`: small, large, or exactly as large as a larger packet. */
  take(byteLength: number): Buffer {
    if (byteLength <= SMALL_CHUNK_BYTES) {
      return this.#small.pop() ?? Buffer.allocUnsafeSlow(SMALL_CHUNK_BYTES);
    }
    if (byteLength <= LARGE_CHUNK_BYTES) {
      return this.#large.pop() ?? Buffer.allocUnsafeSlow(LARGE_CHUNK_BYTES);
    }
    return Buffer.allocUnsafeSlow(byteLength);
  }

  release(chunk: Buffer): void {
    if (chunk.length === SMALL_CHUNK_BYTES) {
      if (this.#small.length < KEPT_SMALL_MAX) this.#small.push(chunk);
    } else if (chunk.length === LARGE_CHUNK_BYTES) {
      if (this.#large.length < KEPT_LARGE_MAX) this.#large.push(chunk);
    }
  }
}
