import type { AcceptConnection, ByteConnection, ListenerIdentity } from './connection.ts';

/** One listener. Defaults are applied by the configuration; nothing is optional here. */
export interface ListenerOptions {
  readonly name: string;
  readonly kind: 'tcp' | 'tls' | 'websocket' | 'websocket-tls';
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly backlog: number;
  /** Several processes may share the port. */
  readonly reusePort: boolean;
  /** Connections at once; one more is accepted and closed at once, and counted. */
  readonly connectionsMax: number;
  /** `off`, or a PROXY protocol header (v1 or v2) is required before anything else. */
  readonly proxyProtocol: 'off' | 'required';
  /** Handshakes (PROXY header, TLS, WebSocket upgrade) not complete by then are dropped. */
  readonly handshakeTimeoutMs: number;
  readonly tls: TlsOptions | null;
  readonly websocket: WebSocketOptions | null;
  /** `raw` uses the bare TCP handle (plain TCP only); `socket` uses net.Socket; `auto` probes at start and falls back. */
  readonly engine: 'auto' | 'raw' | 'socket';
}

export interface TlsOptions {
  readonly certificateFile: string;
  readonly privateKeyFile: string;
  readonly certificateAuthorityFile: string | null;
  readonly clientCertificate: 'none' | 'optional' | 'required';
  readonly minimumVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers: string | null;
}

export interface WebSocketOptions {
  /** Request path, such as `/mqtt`. */
  readonly path: string;
  /** One WebSocket message must not be larger. */
  readonly messageBytesMax: number;
  /** Origins that may connect; null allows every one. */
  readonly allowedOrigins: readonly string[] | null;
}

export interface Listener {
  readonly identity: ListenerIdentity;
  /** What carries the connections: `auto` is decided by now. */
  readonly engine: 'raw' | 'socket';
  /** Why `auto` did not choose the raw engine for plain TCP; null when it did or was not asked. */
  readonly engineFallbackReason: string | null;
  readonly stats: ListenerStats;
  /** Stops accepting; open connections stay. Resolves once the port is free. */
  stop(): Promise<void>;
  /** Reads certificate files again; on a fault the old ones stay in use and the error is thrown. */
  reloadTls(): void;
}

/** Plain counters, read by telemetry. */
export interface ListenerStats {
  accepted: number;
  refusedAtLimit: number;
  /** PROXY headers, TLS and WebSocket handshakes that failed, were refused or came too late. */
  handshakeFailures: number;
  /** The system could not hand over a connection, such as for want of file descriptors. */
  acceptFailures: number;
  /** Open now, handshakes in progress included. */
  open: number;
}

/** Why a listener did not start, in words an operator can act on. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Told of an exception that left a connection's handler (or `AcceptConnection` itself). That
 * connection is already being closed, as `failed`; all others go on.
 */
export type ReportHandlerFault = (connection: ByteConnection, error: unknown) => void;

/**
 * Starts a listener; resolves once it accepts connections.
 *
 * @param reportHandlerFault  without it, a handler's exception is an uncaught exception of the process
 * @throws ListenError nothing is left open
 */
export type Listen = (
  options: ListenerOptions,
  accept: AcceptConnection,
  reportHandlerFault?: ReportHandlerFault,
) => Promise<Listener>;
