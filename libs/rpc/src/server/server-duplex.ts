import { Metadata, type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { Codec } from '../contract/method.ts';
import type { DuplexCall } from '../duplex-call.ts';
import type { SentStatus } from '../fault-status.ts';
import { RpcError } from '../rpc-error.ts';
import { MalformedMessageError } from '../wire/protobuf-reader.ts';

/** The server's side of a call that streams in both directions. */
export class ServerDuplex implements DuplexCall<unknown, unknown> {
  readonly #call: ServerDuplexStream<unknown, unknown>;
  readonly #tell: (error: unknown) => SentStatus;
  readonly #reply: Codec<unknown>;
  #onEnd: (error: RpcError | null) => void = () => {};
  #ended = false;

  /** @param tell  what a client may know of an error */
  constructor(
    call: ServerDuplexStream<unknown, unknown>,
    reply: Codec<unknown>,
    tell: (error: unknown) => SentStatus,
  ) {
    this.#call = call;
    this.#reply = reply;
    this.#tell = tell;
    call.on('cancelled', () => this.#end(cancelled()));
    call.on('error', (error: SentStatus) => this.#end(asError(error)));
  }

  /** Tells the client that it was let in, before there is a message for it. */
  admit(): void {
    if (!this.#ended) this.#call.sendMetadata(new Metadata());
  }

  get ended(): boolean {
    return this.#ended;
  }

  onMessage(take: (message: unknown) => void): void {
    this.#call.on('data', (message: unknown) => {
      if (this.#ended) return;
      if (message instanceof MalformedMessageError) this.abort(message);
      else take(message);
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

  write(message: unknown): boolean {
    if (this.#ended) return true;
    const parts = this.#reply.parts?.(message);
    if (parts === undefined) return this.#call.write(message);
    return parts.map((part) => this.#call.write(part)).at(-1) ?? true;
  }

  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  finish(): void {
    if (this.#ended) return;
    this.#call.end();
    this.#end(null);
  }

  abort(error: unknown): void {
    if (!this.#ended) this.#call.emit('error', this.#tell(error));
  }

  #end(error: RpcError | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd(error);
  }
}

function cancelled(): RpcError {
  const detail = 'the client has gone away';
  return new RpcError({ status: status.CANCELLED, detail, fault: null, sent: 'perhaps' });
}

function asError({ code, details }: SentStatus): RpcError {
  return new RpcError({ status: code, detail: details, fault: null, sent: 'perhaps' });
}
