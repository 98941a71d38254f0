/** What happens before a connection is usable: limits, time-outs, PROXY headers, for every kind. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { armedDeadlines } from './deadlines.ts';
import type { ListenerOptions } from './listener.ts';
import { type Carrier, carriersOf, type TestClient } from './testing/carriers.ts';
import { makeTestCertificates } from './testing/certificates.ts';
import { v2Header } from './testing/proxy-headers.ts';
import { RecordingServer } from './testing/recording-server.ts';

const certificates = makeTestCertificates();
afterAll(() => certificates?.remove());

const server = { current: new RecordingServer() };
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.current.stop();
});

async function start(options: ListenerOptions): Promise<RecordingServer> {
  server.current = new RecordingServer();
  await server.current.start(options);
  return server.current;
}

async function clientOf(carrier: Carrier, preamble: Buffer | null): Promise<TestClient> {
  const client = await carrier.connect(server.current.port, preamble);
  sockets.push(client.socket);
  return client;
}

/** A bare TCP client that sends `bytes` and resolves once the server has closed. */
async function closedAfter(bytes: Buffer): Promise<void> {
  const socket = connect(server.current.port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  socket.resume();
  if (bytes.length > 0) socket.write(bytes);
  await once(socket, 'close');
}

async function untilClosedAtServer(): Promise<void> {
  while (server.current.listener.stats.open > 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const V1 = Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n');
const V2 = v2Header(0x21, 0x11, [203, 0, 113, 9, 198, 51, 100, 1, 0, 9, 1, 0xbb]);
const LOCAL = v2Header(0x20, 0, []);

for (const carrier of carriersOf(certificates)) {
  const proxied: ListenerOptions = { ...carrier.options, proxyProtocol: 'required' };

  describe(`a listener of ${carrier.name}`, () => {
    test('closes a connection beyond the limit, counts it, and takes the next after a close', async () => {
      const { listener } = await start({ ...carrier.options, connectionsMax: 1 });
      const client = await clientOf(carrier, null);
      await server.current.connection(0);
      await closedAfter(Buffer.alloc(0));
      expect(listener.stats).toMatchObject({ accepted: 1, refusedAtLimit: 1, open: 1 });
      client.socket.destroy();
      await untilClosedAtServer();
      await clientOf(carrier, null);
      await server.current.connection(1);
      expect(listener.stats).toMatchObject({ accepted: 2, refusedAtLimit: 1, open: 1 });
    });

    test.each([
      ['version 1', V1, '192.0.2.1', 56324],
      ['version 2', V2, '203.0.113.9', 9],
    ])(
      'tells the peer of a PROXY header of %s, and delivers what follows',
      async (_, header, address, port) => {
        await start(proxied);
        const client = await clientOf(carrier, header);
        client.stream.write('hello');
        const accepted = await server.current.connection(0);
        await accepted.until(() => accepted.text === 'hello');
        expect(accepted.connection.remoteAddress).toBe(address);
        expect(accepted.connection.remotePort).toBe(port);
      },
    );

    test("keeps the socket's address behind a LOCAL header", async () => {
      await start(proxied);
      const client = await clientOf(carrier, LOCAL);
      const accepted = await server.current.connection(0);
      expect(accepted.connection.remoteAddress).toBe('127.0.0.1');
      expect(accepted.connection.remotePort).toBe(client.socket.localPort);
    });

    test.each([
      ['other bytes', Buffer.from('\x10\x10\x00\x04MQTT')],
      ['a broken header', Buffer.from('PROXY TCP4 nonsense\r\n')],
      ['a header of an unknown version', v2Header(0x31, 0x11, [])],
    ])('refuses %s where a PROXY header is required', async (_, bytes) => {
      const { listener } = await start(proxied);
      await closedAfter(bytes);
      await untilClosedAtServer();
      expect(listener.stats.handshakeFailures).toBe(1);
      expect(server.current.accepted).toHaveLength(0);
    });

    test('drops a peer that does not send its PROXY header in time', async () => {
      const { listener } = await start({ ...proxied, handshakeTimeoutMs: 1 });
      await closedAfter(V1.subarray(0, 10));
      await untilClosedAtServer();
      expect(listener.stats.handshakeFailures).toBe(1);
      expect(armedDeadlines()).toBe(0);
    });

    test.skipIf(carrier.options.kind === 'tcp')(
      'drops a peer that stops in its handshake',
      async () => {
        const { listener } = await start({ ...carrier.options, handshakeTimeoutMs: 1 });
        await closedAfter(Buffer.from('G'));
        await untilClosedAtServer();
        expect(listener.stats.handshakeFailures).toBe(1);
        expect(server.current.accepted).toHaveLength(0);
      },
    );
  });
}

for (const engine of ['raw', 'socket'] as const) {
  const options = {
    ...carriersOf(null)[0]?.options,
    engine,
    proxyProtocol: 'required',
  } as ListenerOptions;

  describe(`a PROXY header on the ${engine} engine`, () => {
    test('may arrive byte by byte, and with data in the same segment', async () => {
      await start(options);
      const socket = connect(server.current.port, '127.0.0.1');
      sockets.push(socket);
      socket.setNoDelay(true);
      for (const byte of V1.subarray(0, 10)) socket.write(Buffer.of(byte));
      socket.write(Buffer.concat([V1.subarray(10), Buffer.from('hello')]));
      const accepted = await server.current.connection(0);
      await accepted.until(() => accepted.text === 'hello');
      expect(accepted.connection.remoteAddress).toBe('192.0.2.1');
    });

    test('an exception for the data behind it is the handler’s, not the handshake’s', async () => {
      const { listener } = await start(options);
      server.current.onAccept = (accepted): void => {
        accepted.onReceived = (): void => {
          throw new Error('boom');
        };
      };
      await closedAfter(Buffer.concat([V1, Buffer.from('hello')]));
      await untilClosedAtServer();
      expect(server.current.faults).toHaveLength(1);
      expect(listener.stats.handshakeFailures).toBe(0);
      expect(server.current.accepted[0]?.closings[0]?.kind).toBe('failed');
    });
  });
}
