/**
 * MQTT over WebSocket (RFC 6455; MQTT-5.0 §6): an HTTP server of our own that knows one path, and
 * upgrades only requests that ask for MQTT.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Server as TlsServer } from 'node:tls';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { checkClientCertificate } from './client-certificate.ts';
import type { ClientCertificate } from './connection.ts';
import type { ListenerContext } from './listener-context.ts';
import type { WebSocketOptions } from './listener.ts';
import type { SocketAdmission } from './socket-admission.ts';
import { type ServeSocket, TlsAdmissions } from './socket-listener.ts';
import { StreamConnection } from './stream-connection.ts';
import type { TlsMaterial } from './tls-files.ts';
import { WebSocketPort } from './websocket-port.ts';
import { judgeUpgrade, SUBPROTOCOLS, subprotocolOf } from './websocket-upgrade.ts';

/** LIMIT: bytes of request line and headers together. */
const HEADER_BYTES_MAX = 8192;
/** LIMIT: headers of a request; more are left out, and the upgrade then fails. */
const HEADERS_MAX = 64;
/** How long the peer may take to answer our CLOSE frame after a framing fault. */
const CLOSE_TIMEOUT_MS = 5000;

interface AdmittedSocket {
  readonly admission: SocketAdmission;
  readonly certificate: ClientCertificate | null;
}

export function serveWebSocket(context: ListenerContext, options: WebSocketOptions): ServeSocket {
  const http = createServer({ maxHeaderSize: HEADER_BYTES_MAX, noDelay: true });
  const sockets = new WeakMap<Duplex, AdmittedSocket>();
  attach(http, sockets, { context, options });
  return (admission): void => {
    sockets.set(admission.socket, { admission, certificate: null });
    http.emit('connection', admission.socket);
  };
}

/** @returns the server whose certificates a reload replaces, too */
export function serveSecureWebSocket(
  context: ListenerContext,
  options: WebSocketOptions,
  material: TlsMaterial,
): { readonly serve: ServeSocket; readonly tlsServer: TlsServer } {
  const https = createSecureServer({
    ...material,
    maxHeaderSize: HEADER_BYTES_MAX,
    ALPNProtocols: ['http/1.1'],
  });
  const sockets = new WeakMap<Duplex, AdmittedSocket>();
  const admissions = new TlsAdmissions(https, (admission, socket) => {
    const check = checkClientCertificate(socket);
    if (check.kind === 'unverified') socket.destroy();
    else sockets.set(socket, { admission, certificate: check.certificate });
  });
  attach(https, sockets, { context, options });
  return {
    serve: (admission): void => {
      admissions.shakeHands(admission);
    },
    tlsServer: https,
  };
}

function attach(
  server: Server,
  sockets: WeakMap<Duplex, AdmittedSocket>,
  to: { readonly context: ListenerContext; readonly options: WebSocketOptions },
): void {
  server.maxHeadersCount = HEADERS_MAX;
  const upgrader = newUpgrader(to.options);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const admitted = sockets.get(socket);
    const refusal = judgeUpgrade(request, to.options);
    if (admitted === undefined || refusal !== null) {
      refuseUpgrade(socket, refusal ?? { status: 400, sentence: 'The connection is not known.' });
      return;
    }
    upgrader.handleUpgrade(request, socket, head, (websocket) => {
      admitted.admission.becomeUsable();
      const peer = { address: admitted.admission.peer, certificate: admitted.certificate };
      new StreamConnection(new WebSocketPort(websocket), to.context, peer).start();
    });
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answerRequest(request, response, to.options.path);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // Only the HTTP parser's own faults (HPE_…) can be answered; others are of TLS or of the socket.
    if (error.code?.startsWith('HPE_') !== true) socket.destroy();
    else
      refuseUpgrade(socket, { status: 400, sentence: 'This is not a request that can be read.' });
  });
}

function newUpgrader(options: WebSocketOptions): WebSocketServer {
  const upgrader = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: options.messageBytesMax,
    skipUTF8Validation: true, // Text messages are refused unread.
    autoPong: false, // Our own PONG has a limit.
    // MQTT-5.0 [MQTT-6.0.0-4]: the server answers with the subprotocol that it selected.
    handleProtocols: (offered) => subprotocolOf(offered) ?? false,
    ...({ closeTimeout: CLOSE_TIMEOUT_MS } as object),
  });
  upgrader.on('wsClientError', (error, socket) => {
    refuseUpgrade(socket, { status: 400, sentence: `${error.message}.` });
  });
  return upgrader;
}

function refuseUpgrade(
  socket: Duplex,
  refusal: { readonly status: number; readonly sentence: string },
): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = `${refusal.sentence}\n`;
  socket.on('error', ignore);
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${refusal.status} ${STATUS_WORDS[refusal.status] ?? 'Refused'}\r\n` +
      'Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\n' +
      `Sec-WebSocket-Version: 13\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** A request that is not an upgrade: a browser, a health check or a mistake. Told in a sentence. */
function answerRequest(request: IncomingMessage, response: ServerResponse, path: string): void {
  const found = (request.url ?? '').split('?', 1)[0] === path;
  const body = found
    ? `This address speaks MQTT over WebSocket, subprotocol ${SUBPROTOCOLS[0]}. Connect with an MQTT client.\n`
    : 'Nothing is served at this path.\n';
  const upgrade = found ? { Upgrade: 'websocket' } : {};
  response.writeHead(found ? 426 : 404, {
    Connection: found ? 'close, Upgrade' : 'close',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    ...upgrade,
  });
  response.end(body);
}

const STATUS_WORDS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
};

function ignore(): void {}
