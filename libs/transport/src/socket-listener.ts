import type { Server, Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type Server as TlsServer,
  type TLSSocket,
} from 'node:tls';
import { checkClientCertificate } from './client-certificate.ts';
import type { ListenerContext } from './listener-context.ts';
import type { ListenerOptions } from './listener.ts';
import { readProxyHeader, SocketAdmission } from './socket-admission.ts';
import { SocketPort } from './socket-port.ts';
import { StreamConnection } from './stream-connection.ts';
import type { TlsMaterial } from './tls-files.ts';

/** Serves one admitted socket whose PROXY header, if any, has been read. */
export type ServeSocket = (admission: SocketAdmission) => void;

/** Admits the sockets of a bound server and has each served. */
export function acceptSockets(
  server: Server,
  options: ListenerOptions,
  on: { readonly context: ListenerContext; readonly serve: ServeSocket },
): void {
  server.on('error', () => {
    on.context.stats.acceptFailures += 1;
  });
  server.on('connection', (socket: Socket) => {
    if (on.context.admit() === 'refuse') {
      socket.on('error', ignore);
      socket.destroy();
      return;
    }
    const admission = new SocketAdmission(socket, on.context, options.handshakeTimeoutMs);
    if (options.proxyProtocol === 'off') {
      on.serve(admission);
      return;
    }
    readProxyHeader(admission, () => {
      if (!socket.destroyed) on.serve(admission);
    });
  });
}

/** Plain TCP over `net.Socket`. */
export function servePlain(context: ListenerContext): ServeSocket {
  return (admission): void => {
    admission.becomeUsable();
    const port = new SocketPort(admission.socket, 'plain');
    new StreamConnection(port, context, { address: admission.peer, certificate: null }).start();
  };
}

/** MQTT in TLS. */
export function serveTls(context: ListenerContext, server: TlsServer): ServeSocket {
  const admissions = new TlsAdmissions(server, (admission, socket) => {
    const check = checkClientCertificate(socket);
    if (check.kind === 'unverified') {
      socket.destroy();
      return;
    }
    admission.becomeUsable();
    const port = new SocketPort(socket, 'tls');
    const peer = { address: admission.peer, certificate: check.certificate };
    new StreamConnection(port, context, peer).start();
  });
  return (admission): void => {
    admissions.shakeHands(admission);
  };
}

/** A `tls.Server` that does not listen itself: our own server accepts and hands it sockets. */
export function newTlsServer(material: TlsMaterial): TlsServer {
  return createTlsServer(material);
}

/**
 * Finds the admission that belongs to a TLS socket: Node does not tell which socket one stands on,
 * but the four addresses of a live TCP connection are unique.
 */
export class TlsAdmissions {
  readonly #server: TlsServer;
  readonly #shakingHands: Map<string, SocketAdmission> = new Map();

  constructor(server: TlsServer, secured: (admission: SocketAdmission, socket: TLSSocket) => void) {
    this.#server = server;
    // The client's fault: the socket is destroyed, and its admission counts that.
    server.on('tlsClientError', ignore);
    server.on('secureConnection', (socket: TLSSocket) => {
      const key = connectionKey(socket);
      const admission = key === null ? undefined : this.#shakingHands.get(key);
      if (key === null || admission === undefined) {
        socket.on('error', ignore);
        socket.destroy(); // It is gone already: its addresses can no longer be told.
        return;
      }
      this.#shakingHands.delete(key);
      socket.disableRenegotiation();
      secured(admission, socket);
    });
  }

  shakeHands(admission: SocketAdmission): void {
    const key = connectionKey(admission.socket);
    if (key === null) {
      admission.socket.destroy();
      return;
    }
    this.#shakingHands.set(key, admission);
    admission.socket.once('close', () => {
      if (this.#shakingHands.get(key) === admission) this.#shakingHands.delete(key);
    });
    this.#server.emit('connection', admission.socket);
  }
}

function connectionKey(socket: Socket): string | null {
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return null;
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
}

function ignore(): void {}
