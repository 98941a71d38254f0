import { once } from 'node:events';
import { connect as connectTo, type Socket } from 'node:net';
import { encodePacket } from '@robustmq/mqtt-codec';
import { describe, expect, test } from 'vitest';
import { eventually, startBroker, type World } from './conformance.fixture.ts';
import { connectPacket, publishPacket } from './peer.fixture.ts';

const IDLE = 'robust_mqtt_memory_budget_used_bytes';

describe('a CONNECT that is not accepted', () => {
  test('10: leaves nothing behind, however often it comes', async () => {
    const world = await startBroker();
    const idle = await world.metric(IDLE);
    const packet = encodePacket(
      connectPacket(5, {
        clientId: 'leak',
        will: { topic: 'w', payload: 'x'.repeat(10_000) },
        properties: { sessionExpiryIntervalSeconds: 3600, userProperties: [['a', 'b']] },
      }),
      5,
    );
    for (let round = 0; round < 200; round += 1) {
      const damaged = Uint8Array.from(packet);
      // A bit of the fixed part, of the properties or of the will.
      damaged[10 + (round % 40)] = 0xff;
      const peer = await world.stream(5);
      peer.raw.sendBytes(damaged);
      peer.raw.reset();
    }
    const whole = await world.client();
    await whole.expectNothing();
    await whole.disconnect();
    await eventually(async () => (await world.metric('mqtt_connections_count')) === 0);
    expect(await world.metric(IDLE)).toBe(idle);
  });

  test('16: is closed at once, and what follows it in the same segment does not count', async () => {
    const world = await startBroker({ auth: 'allow_anonymous_loopback = false' });
    for (const version of [3, 4, 5] as const) {
      const peer = await world.stream(version);
      peer.raw.sendBytes(
        Buffer.concat([
          encodePacket(connectPacket(version), version),
          encodePacket(publishPacket('a', 'x', { retain: true }), version),
          Uint8Array.of(0xc0, 0),
        ]),
      );
      expect((await peer.expect('connack')).reasonCode).toBe(version === 5 ? 0x87 : 5);
      expect(await peer.raw.next(15_000)).toBeNull();
    }
    expect(await world.metric('mqtt_connections_count')).toBe(0);
    expect(await world.metric('mqtt_sessions_count')).toBe(0);
    expect(await world.metric('mqtt_retained_count')).toBe(0);
  });
});

/** A socket that speaks HTTP by hand. */
class RawUpgrade {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
    });
    socket.on('close', () => {
      this.#ended = true;
    });
    socket.on('error', () => {});
  }

  static async open(world: World): Promise<RawUpgrade> {
    const socket = connectTo({ host: '127.0.0.1', port: world.portOf('websocket') });
    await once(socket, 'connect');
    return new RawUpgrade(socket);
  }

  /** @returns the head of the answer, or what came before the end of the stream */
  async upgrade(headers: readonly string[]): Promise<string> {
    const lines = [
      'GET /mqtt HTTP/1.1',
      'Host: localhost',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
      ...headers,
    ];
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    await eventually(() => this.#ended || this.#received.includes('\r\n\r\n'));
    return this.#received.toString('latin1');
  }

  async isClosedAfter(bytes: readonly number[]): Promise<void> {
    this.#socket.write(Uint8Array.from(bytes));
    await eventually(() => this.#ended);
  }

  end(): void {
    this.#socket.destroy();
  }
}

describe('a WebSocket client', () => {
  const network = 'tcp_port = "off"\nwebsocket_port = 0';
  const protocol = 'Sec-WebSocket-Protocol: mqtt';

  const frames: readonly (readonly [why: string, frame: readonly number[]])[] = [
    ['38: a text frame', [0x81, 0x82, 0, 0, 0, 0, 0xc0, 0]],
    ['38: a frame without a mask', [0x82, 2, 0xc0, 0]],
    ['38: a frame that claims 2^62 bytes', [0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['38: a continuation of nothing', [0x80, 0x82, 0, 0, 0, 0, 0xc0, 0]],
    ['38: a ping in fragments', [0x09, 0x80, 0, 0, 0, 0]],
    ['40: a compressed frame, which was not agreed on', [0xc2, 0x82, 0, 0, 0, 0, 0xc0, 0]],
  ];
  for (const [why, frame] of frames) {
    test(`${why} ends the connection`, async () => {
      const world = await startBroker({ network });
      const client = await RawUpgrade.open(world);
      expect(await client.upgrade([protocol])).toContain('101');
      await client.isClosedAfter(frame);
    });
  }

  test('40: is not offered compression', async () => {
    const world = await startBroker({ network });
    const client = await RawUpgrade.open(world);
    const head = await client.upgrade([protocol, 'Sec-WebSocket-Extensions: permessage-deflate']);
    expect(head).toContain('101');
    expect(head.toLowerCase()).not.toContain('sec-websocket-extensions');
    client.end();
  });

  test('39: with thousands of headers, or a subprotocol full of blanks, costs nothing', async () => {
    const world = await startBroker({ network });
    const many = Array.from({ length: 3000 }, (_, index) => `X-${index}: y`);
    const blank = `Sec-WebSocket-Protocol: mqtt${' '.repeat(50_000)}x`;
    for (const headers of [many, [blank]]) {
      const client = await RawUpgrade.open(world);
      expect(await client.upgrade([...headers])).not.toContain('101');
      client.end();
    }
    const good = await RawUpgrade.open(world);
    expect(await good.upgrade([protocol])).toContain('101');
    good.end();
  });
});
