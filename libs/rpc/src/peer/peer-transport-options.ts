import type { RandomSource, Timers } from '@robustmq/environment';
import type { NodeId } from '@robustmq/raft';
import type { BackoffOptions } from '../backoff.ts';
import type { RpcError } from '../rpc-error.ts';
import type { ChannelTls } from '../tls.ts';

/** What a peer transport is opened with. */
export interface PeerTransportOptions {
  /** Nodes of another cluster are refused. */
  readonly cluster: string;
  readonly self: NodeId;
  readonly tls: ChannelTls | null;
  /** The cluster token; null: none is sent. */
  readonly token: string | null;
  readonly limits: PeerTransportLimits;
  readonly observer: PeerObserver;
  readonly random: RandomSource;
  readonly timers: Timers;
}

/** Bounds for each of the other nodes. */
export interface PeerTransportLimits {
  /** LIMIT: unsentBytesMax. Further frames for that node are dropped and counted. */
  readonly unsentBytesMax: number;
  /**
   * As the server of the other node has it: a larger frame is dropped and counted. Twice what a
   * proposal may have, or its entry never arrives.
   */
  readonly messageBytesMax: number;
  /** From the first attempt until the other node has let the stream in. */
  readonly connectMs: number;
  /** How often a silent connection is tried, and how long an answer may take. */
  readonly keepAliveMs: number;
  readonly keepAliveTimeoutMs: number;
  /** Between attempts. */
  readonly reconnect: BackoffOptions;
}

/** For every cluster that has no reason to differ: a cut cable is noticed within three seconds. */
export const defaultPeerLimits: PeerTransportLimits = {
  unsentBytesMax: 64 * 1024 * 1024,
  messageBytesMax: 4 * 1024 * 1024,
  connectMs: 2_000,
  keepAliveMs: 1_000,
  keepAliveTimeoutMs: 2_000,
  reconnect: { firstMs: 50, longestMs: 1_000 },
};

/** Told of the connections; for metrics and logs. Must not throw. */
export interface PeerObserver {
  /** The other node takes our frames. */
  connected(node: NodeId): void;
  /** It does not any more, or an attempt failed; null: it ended the stream in order. */
  lost(node: NodeId, error: RpcError | null): void;
}

/** Since the transport was opened. */
export interface PeerTransportCounters {
  readonly framesSent: number;
  readonly framesReceived: number;
  /** Not sent: nobody to send to, too much waiting, or too large. */
  readonly framesDropped: number;
}

/** What one link knows of its place, and whom it tells. */
export interface PeerLinkFacts {
  readonly node: NodeId;
  /** As `host:port`. */
  readonly address: string;
  sent(count: number): void;
  dropped(count: number): void;
  connected(): void;
  lost(error: RpcError | null): void;
}
