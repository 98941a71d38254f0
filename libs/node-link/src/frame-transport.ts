/** Where another broker is, and which life of it. */
export interface PeerAddress {
  /** `host:port` */
  readonly address: string;
  readonly incarnation: number;
}

/** Told by a transport; set before `setPeers`. Nothing of it may throw. */
export interface FrameEvents {
  /** In the order in which they were sent over one connection. The bytes belong to the receiver. */
  frame(from: number, bytes: Uint8Array): void;
  /** Frames may be sent to it. */
  up(peer: number): void;
  /** What was sent and not received is lost; it is connected to again. */
  down(peer: number): void;
  /** More may be sent after `blocked`. */
  drained(peer: number): void;
}

/**
 * `taken`: under way. `blocked`: taken, and the last one until `drained`: the peer is behind.
 * `down`: not taken.
 */
export type SendOutcome = 'taken' | 'blocked' | 'down';

/** Ordered frames between brokers. */
export interface FrameTransport {
  listen(events: FrameEvents): void;
  /** Connects to those that are new or in a new life, and leaves those that are not here. */
  setPeers(peers: ReadonlyMap<number, PeerAddress>): void;
  send(to: number, frame: Uint8Array): SendOutcome;
  /** No frames of anybody are told until `resume`: the senders are slowed down. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}
