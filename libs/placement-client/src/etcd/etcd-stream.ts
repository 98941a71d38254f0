/**
 * The replies of a stream of etcd3: it is a readable stream of grpc-js, which its types do not say.
 * Whoever iterates slowly is fed slowly. An error after the iteration is nobody's.
 */
export function asReplies<Reply>(stream: {
  on(event: 'error', listener: (error: Error) => void): unknown;
}): AsyncIterable<Reply> {
  stream.on('error', () => undefined);
  return stream as unknown as AsyncIterable<Reply>;
}
