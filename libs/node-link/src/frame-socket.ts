/**
 * Frames over a TCP socket of their own: what a stream of gRPC was let in for, at a fraction of its cost.
 *
 *     ─▶ preamble | ticket of 16 bytes
 *     ◀─ one byte: the ticket is known
 *     ─▶ u32 length (least significant byte first), frame | …
 *
 * The stream stays: it admits, it keeps the connection alive, and the two end together. The ticket is what
 * the receiver has said on it.
 */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { readFirstBytes } from '@robustmq/rpc';

export const LINK_PREAMBLE: Uint8Array = new TextEncoder().encode('RMQLINK1');
export const TICKET_BYTES = 16;

const PREFIX_BYTES = 4;
/** Other than the first byte of anything that an HTTP/2 server says. */
const KNOWN = 0x4b;
/** Beyond it the receiver is behind. LIMIT: nodeLinkSocketBytes */
const WAITING_BYTES_MAX = 1024 * 1024;

export interface FrameSocketEvents {
  drained(): void;
  /** Once; nothing comes after it. */
  ended(): void;
}

/** The sending side. */
export class SendingSocket {
  readonly #socket: Socket;
  readonly #events: FrameSocketEvents;
  #ended = false;

  private constructor(socket: Socket, events: FrameSocketEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.on('drain', () => events.drained());
    endsWith(socket, () => this.#end());
  }

  /** Calls back once: with null when there is no such socket to be had. */
  static open(
    address: string,
    ticket: Uint8Array,
    events: FrameSocketEvents,
    opened: (socket: SendingSocket | null) => void,
  ): { readonly cancel: () => void } {
    const at = address.lastIndexOf(':');
    const host = address.slice(0, at).replace(/^\[|\]$/g, '');
    const port = Number(address.slice(at + 1));
    const options: NetConnectOpts & { readonly writableHighWaterMark: number } = {
      ...{ host, port, noDelay: true, writableHighWaterMark: WAITING_BYTES_MAX },
    };
    const socket = connect(options);
    const failed = (): void => opened(null);
    socket.once('close', failed);
    socket.on('error', ignore);
    socket.once('connect', () => {
      socket.write(LINK_PREAMBLE);
      socket.write(ticket);
    });
    socket.once('data', (answer: Buffer) => {
      if (answer[0] !== KNOWN) {
        socket.destroy();
        return;
      }
      socket.off('close', failed);
      opened(new SendingSocket(socket, events));
    });
    return { cancel: () => socket.destroy() };
  }

  /** @returns false when the receiver is behind: no more until `drained` */
  send(frame: Uint8Array): boolean {
    const socket = this.#socket;
    const prefix = new Uint8Array(PREFIX_BYTES);
    new DataView(prefix.buffer).setUint32(0, frame.length, true);
    socket.cork();
    socket.write(prefix);
    const hasRoom = socket.write(frame);
    socket.uncork();
    return hasRoom;
  }

  close(): void {
    this.#ended = true;
    this.#socket.destroy();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#events.ended();
  }
}

const TOO_LARGE = -1;

/** The receiving side, from behind the ticket on. */
export class ReceivingSocket {
  readonly #socket: Socket;
  /** LIMIT: frameBytesMax */
  readonly #frameBytesMax: number;
  readonly #take: (frame: Uint8Array) => void;
  /** What has come of a frame that is not whole, its length included. */
  #partial: Buffer | null = null;
  #partialLength = 0;

  /** @param ended  called once when the socket is over by itself */
  constructor(
    socket: Socket,
    options: {
      readonly frameBytesMax: number;
      readonly take: (frame: Uint8Array) => void;
      readonly ended: () => void;
    },
  ) {
    this.#socket = socket;
    this.#frameBytesMax = options.frameBytesMax;
    this.#take = options.take;
    endsWith(socket, options.ended);
    socket.write(Uint8Array.of(KNOWN));
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  #received(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#socket.destroyed) {
      at = this.#partial === null ? this.#takeWhole(chunk, at) : this.#complete(chunk, at);
    }
  }

  /** @returns where the next frame begins */
  #takeWhole(chunk: Buffer, at: number): number {
    const left = chunk.length - at;
    const length = left < PREFIX_BYTES ? 0 : this.#lengthAt(chunk, at);
    if (length === TOO_LARGE) return chunk.length;
    if (left >= PREFIX_BYTES && left >= PREFIX_BYTES + length) {
      const end = at + PREFIX_BYTES + length;
      this.#take(chunk.subarray(at + PREFIX_BYTES, end));
      return end;
    }
    this.#partial = Buffer.allocUnsafeSlow(PREFIX_BYTES + length);
    chunk.copy(this.#partial, 0, at);
    this.#partialLength = left;
    return chunk.length;
  }

  /** @returns how far the chunk is used up */
  #complete(chunk: Buffer, at: number): number {
    const partial = this.#partial as Buffer;
    const end = Math.min(chunk.length, at + partial.length - this.#partialLength);
    chunk.copy(partial, this.#partialLength, at, end);
    this.#partialLength += end - at;
    if (this.#partialLength < partial.length) return end;
    const length = this.#lengthAt(partial, 0);
    if (length === TOO_LARGE) return chunk.length;
    if (partial.length === PREFIX_BYTES && length > 0) {
      // Its length was cut in two.
      this.#partial = Buffer.allocUnsafeSlow(PREFIX_BYTES + length);
      partial.copy(this.#partial);
      return end;
    }
    this.#partial = null;
    this.#take(partial.subarray(PREFIX_BYTES));
    return end;
  }

  #lengthAt(bytes: Buffer, at: number): number {
    const length = bytes.readUInt32LE(at);
    if (length <= this.#frameBytesMax) return length;
    this.#socket.destroy();
    return TOO_LARGE;
  }
}

/** Reads the ticket, and nothing behind it. The socket ends when none comes. */
export function readTicket(socket: Socket, take: (ticket: Buffer) => void): void {
  readFirstBytes(socket, { count: TICKET_BYTES, limitMs: TICKET_MS }, (ticket) => {
    if (ticket !== null) take(ticket);
  });
}

const TICKET_MS = 5_000;

function endsWith(socket: Socket, ended: () => void): void {
  socket.on('error', ignore);
  socket.on('end', () => socket.destroy());
  socket.on('close', ended);
}

/** `close` follows. */
function ignore(): void {}
