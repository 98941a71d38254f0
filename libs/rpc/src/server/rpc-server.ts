/** A gRPC server: admission, deadlines, errors, health and an orderly end, the same for every service. */
import {
  logVerbosity,
  Server,
  type ServerCredentials,
  type ServerOptions as GrpcServerOptions,
  type ServiceDefinition,
  setLogVerbosity,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { systemTimers } from '@robustmq/environment';
import { bytesCodec } from '../codec/codec-of.ts';
import type { ServingStatus } from '../codec/health.ts';
import type { AnyMethod, Codec } from '../contract/method.ts';
import { bufferOf } from '../contract/reflection.ts';
import { healthService } from '../contract/store-services.ts';
import { RpcSetupError, serverCredentials, type ServerTls } from '../tls.ts';
import { MalformedMessageError } from '../wire/protobuf-reader.ts';
import {
  type CallHost,
  duplexForm,
  type Received,
  serverStreamForm,
  unaryForm,
} from './call-forms.ts';
import { Health } from './health.ts';
import type { MountedService } from './implementation.ts';
import { admission, type RpcObserver } from './interceptor.ts';
import { widenConnections, widenStreams } from './receive-window.ts';
import { openSharedPort, type OtherConnections, type SharedPort } from './shared-port.ts';

/** What a server is opened with. */
export interface RpcServerOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly tls: ServerTls | null;
  /** Without it a call ends with UNAUTHENTICATED; health needs none. null: everybody is let in. */
  readonly clusterToken: string | null;
  readonly services: readonly MountedService[];
  readonly limits: RpcServerLimits;
  readonly observer: RpcObserver;
  /** What else the port takes; not with TLS. */
  readonly others?: OtherConnections | null;
}

/** Bounds of one server. */
export interface RpcServerLimits {
  /** LIMIT: messageBytesMax. A larger message ends its call with RESOURCE_EXHAUSTED. */
  readonly messageBytesMax: number;
  /** LIMIT: streamsPerConnectionMax. Further calls on the connection wait on the client's side. */
  readonly streamsPerConnectionMax: number;
  /** LIMIT: unaryDeadlineMsMax. A unary call ends with DEADLINE_EXCEEDED, whatever it asked for. */
  readonly unaryDeadlineMsMax: number;
  /** How often a silent connection is tried, and how long an answer may take. */
  readonly keepAliveMs: number;
  readonly keepAliveTimeoutMs: number;
}

/** For every server that has no reason to differ. */
export const defaultServerLimits: RpcServerLimits = {
  messageBytesMax: 4 * 1024 * 1024,
  streamsPerConnectionMax: 4096,
  unaryDeadlineMsMax: 60_000,
  keepAliveMs: 10_000,
  keepAliveTimeoutMs: 5_000,
};

/** A server that listens. */
export interface RpcServer {
  readonly port: number;
  /** What the health service says of one service, by its full name; '' is the server. */
  setServing(service: string, status: ServingStatus): void;
  /**
   * Refuses new calls, waits up to `drainMs` for those under way, ends the others. Idempotent: later
   * calls wait for the first.
   */
  close(drainMs: number): Promise<void>;
}

/** @throws RpcSetupError RPC_TLS_INVALID, RPC_LISTEN_FAILED */
export async function openRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const credentials = serverCredentials(options.tls);
  // What grpc-js would print is thrown or observed.
  setLogVerbosity(logVerbosity.NONE);
  const closing = new AbortController();
  const host: CallHost = {
    closing: closing.signal,
    unaryDeadlineMsMax: options.limits.unaryDeadlineMsMax,
    messageBytesMax: options.limits.messageBytesMax,
    mistake: (method, error) => options.observer.handlerFailed(method, error),
  };
  const openPrefix = `/${healthService.name}/`;
  const interceptors = [admission(options.clusterToken, openPrefix, options.observer)];
  const server = new Server({ ...grpcOptions(options.limits), interceptors });
  widenStreams(server);
  const health = new Health(options.services.map(({ contract }) => contract.name));
  for (const service of [...options.services, health.mounted()]) addService(server, service, host);
  const { port, close: closePort } = await listen(server, options, () =>
    bind(server, options, credentials),
  );
  widenConnections(server);
  let closed: Promise<void> | null = null;
  return {
    port,
    setServing: (service, status) => health.set(service, status),
    close: (drainMs) => {
      health.setAll('notServing');
      closing.abort();
      closePort();
      closed ??= shutDown(server, drainMs);
      return closed;
    },
  };
}

function grpcOptions(limits: RpcServerLimits): GrpcServerOptions {
  return {
    'grpc.max_receive_message_length': limits.messageBytesMax,
    'grpc.max_send_message_length': limits.messageBytesMax,
    'grpc.max_concurrent_streams': limits.streamsPerConnectionMax,
    'grpc.keepalive_time_ms': limits.keepAliveMs,
    'grpc.keepalive_timeout_ms': limits.keepAliveTimeoutMs,
    'grpc.enable_channelz': 0,
  };
}

/** IPv6 addresses stand in brackets. */
function hostOf(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** grpc-js has a port of its own unless something else shares it. */
function bind(
  server: Server,
  { host, port, others }: RpcServerOptions,
  credentials: ServerCredentials,
): Promise<SharedPort> {
  if (others != null) {
    const injector = server.createConnectionInjector(credentials);
    return openSharedPort({ host, port }, others, (socket) => injector.injectConnection(socket));
  }
  return new Promise((resolve, reject) => {
    server.bindAsync(`${hostOf(host)}:${port}`, credentials, (error, bound) => {
      if (error === null) resolve({ port: bound, close: () => {} });
      else reject(error);
    });
  });
}

async function listen(
  server: Server,
  options: RpcServerOptions,
  open: () => Promise<SharedPort>,
): Promise<SharedPort> {
  try {
    return await open();
  } catch (error) {
    server.forceShutdown();
    const detail = `${options.host}:${options.port}: ${String(error)}`;
    throw new RpcSetupError({ code: 'RPC_LISTEN_FAILED', detail }, { cause: error });
  }
}

function addService(server: Server, service: MountedService, host: CallHost): void {
  const definition: Record<string, ServiceDefinition[string]> = {};
  const implementation: UntypedServiceImplementation = {};
  const handlers = service.implementation as Readonly<Record<string, never>>;
  for (const [name, method] of Object.entries(service.contract.methods) as [string, AnyMethod][]) {
    const handler = handlers[name] as never;
    definition[name] = methodDefinition(method);
    implementation[name] = formOf(method, handler, host) as never;
  }
  server.addService(definition, implementation);
}

function formOf(method: AnyMethod, handler: never, host: CallHost): unknown {
  switch (method.kind) {
    case 'unary':
      return unaryForm(handler, method.reply as Codec<unknown>, host);
    case 'serverStream':
      return serverStreamForm(handler, host);
    default:
      return duplexForm(handler, method.reply as Codec<unknown>, host);
  }
}

function methodDefinition(method: AnyMethod): ServiceDefinition[string] {
  // The unary form encodes by itself.
  const reply: Codec<unknown> =
    method.kind === 'unary' ? (bytesCodec as Codec<never>) : (method.reply as Codec<unknown>);
  const request = method.request as Codec<unknown>;
  return {
    path: method.path,
    requestStream: method.kind === 'duplex',
    responseStream: method.kind !== 'unary',
    requestSerialize: (message) => bufferOf(request.encode(message)),
    requestDeserialize: (bytes) => received(request, bytes),
    responseSerialize: (message) => bufferOf(reply.encode(message)),
    responseDeserialize: (bytes) => reply.decode(bytes),
  };
}

/** A message that cannot be read is the client's mistake, and is told as such by the call's form. */
function received(codec: Codec<unknown>, bytes: Buffer): Received<unknown> {
  try {
    return codec.decode(bytes);
  } catch (error) {
    return error instanceof MalformedMessageError
      ? error
      : new MalformedMessageError(String(error), { cause: error });
  }
}

async function shutDown(server: Server, drainMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = systemTimers.after(drainMs, () => {
    server.forceShutdown();
    resolve();
  });
  server.tryShutdown(() => resolve());
  await promise;
  timer.cancel();
}
