/**
 * Puts to etcd over bare HTTP/2, with as little work per call as Node.js allows: the generator
 * shares the machine with the servers, and what a full gRPC client costs would be held against etcd.
 */

import { type ClientHttp2Session, connect } from 'node:http2';
import type { PutTarget } from './put-load.ts';

const SESSIONS = 8;
const HEADERS = {
  ':method': 'POST',
  ':path': '/etcdserverpb.KV/Put',
  'content-type': 'application/grpc',
  te: 'trailers',
} as const;

export function connectToEtcd(endpoint: string): PutTarget {
  const sessions = Array.from({ length: SESSIONS }, () => connect(`http://${endpoint}`));
  let next = 0;
  return {
    put: (key, value) => {
      next = (next + 1) % SESSIONS;
      return put(sessions[next] as ClientHttp2Session, putRequest(key, value));
    },
    close: () => {
      for (const session of sessions) session.destroy();
      return Promise.resolve();
    },
  };
}

function put(session: ClientHttp2Session, message: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request(HEADERS);
    stream.once('trailers', (trailers) => {
      const status = trailers['grpc-status'];
      if (status === '0') resolve();
      else reject(new Error(`etcd: status ${String(status)} ${String(trailers['grpc-message'])}`));
    });
    stream.once('error', reject);
    stream.resume();
    stream.end(message);
  });
}

/** PutRequest { key = 1, value = 2 } behind the five bytes with which gRPC frames a message. */
function putRequest(key: string, value: Uint8Array): Buffer {
  const keyBytes = Buffer.from(key);
  const body = Buffer.concat([
    ...[Buffer.of(0x0a), lengthOf(keyBytes), keyBytes],
    ...[Buffer.of(0x12), lengthOf(value), value],
  ]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

function lengthOf({ length }: Uint8Array): Buffer {
  return length < 0x80 ? Buffer.of(length) : Buffer.of((length & 0x7f) | 0x80, length >> 7);
}
