/**
 * How many bytes a client may have on their way to a server. HTTP/2 begins with 64 KiB per stream and
 * connection: a batch of appends that is larger waits for a round trip in its middle.
 *
 * grpc-js has an option for its clients and none for its servers, so this reaches into the server that it
 * makes; `receive-window.test.ts` fails when another version is built otherwise.
 */
import type { Http2Server, ServerHttp2Session, ServerOptions } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { assert } from '@robustmq/errors';

/** LIMIT: receiveWindowBytes (of one connection, and of each stream on it) */
export const receiveWindowBytes: number = 1024 * 1024;

interface ServerParts {
  readonly commonServerOptions: ServerOptions;
  readonly http2Servers: ReadonlyMap<Http2Server, unknown>;
}

/** Before the server is bound. */
export function widenStreams(server: Server): void {
  const { commonServerOptions } = server as unknown as ServerParts;
  assert(commonServerOptions !== undefined, 'grpc-js keeps the options of HTTP/2 elsewhere');
  const { settings } = commonServerOptions;
  commonServerOptions.settings = { ...settings, initialWindowSize: receiveWindowBytes };
}

/** After the server was bound. */
export function widenConnections(server: Server): void {
  const { http2Servers } = server as unknown as ServerParts;
  for (const each of http2Servers.keys()) {
    each.on('session', (session: ServerHttp2Session) => {
      session.setLocalWindowSize(receiveWindowBytes);
    });
  }
}
