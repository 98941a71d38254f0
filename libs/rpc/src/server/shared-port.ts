/** One port for gRPC and for connections of another kind, told apart by their first bytes. */
import { createServer, type Server, type Socket } from 'node:net';

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
    unsorted.add(socket);
    sort(socket, others.preamble, (isOther) => {
      unsorted.delete(socket);
      if (isOther === null) return;
      if (isOther) others.accept(socket);
      else passOn(socket);
    });
  });
  const port = await listen(server, place);
  const close = (): void => {
    server.close();
    for (const socket of unsorted) socket.destroy();
  };
  return { port, close };
}

/** Tells once: null when the connection ends, or says nothing for a while. */
function sort(socket: Socket, preamble: Uint8Array, tell: (isOther: boolean | null) => void): void {
  const late = setTimeout(() => socket.destroy(), PREAMBLE_MS);
  const gone = (): void => {
    clearTimeout(late);
    tell(null);
  };
  const look = (): void => {
    const first = socket.read(preamble.length) as Buffer | null;
    if (first === null || first.length < preamble.length) return;
    clearTimeout(late);
    socket.off('readable', look).off('close', gone).off('error', ignore);
    const isOther = first.equals(preamble);
    if (!isOther) socket.unshift(first);
    tell(isOther);
  };
  // Its `close` follows.
  socket.on('readable', look).on('close', gone).on('error', ignore);
}

function ignore(): void {}

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
