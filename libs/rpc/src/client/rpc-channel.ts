/** A connection to one address, made when it is needed and made again when it is lost. */
import {
  type ChannelOptions as GrpcChannelOptions,
  Client,
  connectivityState,
  Metadata,
  status,
} from '@grpc/grpc-js';
import { systemClock } from '@robustmq/environment';
import type { CallOptions } from '@robustmq/placement';
import { addToken } from '../cluster-token.ts';
import type {
  AnyMethod,
  DuplexMethod,
  ServerStreamMethod,
  ServiceContract,
  UnaryMethod,
} from '../contract/method.ts';
import { RpcError } from '../rpc-error.ts';
import { channelCredentials, type ChannelTls } from '../tls.ts';
import type { ClientDuplex } from './client-duplex.ts';
import { callDuplex, callServerStream, callUnary } from './outgoing-call.ts';

/** What a channel is opened with. */
export interface RpcChannelOptions {
  /** As `host:port`. */
  readonly address: string;
  readonly tls: ChannelTls | null;
  /** The cluster token; null: none is sent. */
  readonly token: string | null;
  readonly limits: RpcChannelLimits;
}

/** Bounds of one channel. */
export interface RpcChannelLimits {
  /** LIMIT: messageBytesMax. A larger request is refused before it is sent. */
  readonly messageBytesMax: number;
  /** How often a silent connection is tried, and how long an answer may take. */
  readonly keepAliveMs: number;
  readonly keepAliveTimeoutMs: number;
  /** Between attempts to connect: doubles from the first to the longest. */
  readonly reconnectFirstMs: number;
  readonly reconnectLongestMs: number;
}

/** For every channel that has no reason to differ: a cut cable is noticed within three seconds. */
export const defaultChannelLimits: RpcChannelLimits = {
  messageBytesMax: 4 * 1024 * 1024,
  keepAliveMs: 1_000,
  keepAliveTimeoutMs: 2_000,
  reconnectFirstMs: 50,
  reconnectLongestMs: 2_000,
};

/** What a stream may be given. */
export interface StreamOptions {
  /** Cancels the call; null: nothing does. */
  readonly signal: AbortSignal | null;
  /** Sent beside the token. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** How a client calls one method. All throw `RpcError`; a stream throws from its iteration. */
export type MethodCall<Method> =
  Method extends UnaryMethod<infer Request, infer Reply>
    ? (request: Request, options: CallOptions) => Promise<Reply>
    : Method extends ServerStreamMethod<infer Request, infer Reply>
      ? (request: Request, options: StreamOptions) => AsyncIterable<Reply>
      : Method extends DuplexMethod<infer Request, infer Reply>
        ? (options: StreamOptions) => ClientDuplex<Reply, Request>
        : never;

/** One function for each method. */
export type ServiceClient<Methods> = {
  readonly [Name in keyof Methods]: MethodCall<Methods[Name]>;
};

/** The calls of a channel share one connection. */
export interface RpcChannel {
  readonly address: string;
  clientOf<Methods extends object>(contract: ServiceContract<Methods>): ServiceClient<Methods>;
  /** @throws RpcError UNAVAILABLE, not sent, when no connection stands by then */
  connect(options: CallOptions): Promise<void>;
  /** Ends the connection and the calls on it. Idempotent. */
  close(): void;
}

/** Connects when the first call is made. @throws RpcSetupError RPC_TLS_INVALID */
export function openChannel(options: RpcChannelOptions): RpcChannel {
  const credentials = channelCredentials(options.tls);
  const client = new Client(options.address, credentials, grpcOptions(options));
  const connection = new Connection(client, options);
  return {
    address: options.address,
    clientOf: (contract) => clientOf(connection, contract),
    connect: (call) => connection.ready(call),
    close: () => client.close(),
  };
}

function grpcOptions({ limits, tls }: RpcChannelOptions): GrpcChannelOptions {
  const options: GrpcChannelOptions = {
    'grpc.max_receive_message_length': limits.messageBytesMax,
    'grpc.max_send_message_length': limits.messageBytesMax,
    'grpc.keepalive_time_ms': limits.keepAliveMs,
    'grpc.keepalive_timeout_ms': limits.keepAliveTimeoutMs,
    'grpc.initial_reconnect_backoff_ms': limits.reconnectFirstMs,
    'grpc.max_reconnect_backoff_ms': limits.reconnectLongestMs,
    // One channel, one connection, with its own end.
    'grpc.use_local_subchannel_pool': 1,
    // Whoever calls decides whether a call may be repeated.
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_channelz': 0,
    // Four times the default: ranges and backups come from far away, too.
    'grpc-node.flow_control_window': 256 * 1024,
  };
  if (tls === null || tls.serverName === null) return options;
  return {
    ...options,
    'grpc.ssl_target_name_override': tls.serverName,
    'grpc.default_authority': tls.serverName,
  };
}

/** One grpc-js client, and what every call on it needs. */
export class Connection {
  readonly client: Client;
  readonly messageBytesMax: number;
  readonly #token: string | null;

  constructor(client: Client, options: RpcChannelOptions) {
    this.client = client;
    this.messageBytesMax = options.limits.messageBytesMax;
    this.#token = options.token;
  }

  metadata(extra: Readonly<Record<string, string>>): Metadata {
    const metadata = new Metadata();
    for (const [key, value] of Object.entries(extra)) metadata.set(key, value);
    addToken(metadata, this.#token);
    return metadata;
  }

  /** Waits for the connection, so that a call that fails here was surely not sent. */
  async ready({ deadlineMs, signal }: CallOptions): Promise<void> {
    const channel = this.client.getChannel();
    const untilMs = systemClock.nowMs() + deadlineMs;
    for (;;) {
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.READY) return;
      if (signal?.aborted === true) throw notSent(status.CANCELLED, 'the caller gave up');
      if (state === connectivityState.SHUTDOWN) {
        throw notSent(status.UNAVAILABLE, 'the channel is closed');
      }
      if (state === connectivityState.TRANSIENT_FAILURE) {
        throw notSent(status.UNAVAILABLE, `no connection to ${channel.getTarget()}`);
      }
      await stateChange(this.client, state, untilMs);
    }
  }
}

async function stateChange(
  client: Client,
  from: connectivityState,
  untilMs: number,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  client.getChannel().watchConnectivityState(from, untilMs, (error) => {
    if (error === undefined) resolve();
    else reject(notSent(status.DEADLINE_EXCEEDED, 'no connection before the deadline'));
  });
  return promise;
}

function notSent(code: status, detail: string): RpcError {
  return new RpcError({ status: code, detail, fault: null, sent: 'no' });
}

function clientOf<Methods extends object>(
  connection: Connection,
  contract: ServiceContract<Methods>,
): ServiceClient<Methods> {
  const methods = Object.entries(contract.methods) as [string, AnyMethod][];
  const calls = methods.map(([name, method]) => [name, callerOf(connection, method)]);
  return Object.fromEntries(calls) as ServiceClient<Methods>;
}

function callerOf(connection: Connection, method: AnyMethod): unknown {
  switch (method.kind) {
    case 'unary':
      return (request: never, options: CallOptions) =>
        callUnary(connection, method, { request, options });
    case 'serverStream':
      return (request: never, options: StreamOptions) =>
        callServerStream(connection, method, { request, options });
    default:
      return (options: StreamOptions) => callDuplex(connection, method, options);
  }
}
