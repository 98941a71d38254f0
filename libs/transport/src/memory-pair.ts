/**
 * Two {@link ByteConnection} ends joined in memory, for tests and simulation.
 *
 * Nothing happens by itself: each chunk, drain and close is one step in a queue, and `step` performs
 * the oldest that may go. The same calls give the same history. Bytes are copied when they are
 * written, delivered in order, and wait while the receiver is paused.
 */
import type {
  ByteConnection,
  CloseCause,
  ConnectionHandler,
  ListenerIdentity,
} from './connection.ts';
import { nextConnectionId, UNHANDLED } from './listener-context.ts';

export interface MemoryPairOptions {
  /** A write is `pending` while more than this many bytes of its direction are undelivered. */
  readonly bufferBytes: number;
  /** Chunks are delivered in pieces of at most this many bytes. */
  readonly deliveryBytesMax: number;
}

export interface MemoryPair {
  readonly client: ByteConnection;
  readonly server: ByteConnection;
  /** Performs one step; false when none can go (all done, or the receivers are paused). */
  step(): boolean;
  /** Steps until none can go. @returns how many there were */
  settle(): number;
}

const DEFAULTS: MemoryPairOptions = { bufferBytes: 65_536, deliveryBytesMax: 65_536 };

export function connectMemoryPair(options: MemoryPairOptions = DEFAULTS): MemoryPair {
  const client = new MemoryConnection(options, 50_000);
  const server = new MemoryConnection(options, 1883);
  client.join(server);
  server.join(client);
  let turn = 0;
  const step = (): boolean => {
    const ends = turn % 2 === 0 ? [client, server] : [server, client];
    turn += 1;
    return ends.some((end) => end.step());
  };
  return {
    client,
    server,
    step,
    settle: (): number => {
      let steps = 0;
      while (step()) steps += 1;
      return steps;
    },
  };
}

class MemoryConnection implements ByteConnection {
  handler: ConnectionHandler = UNHANDLED;
  readonly id: number = nextConnectionId();
  readonly listener: ListenerIdentity;
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort: number;
  readonly clientCertificate = null;
  readonly #options: MemoryPairOptions;
  #peer: MemoryConnection | null = null;
  /** Written by the peer, not yet received here. */
  #inbox: Buffer = Buffer.alloc(0);
  #peerEnded = false;
  #paused = false;
  #pending: Uint8Array | null = null;
  #phase: 'open' | 'ending' | 'ended' | 'closing' | 'closed' = 'open';
  #cause: CloseCause = { kind: 'destroyed' };

  constructor(options: MemoryPairOptions, remotePort: number) {
    this.#options = options;
    this.remotePort = remotePort;
    this.listener = {
      name: 'memory',
      kind: 'tcp',
      address: '127.0.0.1',
      port: 1883,
      loopback: true,
    };
  }

  join(peer: MemoryConnection): void {
    this.#peer = peer;
  }

  write(bytes: Uint8Array, byteLength: number): 'written' | 'pending' | 'closed' {
    if (this.#phase !== 'open' || this.#peer === null) return 'closed';
    if (this.#pending !== null) throw new Error('a write is still pending on this connection');
    const peer = this.#peer;
    if (peer.#phase === 'open') {
      peer.#inbox = Buffer.concat([peer.#inbox, bytes.subarray(0, byteLength)]);
    }
    if (peer.#inbox.length <= this.#options.bufferBytes) return 'written';
    this.#pending = bytes;
    return 'pending';
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  /** The deadline is not kept: memory has no time. An end waits for the peer's; or `destroy`. */
  end(_deadlineMs: number): void {
    if (this.#phase === 'open') this.#phase = 'ending';
  }

  destroy(): void {
    this.#close({ kind: 'destroyed' });
  }

  /** One step of this end: finish closing, drain, say the end, receive, or hear the end. */
  step(): boolean {
    if (this.#phase === 'closed') return false;
    if (this.#phase === 'closing') return this.#finish();
    if (this.#pending !== null && this.#undelivered() <= this.#options.bufferBytes) {
      return this.#drain(this.#pending);
    }
    if (this.#phase === 'ending' && this.#pending === null) {
      this.#phase = 'ended';
      if (this.#peer !== null) this.#peer.#peerEnded = true;
      return true;
    }
    return this.#receive();
  }

  #undelivered(): number {
    return this.#peer === null ? 0 : this.#peer.#inbox.length;
  }

  #drain(bytes: Uint8Array): boolean {
    this.#pending = null;
    this.handler.drained(bytes);
    return true;
  }

  #receive(): boolean {
    const waits = this.#paused && this.#phase === 'open';
    if (waits) return false;
    if (this.#inbox.length > 0) {
      const count = Math.min(this.#inbox.length, this.#options.deliveryBytesMax);
      const chunk = Buffer.from(this.#inbox.subarray(0, count));
      this.#inbox = this.#inbox.subarray(count);
      if (this.#phase === 'open') this.handler.received(chunk, 0, count);
      return true;
    }
    if (!this.#peerEnded) return false;
    this.#close({ kind: this.#phase === 'open' ? 'ended' : 'destroyed' });
    return true;
  }

  #close(cause: CloseCause): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return;
    this.#phase = 'closing';
    this.#cause = cause;
    this.#inbox = Buffer.alloc(0);
    if (this.#peer !== null) this.#peer.#peerEnded = true;
  }

  #finish(): boolean {
    this.#phase = 'closed';
    this.#pending = null;
    this.handler.closed(this.#cause);
    return true;
  }
}
