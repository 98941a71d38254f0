import type {
  AcceptConnection,
  ByteConnection,
  ConnectionHandler,
  ListenerIdentity,
} from './connection.ts';
import type { ListenerStats, ReportHandlerFault } from './listener.ts';

/**
 * What all connections of one listener share: each connection holds one reference to it.
 *
 * Invariant: `stats.open` counts exactly the sockets admitted by `admit` and not yet `released`.
 */
export class ListenerContext {
  readonly identity: ListenerIdentity;
  readonly stats: ListenerStats;
  readonly #connectionsMax: number;
  readonly #accept: AcceptConnection;
  readonly #reportHandlerFault: ReportHandlerFault | null;

  constructor(
    identity: ListenerIdentity,
    connectionsMax: number,
    calls: {
      readonly accept: AcceptConnection;
      readonly reportHandlerFault: ReportHandlerFault | null;
    },
  ) {
    this.identity = identity;
    this.#connectionsMax = connectionsMax;
    this.#accept = calls.accept;
    this.#reportHandlerFault = calls.reportHandlerFault;
    this.stats = {
      accepted: 0,
      refusedAtLimit: 0,
      handshakeFailures: 0,
      acceptFailures: 0,
      open: 0,
    };
  }

  /** @returns `refuse` at the limit: the caller closes the socket and does not `release` it */
  admit(): 'admit' | 'refuse' {
    if (this.stats.open >= this.#connectionsMax) {
      this.stats.refusedAtLimit += 1;
      return 'refuse';
    }
    this.stats.accepted += 1;
    this.stats.open += 1;
    return 'admit';
  }

  release(): void {
    this.stats.open -= 1;
  }

  /** Hands a usable connection to the protocol. Throws what the protocol throws. */
  handOver(connection: ByteConnection): void {
    this.#accept(connection);
    if (connection.handler === UNHANDLED) {
      throw new Error(`no handler was set for a connection of listener ${this.identity.name}`);
    }
  }

  /** Reports an exception of protocol code; the caller closes the connection. */
  handlerFault(connection: ByteConnection, error: unknown): void {
    if (this.#reportHandlerFault !== null) {
      this.#reportHandlerFault(connection, error);
      return;
    }
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Stands in until the protocol sets its own handler. */
export const UNHANDLED: ConnectionHandler = {
  received(): void {},
  drained(): void {},
  closed(): void {},
};

/** The reason given to `closed` after an exception in a handler. */
export const HANDLER_FAULT_REASON = 'the connection handler threw an exception';

let lastConnectionId = 0;

/** Unique in this process, counted from 1. */
export function nextConnectionId(): number {
  lastConnectionId += 1;
  return lastConnectionId;
}
