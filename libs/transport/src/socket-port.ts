import type { Socket } from 'node:net';
import type { CloseCause } from './connection.ts';
import type { StreamPort, StreamPortEvents } from './stream-port.ts';

/** A `net.Socket` or a `tls.TLSSocket` as a carrier. */
export class SocketPort implements StreamPort {
  readonly custody: 'keeps' | 'takes';
  readonly #socket: Socket;
  #cause: CloseCause = { kind: 'failed', reason: 'the socket closed without the peer ending it' };

  /** @param layer  TLS encrypts from the buffer it is given and reports completion later */
  constructor(socket: Socket, layer: 'plain' | 'tls') {
    this.#socket = socket;
    this.custody = layer === 'plain' ? 'takes' : 'keeps';
  }

  attach(events: StreamPortEvents): void {
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => {
      events.received(chunk);
    });
    socket.pause(); // `data` starts the flow; the connection decides when
    socket.on('end', () => {
      this.#cause = { kind: 'ended' };
      socket.destroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#cause = { kind: 'failed', reason: error.message };
      socket.destroy(); // A refused renegotiation is an error that leaves the socket open.
    });
    socket.on('close', () => {
      events.closed(this.#cause);
    });
  }

  send(bytes: Uint8Array, done: () => void): void {
    this.#socket.write(bytes, (error) => {
      if (error === null || error === undefined) done();
    });
  }

  bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
