import type { Server } from 'node:net';
import type { ListenerContext } from './listener-context.ts';
import type { RawHandle, RawServerHandle } from './raw-binding.ts';
import { RawProxyHandshake } from './raw-proxy-handshake.ts';
import { adoptHandle, type RawConnection } from './raw-connection.ts';

/**
 * Takes over a listening `net.Server`: its accepted handles become raw connections and no
 * `net.Socket` is made. Binding, sharing of the port, backlog and closing stay with the server.
 *
 * @param begin  hands a prepared connection on: to the protocol, or first to its PROXY header
 * @throws Error when the server has no handle of the expected shape
 */
export function acceptRaw(
  server: Server,
  context: ListenerContext,
  begin: (connection: RawConnection) => void,
): void {
  const handle = (server as unknown as { _handle?: RawServerHandle<RawConnection> })._handle;
  if (typeof handle?.onconnection !== 'function') {
    throw new Error(`net.Server of Node ${process.version} has no handle to take over`);
  }
  handle.onconnection = (status, client): void => {
    if (status !== 0 || client === undefined) {
      context.stats.acceptFailures += 1;
      return;
    }
    acceptHandle(client, context, begin);
  };
}

function acceptHandle(
  client: RawHandle<RawConnection>,
  context: ListenerContext,
  begin: (connection: RawConnection) => void,
): void {
  if (context.admit() === 'refuse') {
    client.close(nothing);
    return;
  }
  const connection = adoptHandle(client, context);
  begin(connection);
  connection.startReadingIfWanted();
}

function nothing(): void {}

/** The same, where each connection begins with a PROXY header. */
export function acceptRawBehindProxy(
  server: Server,
  context: ListenerContext,
  handshakeTimeoutMs: number,
): void {
  acceptRaw(server, context, (connection) => {
    connection.handler = new RawProxyHandshake(connection, context.stats, handshakeTimeoutMs);
  });
}
