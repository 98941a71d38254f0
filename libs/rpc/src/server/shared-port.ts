/** One port for gRPC and for connections of another kind, told apart by their first bytes. */
import { createServer, type Server, type Socket } from 'node:net';
import { readFirstBytes } from './first-bytes.ts';

/** What else than gRPC a port takes. */
export interface OtherConnections {
  /** Its first bytes; as many as HTTP/2's own begin with, or fewer, and others. */
  readonly preamble: Uint8Array;
  /** The preamble has been read. Whoever takes the socket hears its errors and ends it. */
  accept(socket: Socket): void;
}

export interface SharedPort {
  readonly port: number;
  /** Takes no more connections, and ends those that have not said yet what they are. */
  close(): void;
}

const PREAMBLE_MS = 5_000;

/**
 * @param passOn  takes the connections that are gRPC
 * @throws the error of the system when the port cannot be had
 */
export async function openSharedPort(
  place: { readonly host: string; readonly port: number },
  others: OtherConnections,
  passOn: (socket: Socket) => void,
): Promise<SharedPort> {
  const unsorted = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    const { preamble } = others;
    unsorted.add(socket);
    readFirstBytes(socket, { count: preamble.length, limitMs: PREAMBLE_MS }, (first) => {
      unsorted.delete(socket);
      if (first === null) return;
      if (first.equals(preamble)) {
        others.accept(socket);
        return;
      }
      socket.unshift(first);
      passOn(socket);
    });
  });
  const port = await listen(server, place);
  const close = (): void => {
    server.close();
    for (const socket of unsorted) socket.destroy();
  };
  return { port, close };
}

function listen(
  server: Server,
  place: { readonly host: string; readonly port: number },
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(place.port, place.host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : place.port);
    });
  });
}
