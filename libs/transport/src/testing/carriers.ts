/**
 * What the shared suite runs over: for each kind of listener its options, and a client of that kind
 * that looks like a plain byte stream.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { createWebSocketStream, WebSocket } from 'ws';
import type { ListenerOptions, WebSocketOptions } from '../listener.ts';
import type { TestCertificates } from './certificates.ts';

export interface Carrier {
  readonly name: string;
  readonly options: ListenerOptions;
  /** Reads nothing before the test does. Resolves once the listener may have accepted it. */
  connect(port: number, preamble: Buffer | null): Promise<TestClient>;
}

export interface TestClient {
  readonly stream: Duplex;
  /** The TCP socket underneath. */
  readonly socket: Socket;
}

export function carriersOf(certificates: TestCertificates | null): readonly Carrier[] {
  const plain = [
    carrierOf('tcp-raw', { ...PLAIN, engine: 'raw' }, null),
    carrierOf('tcp-socket', { ...PLAIN, engine: 'socket' }, null),
    carrierOf('websocket', { ...PLAIN, kind: 'websocket', websocket: WEBSOCKET }, null),
  ];
  if (certificates === null) return plain;
  const tls = tlsOptionsOf(certificates);
  const websocket = WEBSOCKET;
  return [
    ...plain,
    carrierOf('tls', { ...PLAIN, kind: 'tls', tls }, certificates),
    carrierOf('websocket-tls', { ...PLAIN, kind: 'websocket-tls', tls, websocket }, certificates),
  ];
}

export const WEBSOCKET: WebSocketOptions = {
  path: '/mqtt',
  messageBytesMax: 4 * 1024 * 1024,
  allowedOrigins: null,
};

export const PLAIN: ListenerOptions = {
  name: 'test',
  kind: 'tcp',
  host: '127.0.0.1',
  port: 0,
  backlog: 64,
  reusePort: false,
  connectionsMax: 100,
  proxyProtocol: 'off',
  handshakeTimeoutMs: 5000,
  tls: null,
  websocket: null,
  engine: 'auto',
};

export function tlsOptionsOf(certificates: TestCertificates): NonNullable<ListenerOptions['tls']> {
  return {
    certificateFile: certificates.serverCertificate,
    privateKeyFile: certificates.serverKey,
    certificateAuthorityFile: null,
    clientCertificate: 'none',
    minimumVersion: 'TLSv1.2',
    ciphers: null,
  };
}

function carrierOf(
  name: string,
  options: ListenerOptions,
  certificates: TestCertificates | null,
): Carrier {
  return {
    name,
    options,
    connect: async (port, preamble): Promise<TestClient> => {
      const socket = connectTcp(port, '127.0.0.1');
      socket.on('error', ignore);
      await new Promise((resolve) => socket.once('connect', resolve));
      if (preamble !== null) socket.write(preamble);
      const secured =
        certificates === null ? socket : await secure(socket, certificates.authorityPem());
      const isWebSocket = options.kind === 'websocket' || options.kind === 'websocket-tls';
      const stream = isWebSocket ? await upgrade(secured) : secured;
      stream.on('error', ignore);
      return { stream, socket };
    },
  };
}

async function secure(socket: Socket, ca: Buffer): Promise<Duplex> {
  const secured = connectTls({ socket, ca, servername: 'localhost' });
  await new Promise((resolve, reject) => {
    secured.once('secureConnect', resolve);
    secured.once('error', reject);
    secured.once('close', () => reject(new Error('closed in the TLS handshake')));
  });
  return secured;
}

async function upgrade(socket: Duplex): Promise<Duplex> {
  const websocket = new WebSocket('ws://localhost/mqtt', 'mqtt', {
    createConnection: () => socket as Socket,
    perMessageDeflate: false,
  });
  const stream = createWebSocketStream(websocket, { readableHighWaterMark: 16_384 });
  stream.on('error', ignore);
  await new Promise((resolve, reject) => {
    websocket.once('open', resolve);
    websocket.once('error', reject);
  });
  return stream;
}

function ignore(): void {}
