/** A call that streams in both directions, as either side sees it. */
import type { RpcError } from './rpc-error.ts';

/**
 * Listeners are set once each, before the turn ends in which the call was given. Nothing throws;
 * after the call has ended everything but `ended` has no effect.
 */
export interface DuplexCall<Incoming, Outgoing> {
  /** Called for each message, in order, while not paused. */
  onMessage(take: (message: Incoming) => void): void;
  /** The other side has nothing more to say; it may still listen. */
  onHalfClose(listener: () => void): void;
  /** Called once at the end; null: it ended well. */
  onEnd(listener: (error: RpcError | null) => void): void;
  /** Called when more can be written after `write` returned false. */
  onDrain(listener: () => void): void;
  /** @returns false when the other side is behind: write no more until `onDrain` */
  write(message: Outgoing): boolean;
  /** Stops messages from coming, so that the other side is slowed down. */
  pause(): void;
  resume(): void;
  /** Nothing more is written. A server ends the call with it, with status OK. */
  finish(): void;
  /** Ends the call now: a server tells `error`, a client cancels. */
  abort(error: unknown): void;
  readonly ended: boolean;
}
