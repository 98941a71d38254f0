import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import {
  createFrame,
  DECODE_FROM_CLIENT,
  decodePacket,
  encodePacket,
  FrameStatus,
  NO_PROPERTIES,
  readFrame,
} from '@robustmq/mqtt-codec';
import type { Connect, Packet, ProtocolVersion } from '@robustmq/mqtt-codec';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MqttClientError } from './client-error.ts';
import type { ClientOptions } from './client-options.ts';
import { acknowledgementOf, ClientSession } from './client-session.ts';
import { connect } from './connect.ts';
import type { MqttClient } from './mqtt-client.ts';
import { openConnection } from './mqtt-connection.ts';
import type { ReceivedMessage } from './received-message.ts';

/** A broker of a few lines: the test says each answer. */
class ScriptedServer {
  readonly received: Packet[] = [];
  readonly #server: Server;
  #version: ProtocolVersion = 5;
  #socket: Socket | null = null;
  #waiting: { readonly kind: Packet['kind']; readonly resolve: (packet: Packet) => void }[] = [];
  /** Answers to packets of the client; CONNECT is accepted unless the test says otherwise. */
  answer: (packet: Packet) => readonly Packet[] = () => [];

  constructor() {
    this.#server = createServer((socket) => this.#accept(socket));
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    this.#socket?.destroy();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  /** The first packet of a kind that is not asked for yet. */
  next(kind: Packet['kind']): Promise<Packet> {
    const index = this.received.findIndex((packet) => packet.kind === kind);
    if (index >= 0) return Promise.resolve(this.received.splice(index, 1)[0] as Packet);
    return new Promise((resolve) => {
      this.#waiting.push({ kind, resolve });
    });
  }

  send(...packets: readonly Packet[]): void {
    for (const packet of packets) this.#socket?.write(encodePacket(packet, this.#version));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#socket?.write(bytes);
  }

  cut(): void {
    this.#socket?.destroy();
  }

  #accept(socket: Socket): void {
    this.#socket = socket;
    let bytes = Buffer.alloc(0);
    const frame = createFrame();
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (readFrame(bytes, 0, bytes.length, frame) === FrameStatus.complete) {
        if (frame.header >> 4 === 1) this.#version = versionOf(bytes);
        const decoded = decodePacket(bytes, frame, this.#version, DECODE_FROM_CLIENT);
        if (!decoded.ok) throw new Error(decoded.fault.reason);
        bytes = bytes.subarray(frame.bodyEnd);
        this.#received(decoded.value);
      }
    });
  }

  #received(packet: Packet): void {
    const index = this.#waiting.findIndex(({ kind }) => kind === packet.kind);
    if (index < 0) this.received.push(packet);
    else this.#waiting.splice(index, 1)[0]?.resolve(packet);
    const answers = this.answer(packet);
    this.send(...(answers.length === 0 && packet.kind === 'connect' ? [accepted()] : answers));
  }
}

function versionOf(bytes: Uint8Array): ProtocolVersion {
  const level = bytes[4 + (bytes[3] ?? 0)];
  return level === 3 ? 3 : level === 4 ? 4 : 5;
}

function accepted(sessionPresent: 'new' | 'resumed' = 'new', properties = NO_PROPERTIES): Packet {
  return {
    kind: 'connack',
    sessionPresent: sessionPresent === 'resumed',
    reasonCode: 0,
    properties,
  };
}

function publishOf(
  qos: 0 | 1 | 2,
  packetIdentifier: number,
  text: string,
  topicAlias?: number,
): Packet {
  const properties = topicAlias === undefined ? NO_PROPERTIES : { topicAlias };
  const topic = topicAlias !== undefined && text !== 'first' ? '' : 'a/b';
  const payload = Buffer.from(text);
  return {
    kind: 'publish',
    topic,
    payload,
    qos,
    retain: false,
    dup: false,
    packetIdentifier,
    properties,
  };
}

const textOf = (message: ReceivedMessage | undefined): string =>
  Buffer.from(message?.payload ?? []).toString();

let server: ScriptedServer;
let port: number;
const clients: MqttClient[] = [];

beforeEach(async () => {
  server = new ScriptedServer();
  port = await server.listen();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await server.close();
});

async function connected(options: ClientOptions = {}): Promise<MqttClient> {
  const client = await connect({ port, clientId: 'c', timeoutMs: 5000, ...options });
  clients.push(client);
  return client;
}

async function faultOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof MqttClientError ? error.fault : error;
}

describe('connecting', () => {
  for (const version of [3, 4, 5] as const) {
    test(`says what the options ask for, with protocol level ${String(version)}`, async () => {
      const will = {
        topic: 'w',
        payload: Buffer.from('gone'),
        qos: 1,
        retain: true,
        properties: NO_PROPERTIES,
      } as const;
      const client = await connected({
        version,
        username: 'u',
        password: Buffer.from('p'),
        will,
        keepAliveSeconds: 7,
      });
      const packet = await server.next('connect');
      expect(packet).toMatchObject({
        version,
        clientId: 'c',
        username: 'u',
        keepAliveSeconds: 7,
        cleanStart: true,
      });
      const { password, will: sent } = packet as Connect;
      expect([Buffer.from(password ?? []).toString(), sent?.topic, sent?.qos]).toEqual([
        'p',
        'w',
        1,
      ]);
      expect(client.connack.sessionPresent).toBe(false);
    });
  }

  test('a refusal is told with its reason', async () => {
    server.answer = () => [
      { kind: 'connack', sessionPresent: false, reasonCode: 0x87, properties: NO_PROPERTIES },
    ];
    expect(await faultOf(connected())).toMatchObject({
      code: 'CLIENT_CONNECT_REFUSED',
      reasonCode: 0x87,
    });
  });

  test('a port where nobody listens is told as such', async () => {
    await server.close();
    expect(await faultOf(connected())).toMatchObject({ code: 'CLIENT_UNREACHABLE' });
    server = new ScriptedServer();
    await server.listen();
  });

  test('a server that answers CONNECT with anything else is left', async () => {
    server.answer = (packet) => (packet.kind === 'connect' ? [{ kind: 'pingresp' }] : []);
    expect(await faultOf(connected())).toMatchObject({
      code: 'CLIENT_CLOSED',
      operation: 'CONNECT',
    });
  });
});

describe('publishing', () => {
  test('QoS 1 resolves at PUBACK with its reason code', async () => {
    server.answer = (packet) =>
      packet.kind === 'publish'
        ? [{ ...acknowledgementOf('puback', packet.packetIdentifier), reasonCode: 0x10 }]
        : [];
    const client = await connected();
    expect(await client.publish({ topic: 'a', payload: Buffer.from('x'), qos: 1 })).toBe(0x10);
    expect(client.session.outbound.size).toBe(0);
  });

  test('QoS 2 resolves at PUBCOMP, after PUBREL', async () => {
    server.answer = (packet) => {
      if (packet.kind === 'publish') return [acknowledgementOf('pubrec', packet.packetIdentifier)];
      return packet.kind === 'pubrel'
        ? [acknowledgementOf('pubcomp', packet.packetIdentifier)]
        : [];
    };
    const client = await connected();
    expect(await client.publish({ topic: 'a', payload: Buffer.from('x'), qos: 2 })).toBe(0);
    expect(await server.next('pubrel')).toMatchObject({ packetIdentifier: 1 });
  });

  test('a refusal rejects and ends the exchange', async () => {
    server.answer = (packet) =>
      packet.kind === 'publish'
        ? [{ ...acknowledgementOf('pubrec', packet.packetIdentifier), reasonCode: 0x97 }]
        : [];
    const client = await connected();
    const publish = client.publish({ topic: 'a', payload: Buffer.from('x'), qos: 2 });
    expect(await faultOf(publish)).toMatchObject({ code: 'CLIENT_REFUSED', reasonCode: 0x97 });
    expect(client.session.outbound.size).toBe(0);
  });

  test('no more are under way than the server receives (MQTT-5.0 [MQTT-3.3.4-9])', async () => {
    server.answer = (packet) =>
      packet.kind === 'connect' ? [accepted('new', { receiveMaximum: 1 })] : [];
    const client = await connected();
    const publishes = ['1', '2'].map((text) =>
      client.publish({ topic: 'a', payload: Buffer.from(text), qos: 1 }),
    );
    await server.next('publish');
    expect(client.session.outbound.size).toBe(1);
    server.send(acknowledgementOf('puback', 1));
    expect(await server.next('publish')).toMatchObject({ packetIdentifier: 2 });
    server.send(acknowledgementOf('puback', 2));
    expect(await Promise.all(publishes)).toEqual([0, 0]);
  });

  test('what a cut connection left open is repeated on the next one, in order (MQTT-5.0 §4.4)', async () => {
    const session = new ClientSession();
    const first = await connected({ session, cleanStart: false });
    const publishes = ([2, 1] as const).map((qos) =>
      first.publish({ topic: 'a', payload: Buffer.from(String(qos)), qos }),
    );
    const faults = Promise.all(publishes.map(faultOf));
    await server.next('publish');
    await server.next('publish');
    const released = server.next('pubrel');
    server.send(acknowledgementOf('pubrec', 1));
    await released;
    server.cut();
    expect(await faults).toMatchObject([{ code: 'CLIENT_CLOSED' }, { code: 'CLIENT_CLOSED' }]);

    server.answer = (packet) => (packet.kind === 'connect' ? [accepted('resumed')] : []);
    await connected({ session, cleanStart: false });
    expect(await server.next('pubrel')).toMatchObject({ packetIdentifier: 1 });
    expect(await server.next('publish')).toMatchObject({ packetIdentifier: 2, dup: true });
  });
});

describe('receiving', () => {
  test('a QoS 2 message is handed on once, however often it is sent', async () => {
    const received: string[] = [];
    await connected({ onMessage: (message) => received.push(textOf(message)) });
    server.send(publishOf(2, 9, 'x'), { ...publishOf(2, 9, 'x'), dup: true } as Packet);
    await server.next('pubrec');
    await server.next('pubrec');
    server.send(acknowledgementOf('pubrel', 9));
    expect(await server.next('pubcomp')).toMatchObject({ packetIdentifier: 9 });
    server.send(publishOf(2, 9, 'y'));
    await server.next('pubrec');
    expect(received).toEqual(['x', 'y']);
  });

  test('acknowledgements wait until the message is taken', async () => {
    const client = await connected();
    server.send(publishOf(1, 4, 'x'), { kind: 'pingresp' });
    const messages = client.messages();
    expect(textOf((await messages.next()).value as ReceivedMessage)).toBe('x');
    expect(await server.next('puback')).toMatchObject({ packetIdentifier: 4 });
  });

  test('with manual acknowledgement nothing is sent before the call, and one thing after two calls', async () => {
    const client = await connected({ acknowledge: 'manual' });
    server.send(publishOf(1, 4, 'x'));
    const { value } = await client.messages().next();
    await client.publish({ topic: 'marker', payload: new Uint8Array(0) });
    await server.next('publish');
    expect(server.received.map(({ kind }) => kind)).not.toContain('puback');
    (value as ReceivedMessage).acknowledge();
    (value as ReceivedMessage).acknowledge();
    await server.next('puback');
    await client.publish({ topic: 'marker', payload: new Uint8Array(0) });
    await server.next('publish');
    expect(server.received.map(({ kind }) => kind)).not.toContain('puback');
  });

  test('no message is lost or reordered when more arrive than may wait', async () => {
    const client = await connected({ waitingMessagesMax: 4 });
    const texts = Array.from({ length: 300 }, (_, index) => String(index));
    server.send(...texts.map((text) => publishOf(0, 0, text)));
    const received: string[] = [];
    for await (const message of client.messages()) {
      received.push(textOf(message));
      if (received.length === texts.length) break;
    }
    expect(received).toEqual(texts);
  });

  test('a topic alias stands for the topic it was defined with (MQTT-5.0 §3.3.2.3.4)', async () => {
    const client = await connected({ properties: { topicAliasMaximum: 5 } });
    server.send(publishOf(0, 0, 'first', 3), publishOf(0, 0, 'second', 3));
    const messages = client.messages();
    await messages.next();
    expect((await messages.next()).value).toMatchObject({ topic: 'a/b' });
  });
});

describe('subscribing', () => {
  test('resolves with one reason code a filter', async () => {
    server.answer = (packet) =>
      packet.kind === 'subscribe'
        ? [
            {
              kind: 'suback',
              packetIdentifier: packet.packetIdentifier,
              reasonCodes: [1, 0x87],
              properties: NO_PROPERTIES,
            },
          ]
        : [];
    const client = await connected();
    expect(await client.subscribe([{ filter: 'a', qos: 1 }, { filter: 'b' }])).toEqual([1, 0x87]);
  });
});

describe('the end of a connection', () => {
  test('a DISCONNECT of the server is told with its reason', async () => {
    const client = await connected();
    server.send({ kind: 'disconnect', reasonCode: 0x8e, properties: NO_PROPERTIES });
    expect(await client.closed).toMatchObject({ kind: 'disconnected', reasonCode: 0x8e });
    expect(await client.messages().next()).toMatchObject({ done: true });
    expect(await faultOf(client.publish({ topic: 'a', payload: new Uint8Array(0) }))).toMatchObject(
      { code: 'CLIENT_CLOSED' },
    );
  });

  test('bytes that are no packet end it', async () => {
    const client = await connected();
    server.sendBytes(Uint8Array.of(0, 0));
    expect(await client.closed).toMatchObject({ kind: 'failed' });
  });

  test('disconnect says DISCONNECT', async () => {
    const client = await connected();
    expect(await client.disconnect()).toEqual({ kind: 'closed' });
    expect(await server.next('disconnect')).toMatchObject({ reasonCode: 0 });
  });
});

describe('the bare connection', () => {
  test('sends any bytes, and gives packets one by one whatever their chunks', async () => {
    const connection = await openConnection({ host: '127.0.0.1', port, tls: null }, 5, 5000);
    connection.sendBytes(Uint8Array.of(0xc0));
    connection.sendBytes(Uint8Array.of(0));
    await server.next('pingreq');
    const large = encodePacket(publishOf(0, 0, 'x'.repeat(70_000)), 5);
    server.sendBytes(large.subarray(0, 2));
    server.sendBytes(large.subarray(2, 40_000));
    server.sendBytes(large.subarray(40_000));
    server.send({ kind: 'pingresp' });
    expect(await connection.next(5000)).toMatchObject({ kind: 'publish', topic: 'a/b' });
    expect(await connection.next(5000)).toEqual({ kind: 'pingresp' });
    server.cut();
    expect(await connection.next(5000)).toBeNull();
    expect((await connection.closed).kind).not.toBe('closed');
  });
});
