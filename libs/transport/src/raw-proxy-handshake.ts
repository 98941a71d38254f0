import type { CloseCause, ConnectionHandler } from './connection.ts';
import { armDeadline, disarmDeadline, type Expiring } from './deadlines.ts';
import { UNHANDLED } from './listener-context.ts';
import type { ListenerStats } from './listener.ts';
import { ProxyHeaderReader } from './proxy-header-reader.ts';
import type { RawConnection } from './raw-connection.ts';

/** The handler of a raw connection until its PROXY header is complete; then the protocol's takes over. */
export class RawProxyHandshake implements ConnectionHandler, Expiring {
  readonly #connection: RawConnection;
  readonly #stats: ListenerStats;
  readonly #reader: ProxyHeaderReader = new ProxyHeaderReader();

  constructor(connection: RawConnection, stats: ListenerStats, timeoutMs: number) {
    this.#connection = connection;
    this.#stats = stats;
    armDeadline(this, timeoutMs);
  }

  received(buffer: Buffer, start: number, end: number): void {
    const step = this.#reader.push(buffer, start, end);
    if (step.kind === 'incomplete') return;
    if (step.kind === 'malformed') {
      this.#connection.destroy();
      return;
    }
    disarmDeadline(this);
    if (step.source !== null) this.#connection.replacePeer(step.source);
    this.#connection.handler = UNHANDLED;
    this.#connection.handOver();
    if (step.next < end) this.#connection.deliverRest(buffer, step.next, end);
  }

  drained(): void {}

  closed(_cause: CloseCause): void {
    disarmDeadline(this);
    this.#stats.handshakeFailures += 1;
  }

  deadlinePassed(): void {
    this.#connection.destroy();
  }
}
