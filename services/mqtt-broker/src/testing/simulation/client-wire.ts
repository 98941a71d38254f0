import type { ByteConnection, ConnectionHandler, ListenerIdentity } from '@robustmq/transport';
import type { ProcessLife } from './process-life.ts';
import type { SimulatedTime } from './simulated-time.ts';

const LISTENER: ListenerIdentity = {
  ...{ name: 'simulated', kind: 'tcp', address: '127.0.0.1', port: 1883, loopback: true },
};

/** What the client's end of a connection hears. */
export interface WireEnd {
  bytes(bytes: Buffer): void;
  closed(): void;
}

/** A connection between a client and one life of a broker: ordered, late, and lost with either. */
export class ClientWire implements ByteConnection {
  handler: ConnectionHandler;
  readonly id = 0;
  readonly listener: ListenerIdentity = LISTENER;
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 1;
  readonly clientCertificate = null;
  readonly #life: ProcessLife;
  readonly #time: SimulatedTime;
  readonly #delayMs: () => number;
  readonly #end: WireEnd;
  #toBrokerAtMs = 0;
  #toClientAtMs = 0;
  #brokerClosed = false;
  #clientClosed = false;
  #paused = false;
  #unread: (() => void)[] = [];

  constructor(
    accept: (wire: ClientWire) => ConnectionHandler,
    parts: {
      readonly life: ProcessLife;
      readonly time: SimulatedTime;
      readonly delayMs: () => number;
      readonly end: WireEnd;
    },
  ) {
    this.#life = parts.life;
    this.#time = parts.time;
    this.#delayMs = parts.delayMs;
    this.#end = parts.end;
    this.handler = accept(this);
  }

  /** By the client. */
  send(bytes: Uint8Array): void {
    if (this.#clientClosed) return;
    const copy = Buffer.from(bytes);
    this.#towardsBroker(() => this.handler.received(copy, 0, copy.length));
  }

  /** The client's process or its network is gone. `silent`: the broker hears nothing of it. */
  drop(how: 'reset' | 'silent'): void {
    if (this.#clientClosed) return;
    this.#clientClosed = true;
    if (how === 'silent') return;
    this.#towardsBroker(() => this.#closeBroker({ kind: 'failed', reason: 'reset' }));
  }

  write(bytes: Uint8Array, byteLength: number): 'written' | 'closed' {
    if (this.#brokerClosed) return 'closed';
    const copy = Buffer.from(bytes.subarray(0, byteLength));
    this.#towardsClient(() => this.#end.bytes(copy));
    return 'written';
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#life.timers.soon(() => this.#readOn());
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#brokerClosed) return;
    this.#towardsClient(() => this.#closeClient());
    this.#brokerClosed = true;
    this.#life.timers.soon(() => this.handler.closed({ kind: 'destroyed' }));
  }

  /** The broker's process is gone. */
  brokerDied(): void {
    this.#brokerClosed = true;
    this.#towardsClient(() => this.#closeClient());
  }

  #closeClient(): void {
    this.#clientClosed = true;
    this.#end.closed();
  }

  #closeBroker(cause: { readonly kind: 'failed'; readonly reason: string }): void {
    if (this.#brokerClosed) return;
    this.#brokerClosed = true;
    this.handler.closed(cause);
  }

  #towardsBroker(action: () => void): void {
    this.#toBrokerAtMs = Math.max(this.#toBrokerAtMs, this.#time.nowMs + this.#delayMs());
    this.#time.after(this.#toBrokerAtMs - this.#time.nowMs, () =>
      this.#life.run(() => {
        this.#unread.push(action);
        this.#readOn();
      }),
    );
  }

  #readOn(): void {
    while (!this.#paused && !this.#brokerClosed) {
      const action = this.#unread.shift();
      if (action === undefined) return;
      action();
    }
  }

  #towardsClient(action: () => void): void {
    this.#toClientAtMs = Math.max(this.#toClientAtMs, this.#time.nowMs + this.#delayMs());
    this.#time.after(this.#toClientAtMs - this.#time.nowMs, () => {
      if (!this.#clientClosed) action();
    });
  }
}
