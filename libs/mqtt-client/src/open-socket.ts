import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { MqttClientError } from './client-error.ts';

/** What TLS is to check and to show. Contents of PEM files, not their names. */
export interface TlsClientOptions {
  /** null: the authorities of the runtime. */
  readonly certificateAuthority: Uint8Array | null;
  readonly certificate: Uint8Array | null;
  readonly privateKey: Uint8Array | null;
  /** `insecure` accepts any certificate: for tests only. */
  readonly verification: 'verify' | 'insecure';
  /** The name the certificate must have; null: the host. */
  readonly serverName: string | null;
}

/** Where to connect. `path` (a local socket) is not needed: brokers listen on ports. */
export interface SocketAddress {
  readonly host: string;
  readonly port: number;
  /** null: plain TCP. */
  readonly tls: TlsClientOptions | null;
}

/**
 * Opens a TCP or TLS stream; TLS is complete when it resolves.
 *
 * @throws MqttClientError `CLIENT_UNREACHABLE`, or `CLIENT_TIMED_OUT` after `timeoutMs`
 */
export function openSocket(address: SocketAddress, timeoutMs: number): Promise<Socket> {
  const { host, port, tls } = address;
  return new Promise((resolve, reject) => {
    const socket: Socket =
      tls === null ? connectTcp({ host, port, noDelay: true }) : tlsSocket(address, tls);
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new MqttClientError({ code: 'CLIENT_TIMED_OUT', operation: 'connection', timeoutMs }));
    }, timeoutMs);
    const failed = (error: Error): void => {
      clearTimeout(timer);
      const reason =
        error.message === '' ? String((error as NodeJS.ErrnoException).code) : error.message;
      const where = `${host}:${String(port)}`;
      reject(
        new MqttClientError(
          { code: 'CLIENT_UNREACHABLE', address: where, reason },
          { cause: error },
        ),
      );
    };
    socket.once('error', failed);
    socket.once(tls === null ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      socket.removeListener('error', failed);
      resolve(socket);
    });
  });
}

function tlsSocket({ host, port }: SocketAddress, tls: TlsClientOptions): Socket {
  const socket = connectTls({
    host,
    port,
    rejectUnauthorized: tls.verification === 'verify',
    ...(tls.serverName === null ? {} : { servername: tls.serverName }),
    ...(tls.certificateAuthority === null ? {} : { ca: Buffer.from(tls.certificateAuthority) }),
    ...(tls.certificate === null ? {} : { cert: Buffer.from(tls.certificate) }),
    ...(tls.privateKey === null ? {} : { key: Buffer.from(tls.privateKey) }),
  });
  return socket.setNoDelay(true);
}
