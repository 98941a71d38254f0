/**
 * The HTTP side door of a node: metrics for Prometheus, health for supervisors and load balancers.
 *
 * It serves machines of the operator, so it is bounded tightly: at most 128 connections, 16 KiB of
 * headers, 64 KiB of body, 10 s for a request. Nothing here needs a credential and nothing here
 * changes the broker; routes that do bring their own checks.
 */
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { AdminServerError, listenFault } from './admin-server-error.ts';
import { healthReport, type HealthReport, type HealthSource } from './health.ts';

const CONNECTIONS_MAX = 128; // LIMIT: admin-connections
const HEADER_BYTES_MAX = 16 * 1024; // LIMIT: admin-header-bytes
const BODY_BYTES_MAX = 64 * 1024; // LIMIT: admin-body-bytes
const REQUEST_TIMEOUT_MS = 10_000; // LIMIT: admin-request-timeout
const KEEP_ALIVE_TIMEOUT_MS = 30_000;
const REQUESTS_PER_CONNECTION_MAX = 10_000;

export interface AdminServerOptions {
  /** A loopback address unless the operator says otherwise; see {@link ADMIN_HOST_DEFAULT}. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** The configuration key of `port`, named when the port is taken. */
  readonly portKey: string;
  readonly node: { readonly name: string; readonly version: string; readonly id: number };
  readonly metrics: { readonly contentType: string; readonly render: () => Promise<string> };
  readonly health: HealthSource;
  /** Told of a route that threw; the client gets 500 without the reason. */
  readonly onFailure: (error: unknown, path: string) => void;
}

export const ADMIN_HOST_DEFAULT = '127.0.0.1';

export interface AdminRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The parsed JSON body; undefined without one. Not validated. */
  readonly body: unknown;
  readonly remoteAddress: string;
}

export interface AdminReply {
  readonly status: number;
  /** Sent as JSON. */
  readonly body: unknown;
}

/** A route of another part of the service. `path` may have `:name` parts. */
export interface AdminRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly handle: (request: AdminRequest) => AdminReply | Promise<AdminReply>;
}

export interface AdminServer {
  /** Adds a route. Before `start` only. */
  readonly register: (route: AdminRoute) => void;
  /** @throws AdminServerError nothing listens; see its fault */
  readonly start: () => Promise<void>;
  /** Frees the port and closes open connections. Idempotent. */
  readonly stop: () => Promise<void>;
  /** Where it listens; null before `start` and after `stop`. */
  readonly address: () => { readonly host: string; readonly port: number } | null;
}

/** Makes the server with its own routes; nothing listens before `start`. */
export function createAdminServer(options: AdminServerOptions): AdminServer {
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    maxRequestsPerSocket: REQUESTS_PER_CONNECTION_MAX,
    forceCloseConnections: true,
    http: { maxHeaderSize: HEADER_BYTES_MAX, headersTimeout: REQUEST_TIMEOUT_MS },
  });
  app.server.maxConnections = CONNECTIONS_MAX;
  addReplies(app, options);
  addOwnRoutes(app, options);
  return {
    register: (route) => addRoute(app, route),
    start: () => listen(app, options),
    stop: () => app.close(),
    address: () => {
      const address = app.server.address();
      if (address === null || typeof address === 'string') return null;
      return { host: address.address, port: address.port };
    },
  };
}

async function listen(app: FastifyInstance, options: AdminServerOptions): Promise<void> {
  const { host, port } = options;
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    await app.close();
    throw new AdminServerError(listenFault(cause, address, options.portKey), { cause });
  }
}

function addReplies(app: FastifyInstance, options: AdminServerOptions): void {
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
  });
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ error: 'not_found', detail: `no ${request.method} route here; see /` }),
  );
  app.setErrorHandler((error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const status = statusOf(error);
    if (status < 500) return reply.code(status).send({ error: 'bad_request', status });
    options.onFailure(error, request.routeOptions.url ?? '');
    return reply.code(500).send({ error: 'internal', detail: 'the reason is in the log' });
  });
}

function statusOf(error: unknown): number {
  if (!(error instanceof Error) || !('statusCode' in error)) return 500;
  return typeof error.statusCode === 'number' ? error.statusCode : 500;
}

function addOwnRoutes(app: FastifyInstance, options: AdminServerOptions): void {
  const { node, metrics, health } = options;
  app.get('/', () => ({
    name: node.name,
    version: node.version,
    node_id: node.id,
    links: {
      metrics: '/metrics',
      live: '/health/live',
      ready: '/health/ready',
      started: '/health/started',
    },
  }));
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.render();
    return reply.type(metrics.contentType).send(text);
  });
  app.get('/health/live', (_request, reply) => sendReport(reply, health.live));
  app.get('/health/ready', (_request, reply) => sendReport(reply, health.ready));
  app.get('/health/started', (_request, reply) => sendReport(reply, health.started));
}

/** 200 or 503; a check that throws is a check that fails, or a supervisor would see an odd 500. */
function sendReport(reply: FastifyReply, ask: () => HealthReport): FastifyReply {
  const report = answerOf(ask);
  return reply
    .code(report.ok ? 200 : 503)
    .send({ status: report.ok ? 'ok' : 'unavailable', checks: report.checks });
}

function answerOf(ask: () => HealthReport): HealthReport {
  try {
    return ask();
  } catch (error) {
    return healthReport([{ name: 'health_source', ok: false, detail: String(error) }]);
  }
}

function addRoute(app: FastifyInstance, route: AdminRoute): void {
  app.route({
    method: route.method,
    url: route.path,
    handler: async (request, reply) => {
      const answer = await route.handle({
        params: request.params as Record<string, string>,
        query: request.query as Record<string, string | string[]>,
        headers: request.headers,
        body: request.body,
        remoteAddress: request.ip,
      });
      return reply.code(answer.status).send(answer.body);
    },
  });
}
