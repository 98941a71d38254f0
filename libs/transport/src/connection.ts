/**
 * What a listener hands to a protocol: one byte stream, whatever carries it.
 *
 * The protocol sets `handler` synchronously inside `AcceptConnection`. All calls happen on the
 * event loop's thread and are never re-entrant.
 *
 * Cost: an idle plain TCP connection must stay below 2 KB of process memory, this object included.
 */
export interface ByteConnection {
  handler: ConnectionHandler;
  /** Unique in this process, counted from 1. */
  readonly id: number;
  readonly listener: ListenerIdentity;
  /**
   * The peer as the PROXY protocol tells it, when the listener uses it; else the socket's. An IPv4
   * address on an IPv6 socket is written as IPv4. Empty when it was first asked for after the end.
   */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Common name and subject alternative names of a verified client certificate; null without one. */
  readonly clientCertificate: ClientCertificate | null;

  /**
   * Sends `bytes[0, byteLength)`.
   *
   * @returns `written` when the bytes were taken: the caller may reuse the buffer at once;
   *   `pending` when they were not: the transport owns the buffer until `handler.drained(bytes)`,
   *   and no other write may be made until then; `closed` when the connection is gone (the caller
   *   keeps the buffer; `handler.closed` was or will be called).
   */
  write(bytes: Uint8Array, byteLength: number): 'written' | 'pending' | 'closed';
  /**
   * Stops reading: bytes stay in the kernel and the peer feels it. Idempotent. Bytes already read
   * may still be delivered, at most one read (64 KB) or one WebSocket message. The end of a paused
   * stream is noticed only after `resume` or at the next write.
   */
  pause(): void;
  resume(): void;
  /**
   * Sends what is pending and the end of the stream, then waits for the peer's, and closes. At most
   * `deadlineMs` (in steps of 100 ms) later the socket is destroyed. Nothing is received any more.
   */
  end(deadlineMs: number): void;
  /** Closes now; pending bytes are lost. `handler.closed` is still called, once, later. */
  destroy(): void;
}

export interface ConnectionHandler {
  /**
   * Bytes arrived: `buffer[start, end)`. The buffer belongs to the transport and is reused as soon
   * as this returns: copy what must stay.
   */
  received(buffer: Buffer, start: number, end: number): void;
  /** The write that returned `pending` is finished; `bytes` is the caller's again. */
  drained(bytes: Uint8Array): void;
  /**
   * The stream is over, for whatever reason. Called exactly once; nothing is called afterwards. A
   * buffer that was `pending` is the caller's again.
   */
  closed(cause: CloseCause): void;
}

/**
 * `ended`: the peer closed in order; `destroyed`: we closed, by `end` or `destroy`; `failed`: reset,
 * TLS or framing fault, exception in the handler.
 */
export type CloseCause =
  | { readonly kind: 'ended' }
  | { readonly kind: 'destroyed' }
  | { readonly kind: 'failed'; readonly reason: string };

export interface ClientCertificate {
  /** Null when the subject has none, or several. */
  readonly commonName: string | null;
  /** With their type, such as `DNS:device-1`, `URI:urn:device:1` or `IP Address:10.0.0.1`. */
  readonly subjectAltNames: readonly string[];
  /** SHA-256 of the certificate, upper-case hexadecimal pairs joined by colons. */
  readonly fingerprint256: string;
}

export interface ListenerIdentity {
  readonly name: string;
  readonly kind: 'tcp' | 'tls' | 'websocket' | 'websocket-tls';
  readonly address: string;
  /** The port that is really bound (after port 0). */
  readonly port: number;
  /** True when every address it is bound to is a loopback address. */
  readonly loopback: boolean;
}

/** Called for each connection once it is usable (TLS and WebSocket handshakes and PROXY header done). Must set `handler`. */
export type AcceptConnection = (connection: ByteConnection) => void;
