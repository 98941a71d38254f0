import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { healthService } from '../contract/store-services.ts';
import { defaultChannelLimits, openChannel } from '../client/rpc-channel.ts';
import { silentObserver } from './interceptor.ts';
import { defaultServerLimits, openRpcServer, type RpcServer } from './rpc-server.ts';

const PREAMBLE = new TextEncoder().encode('OTHERS01');
const open: RpcServer[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close(0);
});

async function serve(accept: (socket: Socket) => void): Promise<number> {
  const server = await openRpcServer({
    ...{ host: '127.0.0.1', port: 0, tls: null, clusterToken: null, services: [] },
    ...{ limits: defaultServerLimits, observer: silentObserver },
    others: { preamble: PREAMBLE, accept },
  });
  open.push(server);
  return server.port;
}

test('a connection that begins with the preamble is handed over behind it, byte by byte as it may come', async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const port = await serve((socket) => {
    socket.once('data', (bytes: Buffer) => {
      resolve(bytes.toString());
      socket.destroy();
    });
  });
  const client = connect(port, '127.0.0.1');
  client.setNoDelay(true);
  await once(client, 'connect');
  for (const byte of PREAMBLE) {
    client.write(Uint8Array.of(byte));
    await new Promise((next) => setImmediate(next));
  }
  client.write('behind it');
  expect(await promise).toBe('behind it');
  client.destroy();
});

test('any other connection is gRPC', async () => {
  const port = await serve((socket) => socket.destroy());
  const limits = defaultChannelLimits;
  const channel = openChannel({ address: `127.0.0.1:${port}`, tls: null, token: null, limits });
  try {
    const call = { deadlineMs: 5_000, signal: null };
    const reply = await channel.clientOf(healthService).check({ service: '' }, call);
    expect(reply.status).toBe('serving');
  } finally {
    channel.close();
  }
});

test('one that says nothing ends with the server', async () => {
  const port = await serve((socket) => socket.destroy());
  const client = connect(port, '127.0.0.1');
  await once(client, 'connect');
  client.write('OTH');
  client.resume();
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
  client.once('error', () => {}); // a reset, perhaps
  for (const server of open.splice(0)) await server.close(0);
  await closed;
  expect(client.destroyed).toBe(true);
});
