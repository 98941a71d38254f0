import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { PLAIN, WEBSOCKET } from './testing/carriers.ts';
import { RecordingServer } from './testing/recording-server.ts';

describe('a WebSocket listener', () => {
  let server: RecordingServer;
  const sockets: WebSocket[] = [];
  const bare: Socket[] = [];

  beforeEach(async () => {
    server = new RecordingServer();
    await server.start({
      ...PLAIN,
      kind: 'websocket',
      websocket: { ...WEBSOCKET, messageBytesMax: 1000, allowedOrigins: ['https://good.example'] },
    });
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.terminate();
    for (const socket of bare.splice(0)) socket.destroy();
    await server.stop();
  });

  function dial(
    path: string,
    protocols: string | string[],
    headers: Record<string, string>,
  ): WebSocket {
    const options = { headers, perMessageDeflate: true };
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, protocols, options);
    sockets.push(socket);
    socket.on('error', () => {});
    return socket;
  }

  /** What a server answers to bytes, until it closes. */
  async function answerTo(request: string): Promise<string> {
    const socket = connect(server.port, '127.0.0.1');
    bare.push(socket);
    socket.on('error', () => {});
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.write(request);
    await once(socket, 'close');
    return Buffer.concat(chunks).toString();
  }

  const selected = [
    // offered, selected, why
    [['mqtt'], 'mqtt', 'the registered name'],
    [['mqttv3.1'], 'mqttv3.1', 'the name of MQTT 3.1'],
    [['mqttv3.1', 'mqtt'], 'mqtt', 'the registered name is preferred'],
    [['other', 'mqtt'], 'mqtt', 'unknown names are skipped'],
  ] as const;
  for (const [offered, protocol, why] of selected) {
    test(`selects a subprotocol: ${why}`, async () => {
      const socket = dial('/mqtt?token=1', [...offered], {});
      await once(socket, 'open');
      expect(socket.protocol).toBe(protocol);
      expect(socket.extensions).toBe('');
    });
  }

  const refused = [
    // path, protocols, headers, status, why
    ['/other', ['mqtt'], {}, 404, 'another path'],
    ['/mqtt', [], {}, 400, 'no subprotocol'],
    ['/mqtt', ['amqp'], {}, 400, 'another subprotocol'],
    ['/mqtt', ['mqtt'], { origin: 'https://evil.example' }, 403, 'an origin that is not allowed'],
  ] as const;
  for (const [path, protocols, headers, status, why] of refused) {
    test(`refuses ${why} with a sentence`, async () => {
      const socket = dial(path, [...protocols], headers);
      const [, response] = await once(socket, 'unexpected-response');
      expect(response.statusCode).toBe(status);
      const [body] = (await once(response, 'data')) as [Buffer];
      expect(body.toString()).toMatch(/^[A-Z].*\.\n$/);
      expect(server.accepted).toHaveLength(0);
    });
  }

  test('accepts an origin that is allowed', async () => {
    await once(dial('/mqtt', 'mqtt', { origin: 'https://good.example' }), 'open');
  });

  test('answers plain requests in words, and closes', async () => {
    const known = await answerTo('GET /mqtt HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(known).toMatch(/^HTTP\/1\.1 426 .*Upgrade: websocket.*speaks MQTT over WebSocket/s);
    const unknown = await answerTo('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(unknown).toMatch(/^HTTP\/1\.1 404 .*Nothing is served/s);
    expect(await answerTo('\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00')).toMatch(
      /^HTTP\/1\.1 400 /,
    );
  });

  test('limits the headers of an upgrade', async () => {
    const long = `GET /mqtt HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(9000)}\r\n\r\n`;
    expect(await answerTo(long)).toMatch(/^HTTP\/1\.1 4\d\d /);
  });

  test('counts a refused upgrade as a failed handshake', async () => {
    await answerTo('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    while (server.listener.stats.open > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(server.listener.stats.handshakeFailures).toBe(1);
  });

  test('closes with 1003 on a text message [MQTT-6.0.0-1]', async () => {
    const socket = dial('/mqtt', 'mqtt', {});
    await once(socket, 'open');
    socket.send('text');
    socket.send(Buffer.from('not looked at'));
    const [code] = await once(socket, 'close');
    expect(code).toBe(1003);
    const accepted = await server.connection(0);
    expect(await accepted.cause()).toMatchObject({ kind: 'failed', reason: /text/ });
    expect(accepted.receivedBytes).toBe(0);
  });

  test('closes with 1009 on a message beyond the limit', async () => {
    const socket = dial('/mqtt', 'mqtt', {});
    await once(socket, 'open');
    socket.send(Buffer.alloc(1001));
    const [code] = await once(socket, 'close');
    expect(code).toBe(1009);
    expect((await (await server.connection(0)).cause()).kind).toBe('failed');
  });

  test('fails on a frame that is not masked (RFC 6455 §5.1)', async () => {
    const socket = dial('/mqtt', 'mqtt', {});
    const [response] = await once(socket, 'upgrade');
    response.socket.write(Buffer.of(0x82, 0x01, 0x00));
    expect((await (await server.connection(0)).cause()).kind).toBe('failed');
  });

  test('is a stream: fragments and messages are joined, empty ones are nothing', async () => {
    const socket = dial('/mqtt', 'mqtt', {});
    await once(socket, 'open');
    const accepted = await server.connection(0);
    socket.send(Buffer.from('one '), { fin: false });
    socket.send(Buffer.from('two '), { fin: true });
    socket.send(Buffer.alloc(0));
    socket.send(Buffer.from('three'));
    await accepted.until(() => accepted.text === 'one two three');
  });

  test('answers a PING', async () => {
    const socket = dial('/mqtt', 'mqtt', {});
    await once(socket, 'open');
    socket.ping(Buffer.from('are you there'));
    const [data] = (await once(socket, 'pong')) as [Buffer];
    expect(data.toString()).toBe('are you there');
  });

  test('sends binary messages', async () => {
    const socket = dial('/mqtt', 'mqtt', {});
    await once(socket, 'open');
    const accepted = await server.connection(0);
    accepted.connection.write(Buffer.from('binary'), 6);
    const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
    expect([data.toString(), isBinary]).toEqual(['binary', true]);
    accepted.connection.end(5000);
    const [code] = await once(socket, 'close');
    expect(code).toBe(1000);
  });
});
