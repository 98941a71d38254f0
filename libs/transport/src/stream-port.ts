import type { CloseCause } from './connection.ts';

/**
 * What {@link StreamConnection} needs of a carrier that is not the bare handle: a socket of Node, or
 * a WebSocket on one.
 */
export interface StreamPort {
  /**
   * `keeps`: bytes given to `send` may be referred to until `done`, even when `bufferedBytes` is
   * zero right after; `takes`: zero then means that the kernel has them all.
   */
  readonly custody: 'keeps' | 'takes';
  attach(events: StreamPortEvents): void;
  /** Calls `done` later, once, in the order of sends. Not at all when the carrier fails before. */
  send(bytes: Uint8Array, done: () => void): void;
  /** Bytes given to `send` that have not left. */
  bufferedBytes(): number;
  pause(): void;
  resume(): void;
  /** Ends our direction in order; the carrier closes once the peer has done the same. */
  end(): void;
  destroy(): void;
}

/** A port calls these asynchronously, never from within its own methods. */
export interface StreamPortEvents {
  received(chunk: Buffer): void;
  /** The carrier is closed, for the reason given; called once, last. */
  closed(cause: CloseCause): void;
}
