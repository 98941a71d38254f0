import {
  createFrame,
  DECODE_FROM_SERVER,
  decodePacket,
  FrameStatus,
  readFrame,
} from '@robustmq/mqtt-codec';
import type { Packet, ProtocolVersion } from '@robustmq/mqtt-codec';

const EMPTY = new Uint8Array(0);

/**
 * Cuts a byte stream into packets.
 *
 * Keeps the bytes of the packet that is not complete yet. Decoded packets may point into the chunks
 * that were pushed: the caller must not reuse these.
 */
export class PacketStream {
  readonly #version: ProtocolVersion;
  readonly #frame = createFrame();
  #bytes: Uint8Array = EMPTY;
  #at = 0;
  /** Chunks that wait until they complete a packet, so that a large packet is joined once. */
  #waiting: Uint8Array[] = [];
  #missing = 0;

  constructor(version: ProtocolVersion) {
    this.#version = version;
  }

  /** Adds bytes; the chunk belongs to the stream from now on. */
  push(chunk: Uint8Array): void {
    this.#waiting.push(chunk);
    this.#missing -= chunk.length;
  }

  /** The next packet, null when more bytes are needed, or what is wrong with the bytes. */
  next(): Packet | null | { readonly kind: 'malformed'; readonly reason: string } {
    if (this.#waiting.length > 0) {
      if (this.#missing > 0) return null;
      this.#join();
    }
    const status = readFrame(this.#bytes, this.#at, this.#bytes.length, this.#frame);
    if (status === FrameStatus.malformed) {
      return { kind: 'malformed', reason: 'the server sent a malformed fixed header' };
    }
    if (status !== FrameStatus.complete) {
      this.#missing = status === FrameStatus.partial ? this.#frame.bodyEnd - this.#bytes.length : 0;
      return null;
    }
    this.#at = this.#frame.bodyEnd;
    const decoded = decodePacket(this.#bytes, this.#frame, this.#version, DECODE_FROM_SERVER);
    if (decoded.ok) return decoded.value;
    const { reason, clause } = decoded.fault;
    return {
      kind: 'malformed',
      reason: `the server sent a malformed packet: ${reason} (${clause})`,
    };
  }

  #join(): void {
    const rest = this.#bytes.subarray(this.#at);
    const [only] = this.#waiting;
    this.#bytes =
      rest.length === 0 && this.#waiting.length === 1 && only !== undefined
        ? only
        : Buffer.concat([rest, ...this.#waiting]);
    this.#waiting = [];
    this.#at = 0;
  }
}
