import { createServer, type AddressInfo, type Server } from 'node:net';
import { type ListenerOptions, ListenError } from './listener.ts';
import { isLoopbackAddress, plainAddress } from './peer-address.ts';
import type { ListenerIdentity } from './connection.ts';

/** A server that listens, and what it is bound to. */
export interface BoundServer {
  readonly server: Server;
  readonly identity: ListenerIdentity;
}

/**
 * Binds and listens. The caller attaches to `connection` (or to the handle) in the same turn of the
 * event loop in which this resolves; nothing is accepted before.
 *
 * @throws ListenError
 */
export async function bindServer(options: ListenerOptions): Promise<BoundServer> {
  const server = createServer({ allowHalfOpen: false, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(bindError(options, error));
    });
    server.listen(
      {
        host: options.host,
        port: options.port,
        backlog: options.backlog,
        ...(options.reusePort ? { reusePort: true } : {}),
      },
      resolve,
    );
  });
  server.removeAllListeners('error');
  const bound = server.address() as AddressInfo;
  const address = plainAddress(bound.address);
  return {
    server,
    identity: {
      name: options.name,
      kind: options.kind,
      address,
      port: bound.port,
      loopback: isLoopbackAddress(address),
    },
  };
}

/** Stops accepting. The port is free when this resolves; connections stay. */
export async function stopServer(server: Server): Promise<void> {
  if (!server.listening) return;
  // The callback of close() waits for connections too. The descriptor is closed within the call.
  server.close();
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}

function bindError(options: ListenerOptions, error: NodeJS.ErrnoException): ListenError {
  const what = `listener ${options.name}: cannot listen on port ${options.port} of ${options.host}`;
  const code = error.code ?? 'UNKNOWN';
  const advice = BIND_ADVICE[code] ?? `${error.message}.`;
  return new ListenError(BIND_CODES[code] ?? 'LISTEN_FAILED', `${what}: ${advice}`, {
    cause: error,
  });
}

const BIND_CODES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'LISTEN_PORT_IN_USE',
  EACCES: 'LISTEN_NOT_PERMITTED',
  EPERM: 'LISTEN_NOT_PERMITTED',
  EADDRNOTAVAIL: 'LISTEN_ADDRESS_UNAVAILABLE',
  ENOTFOUND: 'LISTEN_HOST_UNKNOWN',
  EAI_AGAIN: 'LISTEN_HOST_UNKNOWN',
  ENOTSUP: 'LISTEN_REUSE_PORT_UNSUPPORTED',
};

const BIND_ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE:
    'the port is in use, perhaps by another broker. Stop that process, or set another port for this listener.',
  EACCES:
    'not permitted. Ports below 1024 need a privilege: choose a higher port, or grant the process CAP_NET_BIND_SERVICE.',
  EPERM: 'not permitted. Check the security policy of this system, or choose another port.',
  EADDRNOTAVAIL:
    'no network interface has this address. Use an address of this machine, or 0.0.0.0 for all of them.',
  ENOTFOUND: 'the host name is not known. Use an IP address, or check the name.',
  EAI_AGAIN: 'the host name could not be looked up now. Use an IP address, or check the resolver.',
  ENOTSUP:
    'this system cannot share a port between processes. Turn off reusing the port, and run one process.',
};
