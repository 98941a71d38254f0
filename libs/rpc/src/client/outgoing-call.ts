/** The three forms of calls, with grpc-js turned into promises, iterations and `RpcError`. */
import { type ServiceError, status } from '@grpc/grpc-js';
import { systemClock } from '@robustmq/environment';
import type { CallOptions } from '@robustmq/placement';
import type { DuplexMethod, ServerStreamMethod, UnaryMethod } from '../contract/method.ts';
import { bufferOf } from '../contract/reflection.ts';
import { receivedError } from '../fault-status.ts';
import { RpcError } from '../rpc-error.ts';
import { ClientDuplex } from './client-duplex.ts';
import type { Connection, StreamOptions } from './rpc-channel.ts';

/** Settles by the deadline at the latest. */
export async function callUnary<Request, Reply>(
  connection: Connection,
  method: UnaryMethod<Request, Reply>,
  { request, options }: { readonly request: Request; readonly options: CallOptions },
): Promise<Reply> {
  const deadline = systemClock.nowMs() + options.deadlineMs;
  const bytes = encoded(connection, method.request.encode(request));
  await connection.ready(options);
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const call = connection.client.makeUnaryRequest(
    method.path,
    (message: Buffer) => message,
    (reply) => method.reply.decode(reply),
    bytes,
    connection.metadata({}),
    { deadline },
    (error, reply) => {
      if (error !== null) reject(receivedError(error, error));
      else resolve(reply as Reply);
    },
  );
  const cancel = (): void => call.cancel();
  options.signal?.addEventListener('abort', cancel, { once: true });
  if (options.signal?.aborted === true) cancel();
  try {
    return await promise;
  } finally {
    options.signal?.removeEventListener('abort', cancel);
  }
}

/**
 * Yields until the server ends the call. Whoever stops iterating cancels it; an aborted signal ends the
 * iteration without an error.
 */
export async function* callServerStream<Request, Reply>(
  connection: Connection,
  method: ServerStreamMethod<Request, Reply>,
  { request, options }: { readonly request: Request; readonly options: StreamOptions },
): AsyncGenerator<Reply, void, undefined> {
  const bytes = encoded(connection, method.request.encode(request));
  const call = connection.client.makeServerStreamRequest(
    method.path,
    (message: Buffer) => message,
    (reply) => method.reply.decode(reply),
    bytes,
    connection.metadata(options.metadata),
  );
  // An error that comes when nobody iterates any more is nobody's.
  call.on('error', () => {});
  const cancel = (): void => call.cancel();
  options.signal?.addEventListener('abort', cancel, { once: true });
  if (options.signal?.aborted === true) cancel();
  try {
    for await (const reply of call) yield reply as Reply;
  } catch (error) {
    if (options.signal?.aborted !== true) throw receivedError(error as ServiceError, error);
  } finally {
    options.signal?.removeEventListener('abort', cancel);
    call.cancel();
  }
}

/** Begins a call in both directions. */
export function callDuplex<Request, Reply>(
  connection: Connection,
  method: DuplexMethod<Request, Reply>,
  options: StreamOptions,
): ClientDuplex<Reply, Request> {
  const call = connection.client.makeBidiStreamRequest<Request, Reply>(
    method.path,
    (message) => bufferOf(method.request.encode(message)),
    (reply) => method.reply.decode(reply),
    connection.metadata(options.metadata),
  );
  const duplex = new ClientDuplex<Reply, Request>(call);
  const cancel = (): void => duplex.abort();
  options.signal?.addEventListener('abort', cancel, { once: true });
  if (options.signal?.aborted === true) cancel();
  call.on('status', () => options.signal?.removeEventListener('abort', cancel));
  return duplex;
}

function encoded({ messageBytesMax }: Connection, bytes: Uint8Array): Buffer {
  if (bytes.length <= messageBytesMax) return bufferOf(bytes);
  const detail = `request of ${bytes.length} bytes exceeds ${messageBytesMax}`;
  throw new RpcError({
    status: status.RESOURCE_EXHAUSTED,
    detail,
    fault: { code: 'PLACEMENT_INVALID', detail },
    sent: 'no',
  });
}
