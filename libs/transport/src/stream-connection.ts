/**
 * A connection over a carrier of Node's own: TLS, WebSocket, and plain TCP without the raw engine.
 *
 * Node's streams refer to a written buffer until their callback, while the contract lets the caller
 * reuse a buffer after `written`. So a write is `written` in two cases: the kernel took everything at
 * once, or it is small and was copied, while copies that have not left stay under a limit. All else is
 * `pending` until the carrier's callback.
 *
 * Cost: this object, its port, a few bound functions, and what Node keeps (about 5 KB for TCP, 11 KB
 * for a WebSocket, 45 to 55 KB for TLS).
 */
import type {
  ByteConnection,
  ClientCertificate,
  CloseCause,
  ConnectionHandler,
  ListenerIdentity,
} from './connection.ts';
import { armDeadline, disarmDeadline } from './deadlines.ts';
import {
  HANDLER_FAULT_REASON,
  type ListenerContext,
  nextConnectionId,
  UNHANDLED,
} from './listener-context.ts';
import type { PeerAddress } from './peer-address.ts';
import type { StreamPort, StreamPortEvents } from './stream-port.ts';

/** Writes below this are copied, where the carrier keeps what it is given. */
const COPY_BYTES_MAX = 16_384;
/** LIMIT: copies that have not left, per connection; beyond it a write is `pending`. */
const COPIED_BACKLOG_BYTES_MAX = 65_536;

export interface StreamPeer {
  readonly address: PeerAddress;
  readonly certificate: ClientCertificate | null;
}

export class StreamConnection implements ByteConnection, StreamPortEvents {
  handler: ConnectionHandler = UNHANDLED;
  readonly id: number = nextConnectionId();
  readonly #port: StreamPort;
  readonly #context: ListenerContext;
  readonly #peer: StreamPeer;
  #phase: 'open' | 'ending' | 'lingering' | 'closing' | 'closed' = 'open';
  #paused = false;
  #pending: Uint8Array | null = null;
  #sendsStarted = 0;
  #sendsDone = 0;
  /** What `closed` will say; null leaves it to the carrier. */
  #cause: CloseCause | null = null;
  readonly #didSend: () => void = () => {
    this.#sendsDone += 1;
    if (this.#sendsDone === this.#sendsStarted) this.#allSent();
  };

  constructor(port: StreamPort, context: ListenerContext, peer: StreamPeer) {
    this.#port = port;
    this.#context = context;
    this.#peer = peer;
  }

  get listener(): ListenerIdentity {
    return this.#context.identity;
  }

  get remoteAddress(): string {
    return this.#peer.address.address;
  }

  get remotePort(): number {
    return this.#peer.address.port;
  }

  get clientCertificate(): ClientCertificate | null {
    return this.#peer.certificate;
  }

  /** Hands the connection to the protocol, then lets bytes flow. */
  start(): void {
    this.#port.attach(this);
    try {
      this.#context.handOver(this);
    } catch (error) {
      this.#handlerFault(error);
    }
    if (this.#phase === 'open' && !this.#paused) this.#port.resume();
  }

  write(bytes: Uint8Array, byteLength: number): 'written' | 'pending' | 'closed' {
    if (this.#phase !== 'open') return 'closed';
    if (this.#pending !== null) throw new Error('a write is still pending on this connection');
    if (byteLength === 0) return 'written';
    const copies = this.#port.custody === 'keeps' && byteLength < COPY_BYTES_MAX;
    const view = byteLength === bytes.length ? bytes : bytes.subarray(0, byteLength);
    this.#sendsStarted += 1;
    this.#port.send(copies ? Buffer.from(view) : view, this.#didSend);
    const bufferedBytes = this.#port.bufferedBytes();
    if (copies && bufferedBytes < COPIED_BACKLOG_BYTES_MAX) return 'written';
    if (!copies && this.#port.custody === 'takes' && bufferedBytes === 0) return 'written';
    this.#pending = bytes;
    return 'pending';
  }

  pause(): void {
    if (this.#paused || this.#phase !== 'open') return;
    this.#paused = true;
    this.#port.pause();
  }

  resume(): void {
    if (!this.#paused || this.#phase !== 'open') return;
    this.#paused = false;
    this.#port.resume();
  }

  end(deadlineMs: number): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'ending';
    armDeadline(this, deadlineMs);
    if (this.#paused) this.#port.resume();
    if (this.#pending === null) this.#finishSending();
  }

  destroy(): void {
    this.#close({ kind: 'destroyed' });
  }

  /** The sweep's call: `end` took too long. */
  deadlinePassed(): void {
    this.destroy();
  }

  received(chunk: Buffer): void {
    if (this.#phase !== 'open') return;
    try {
      this.handler.received(chunk, 0, chunk.length);
    } catch (error) {
      this.#handlerFault(error);
    }
  }

  closed(cause: CloseCause): void {
    if (this.#phase === 'closed') return;
    const ownDoing = this.#phase === 'ending' || this.#phase === 'lingering';
    disarmDeadline(this);
    this.#phase = 'closed';
    this.#pending = null;
    try {
      this.handler.closed(this.#cause ?? (ownDoing ? { kind: 'destroyed' } : cause));
    } catch (error) {
      this.#context.handlerFault(this, error);
    }
  }

  #allSent(): void {
    const bytes = this.#pending;
    if (bytes === null || this.#phase === 'closing' || this.#phase === 'closed') return;
    this.#pending = null;
    try {
      this.handler.drained(bytes);
    } catch (error) {
      this.#handlerFault(error);
    }
    if (this.#phase === 'ending') this.#finishSending();
  }

  #finishSending(): void {
    if (this.#phase !== 'ending') return;
    this.#phase = 'lingering';
    this.#port.end();
  }

  #handlerFault(error: unknown): void {
    this.#close({ kind: 'failed', reason: HANDLER_FAULT_REASON });
    this.#context.handlerFault(this, error);
  }

  #close(cause: CloseCause): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return;
    this.#phase = 'closing';
    this.#cause = cause;
    this.#port.destroy();
  }
}
