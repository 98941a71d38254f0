import type { ByteConnection } from '@robustmq/transport';
import { LARGE_CHUNK_BYTES, type OutputChunks, SMALL_CHUNK_BYTES } from './output-chunks.ts';

/** What a connection's output shares with all others. */
export interface OutputContext {
  readonly chunks: OutputChunks;
  /** Connections with something to send at the end of this turn. */
  readonly dirty: OutputStream[];
  /** Asks for a flush of `dirty` at the end of this turn. Called once per turn. */
  scheduleFlush(): void;
  /** Bytes that sockets have not taken, over all connections. */
  pendingOutputBytes: number;
}

interface WaitingChunk {
  readonly bytes: Buffer;
  readonly byteLength: number;
}

/**
 * The outbound half of one connection: packets gather in one chunk and leave with one write at the
 * end of the turn, or early when 64 KB are full.
 *
 * Memory: no chunk while idle; what the socket does not take is bounded by the callers, who ask
 * `pendingBytes` before they add a message.
 */
export class OutputStream {
  /** Where the next packet goes, after `reserve`. */
  chunk: Buffer | null = null;
  length = 0;
  #transport: ByteConnection | null;
  readonly #context: OutputContext;
  #dirty = false;
  #writing: WaitingChunk | null = null;
  #waiting: WaitingChunk[] | null = null;
  #waitingBytes = 0;
  /** Somebody waits for room. */
  #wake: (() => void) | null = null;
  /** Called when the socket has taken everything after a time in which it had not. */
  readonly #owner: { outputDrained(): void };

  constructor(transport: ByteConnection, context: OutputContext, owner: { outputDrained(): void }) {
    this.#transport = transport;
    this.#context = context;
    this.#owner = owner;
  }

  /** Bytes that wait because the socket is full; 0 while it takes everything. */
  get pendingBytes(): number {
    return this.#writing === null ? 0 : this.#waitingBytes + this.length;
  }

  /** Resolves when less than `bytesMax` wait, or the stream is closed. For one caller at a time. */
  async room(bytesMax: number): Promise<void> {
    while (this.#transport !== null && this.pendingBytes >= bytesMax) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Makes room for `byteLength` bytes at `length` in `chunk`; the caller then writes and adds to `length`. */
  reserve(byteLength: number): Buffer {
    const chunk = this.chunk;
    if (chunk !== null && this.length + byteLength <= chunk.length) return chunk;
    return this.#makeRoom(byteLength);
  }

  append(bytes: Uint8Array): void {
    const chunk = this.reserve(bytes.length);
    chunk.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** One write of all that has gathered. */
  flush(): void {
    this.#dirty = false;
    if (this.#writing !== null || this.chunk === null) return;
    const chunk = this.chunk;
    const byteLength = this.length;
    this.chunk = null;
    this.length = 0;
    this.#write(chunk, byteLength);
  }

  drained(): void {
    const done = this.#writing;
    if (done === null) return;
    this.#writing = null;
    this.#account(-done.bytes.length);
    this.#context.chunks.release(done.bytes);
    while (this.#writing === null) {
      const next = this.#waiting?.shift();
      if (next === undefined) break;
      this.#waitingBytes -= next.byteLength;
      this.#account(-next.bytes.length);
      this.#write(next.bytes, next.byteLength);
    }
    this.#wakeWaiter();
    if (this.#writing !== null) return;
    this.#waiting = null;
    this.flush();
    if (this.#writing === null) this.#owner.outputDrained();
  }

  /** Gives every chunk back. Nothing can be sent afterwards. */
  close(): void {
    this.#transport = null;
    if (this.chunk !== null) this.#context.chunks.release(this.chunk);
    this.chunk = null;
    this.length = 0;
    // The chunk that the socket is writing is not reused: the kernel may still read it.
    if (this.#writing !== null) this.#account(-this.#writing.bytes.length);
    this.#writing = null;
    for (const waiting of this.#waiting ?? []) {
      this.#account(-waiting.bytes.length);
      this.#context.chunks.release(waiting.bytes);
    }
    this.#waiting = null;
    this.#waitingBytes = 0;
    this.#wakeWaiter();
  }

  #wakeWaiter(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  #makeRoom(byteLength: number): Buffer {
    const context = this.#context;
    if (!this.#dirty) {
      this.#dirty = true;
      if (context.dirty.length === 0) context.scheduleFlush();
      context.dirty.push(this);
    }
    const full = this.chunk;
    if (full !== null) {
      if (full.length === SMALL_CHUNK_BYTES && this.length + byteLength <= LARGE_CHUNK_BYTES) {
        const larger = context.chunks.take(LARGE_CHUNK_BYTES);
        full.copy(larger, 0, 0, this.length);
        context.chunks.release(full);
        this.chunk = larger;
        return larger;
      }
      this.#pass(full);
    }
    const chunk = context.chunks.take(byteLength);
    this.chunk = chunk;
    this.length = 0;
    return chunk;
  }

  /** Sends a full chunk early, or queues it behind the one that the socket is writing. */
  #pass(full: Buffer): void {
    const byteLength = this.length;
    this.chunk = null;
    this.length = 0;
    if (this.#writing === null) {
      this.#write(full, byteLength);
      return;
    }
    this.#waiting ??= [];
    this.#waiting.push({ bytes: full, byteLength });
    this.#waitingBytes += byteLength;
    this.#account(full.length);
  }

  #write(bytes: Buffer, byteLength: number): void {
    const outcome = this.#transport === null ? 'closed' : this.#transport.write(bytes, byteLength);
    if (outcome === 'pending') {
      this.#writing = { bytes, byteLength };
      this.#account(bytes.length);
    } else {
      this.#context.chunks.release(bytes);
    }
  }

  #account(bytes: number): void {
    this.#context.pendingOutputBytes += bytes;
  }
}
