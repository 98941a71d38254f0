import { type ClientDuplexStream, status, type StatusObject } from '@grpc/grpc-js';
import type { DuplexCall } from '../duplex-call.ts';
import { receivedError } from '../fault-status.ts';
import type { RpcError } from '../rpc-error.ts';

/** The client's side of a call that streams in both directions. */
export class ClientDuplex<Incoming, Outgoing> implements DuplexCall<Incoming, Outgoing> {
  readonly #call: ClientDuplexStream<Outgoing, Incoming>;
  #onEnd: (error: RpcError | null) => void = () => {};
  #ended = false;

  constructor(call: ClientDuplexStream<Outgoing, Incoming>) {
    this.#call = call;
    // Every end is told by `status`; without this listener Node.js would crash on the other event.
    call.on('error', () => {});
    call.on('status', (received: StatusObject) => {
      this.#end(received.code === status.OK ? null : receivedError(received, null));
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The server has let the call in: its first metadata have come. */
  onAdmitted(listener: () => void): void {
    this.#call.on('metadata', () => {
      if (!this.#ended) listener();
    });
  }

  onMessage(take: (message: Incoming) => void): void {
    this.#call.on('data', (message: Incoming) => {
      if (!this.#ended) take(message);
    });
  }

  onHalfClose(listener: () => void): void {
    this.#call.on('end', () => {
      if (!this.#ended) listener();
    });
  }

  onEnd(listener: (error: RpcError | null) => void): void {
    this.#onEnd = listener;
  }

  onDrain(listener: () => void): void {
    this.#call.on('drain', () => {
      if (!this.#ended) listener();
    });
  }

  write(message: Outgoing): boolean {
    return this.#ended || this.#call.write(message);
  }

  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  finish(): void {
    if (!this.#ended) this.#call.end();
  }

  /** Cancels the call; `onEnd` hears CANCELLED. */
  abort(): void {
    if (!this.#ended) this.#call.cancel();
  }

  #end(error: RpcError | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd(error);
  }
}
