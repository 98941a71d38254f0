import { encodePacket } from '@robustmq/mqtt-codec';
import { describe, expect, test } from 'vitest';
import { eventually, startBroker } from './conformance.fixture.ts';
import { acknowledgement, connectPacket, publishPacket } from './peer.fixture.ts';

describe('before CONNECT', () => {
  // Numbers of the table of attacks that the broker withstands.
  const rows: readonly (readonly [why: string, bytes: readonly number[]])[] = [
    ['1: another packet that claims 256 MB', [0x30, 0xff, 0xff, 0xff, 0x7f]],
    ['2: a CONNECT that claims 256 MB', [0x10, 0xff, 0xff, 0xff, 0x7f]],
    ['3: an acknowledgement', [0x40, 2, 0, 1]],
    ['4: a remaining length of five bytes', [0x10, 0xff, 0xff, 0xff, 0xff, 0x01]],
    [
      '9: a protocol name that does not go with its level',
      [0x10, 12, 0, 4, 77, 81, 73, 115, 3, 2, 0, 0, 0, 0],
    ],
    ['11: a packet of the server', [0x20, 2, 0, 0]],
    ['AUTH without CONNECT', [0xf0, 2, 0x18, 0]],
    ['SUBSCRIBE', [0x82, 6, 0, 1, 0, 1, 97, 0]],
    ['PINGREQ', [0xc0, 0]],
    ['DISCONNECT', [0xe0, 0]],
    ['type 0', [0, 0]],
    ['HTTP', [...Buffer.from('GET / HTTP/1.1\r\n\r\n')]],
    ['TLS', [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc]],
  ];
  for (const [why, bytes] of rows) {
    test(`${why} closes the connection and costs nothing (MQTT-5.0 [MQTT-3.1.0-1])`, async () => {
      const world = await startBroker();
      const idle = await world.metric('robust_mqtt_memory_budget_used_bytes');
      const peer = await world.stream(4);
      peer.sendBytes(...bytes);
      const last = await peer.raw.next(15_000);
      // The name of a version that we don't speak is answered by its code.
      if (last !== null) expect(last).toMatchObject({ kind: 'connack', reasonCode: 1 });
      expect(await world.metric('robust_mqtt_memory_budget_used_bytes')).toBe(idle);
    });
  }

  test('8: a 5.0 CONNECT that is cut anywhere waits for its rest and is forgotten with its stream', async () => {
    const world = await startBroker();
    const idle = await world.metric('robust_mqtt_memory_budget_used_bytes');
    const packet = encodePacket(
      connectPacket(5, {
        clientId: 'cut',
        will: { properties: { contentType: 'x' } },
        username: 'u',
        properties: { sessionExpiryIntervalSeconds: 7, userProperties: [['a', 'b']] },
      }),
      5,
    );
    for (let length = 1; length < packet.length; length += 1) {
      const waits = await world.stream(5);
      waits.raw.sendBytes(packet.subarray(0, length));
      waits.raw.reset();
      if (length < 2) continue;
      // The same bytes as a whole packet are malformed, whatever is missing.
      const short = await world.stream(5);
      short.raw.sendBytes(
        Buffer.concat([Uint8Array.of(0x10, length - 2), packet.subarray(2, length)]),
      );
      const answer = await short.raw.next(15_000);
      if (answer !== null) expect(answer.kind).toBe('connack');
      if (answer?.kind === 'connack') expect(answer.reasonCode).toBeGreaterThanOrEqual(0x80);
      short.destroy();
    }
    await eventually(
      async () => (await world.metric('robust_mqtt_memory_budget_used_bytes')) === idle,
    );
    const good = await world.client();
    await good.expectNothing();
  });
});

describe('after CONNECT', () => {
  const rows: readonly (readonly [why: string, bytes: readonly number[], code: number])[] = [
    ['4: a remaining length of five bytes', [0x30, 0xff, 0xff, 0xff, 0xff, 0x01], 0x81],
    ['5: a property length of five bytes', [0x30, 8, 0, 1, 97, 0x80, 0x80, 0x80, 0x80, 0], 0x81],
    ['6: a property block past the packet', [0x30, 4, 0, 1, 97, 9], 0x81],
    ['6: a property value past its block', [0x30, 6, 0, 1, 97, 2, 0x02, 0], 0x81],
    ['7: a string past the packet', [0x82, 7, 0, 1, 0, 0, 9, 97, 0], 0x81],
    ['11: CONNACK from a client', [0x20, 3, 0, 0, 0], 0x82],
    ['11: SUBACK from a client', [0x90, 4, 0, 1, 0, 0], 0x82],
    ['11: UNSUBACK from a client', [0xb0, 4, 0, 1, 0, 0], 0x82],
    ['11: PINGRESP from a client', [0xd0, 0], 0x82],
    ['12: an empty topic', [0x30, 3, 0, 0, 0], 0x82],
    ['15: invalid UTF-8 in a topic', [0x30, 5, 0, 2, 0xc3, 0x28, 0], 0x81],
    ['15: invalid UTF-8 in a filter', [0x82, 8, 0, 1, 0, 0, 2, 0xc3, 0x28, 0], 0x81],
    ['the same property twice', [0x30, 8, 0, 1, 97, 4, 0x01, 0, 0x01, 0], 0x82],
    ['an undefined property', [0x30, 6, 0, 1, 97, 2, 0x7f, 0], 0x81],
    ['a Payload Format Indicator of 2', [0x30, 6, 0, 1, 97, 2, 0x01, 2], 0x82],
    ['reserved flags of PINGREQ', [0xc1, 0], 0x81],
    ['reserved flags of PUBACK', [0x41, 2, 0, 1], 0x81],
    ['reserved flags of PUBREL', [0x60, 2, 0, 1], 0x81],
    ['reserved flags of DISCONNECT', [0xe1, 0], 0x81],
    ['a reason code that PUBACK does not have', [0x40, 3, 0, 1, 0x01], 0x82],
    ['a DISCONNECT with a code of the server alone', [0xe0, 2, 0x8e, 0], 0x82],
    ['AUTH without a method in CONNECT (§4.12)', [0xf0, 2, 0x19, 0], 0x82],
    ['PINGREQ with a body', [0xc0, 1, 0], 0x81],
    ['type 0', [0, 0], 0x81],
  ];
  for (const [why, bytes, code] of rows) {
    test(`${why} closes the connection (MQTT-5.0 §4.13)`, async () => {
      const world = await startBroker();
      const peer = await world.client();
      peer.sendBytes(...bytes);
      expect(await peer.expectClosed()).toBe(code);
      const old = await world.client({ version: 4 });
      old.sendBytes(...bytes.slice(0, 1), 0xff, 0xff, 0xff, 0xff, 0x01);
      expect(await old.expectClosed()).toBeNull();
    });
  }

  test('13, 42: 65,535 slashes are refused at once', async () => {
    const world = await startBroker();
    const slashes = '/'.repeat(65_535);
    const peer = await world.client();
    expect(await peer.subscribe(slashes)).toEqual([0x8f]);
    expect(await peer.unsubscribe(slashes)).toEqual([0x8f]);
    peer.send(publishPacket(slashes, 'x'));
    expect(await peer.expectClosed()).toBe(0x90);
  });

  test('14: a deep pile of wildcards is matched in no time', async () => {
    const world = await startBroker();
    const peer = await world.client();
    const filters = Array.from({ length: 60 }, (_, index) => `${'+/'.repeat(index + 1)}#`);
    for (const filter of filters) await peer.subscribe(filter, { qos: 1 });
    peer.send(publishPacket(`${'a/'.repeat(100)}a`, 'x'));
    expect(await peer.receiveText()).toBe('x');
  });

  test('17: QoS 2 under one identifier that is never finished holds one receipt', async () => {
    const world = await startBroker();
    const peer = await world.client({ version: 4 });
    for (let count = 0; count < 2000; count += 1) {
      peer.send(
        publishPacket('a', 'x'.repeat(100), { qos: 2, dup: count > 0, packetIdentifier: 1 }),
      );
    }
    for (let count = 0; count < 2000; count += 1) await peer.expect('pubrec');
    peer.send(acknowledgement('pubrel', 1));
    expect((await peer.expect('pubcomp')).packetIdentifier).toBe(1);
  });

  test('23: nobody but the broker publishes below $SYS', async () => {
    const world = await startBroker();
    const witness = await world.client();
    await witness.subscribe('$SYS/#', { qos: 2 });
    for (const version of [3, 4, 5] as const) {
      const peer = await world.client({ version });
      const code = version === 5 ? 0x87 : 0;
      expect(await peer.publish('$SYS/brokers/1/clients/c/disconnected', 'x', { qos: 1 })).toBe(
        code,
      );
      await peer.publish('$SYS/x', 'x', { retain: true });
    }
    await witness.expectNothing();
    const late = await world.client();
    await late.subscribe('$SYS/#');
    await late.expectNothing();
  });

  test('24: quick sequences of connections that share topics harm nobody', async () => {
    const world = await startBroker();
    const witness = await world.client();
    for (let round = 0; round < 60; round += 1) {
      const peer = await world.stream(5);
      peer.send(
        connectPacket(5, {
          clientId: `c${round % 3}`,
          cleanStart: round % 2 === 0,
          properties: { sessionExpiryIntervalSeconds: round % 5 },
        }),
        {
          kind: 'subscribe',
          packetIdentifier: 1,
          subscriptions: [
            {
              filter: '$share/g/a',
              qos: 1,
              noLocal: false,
              retainAsPublished: false,
              retainHandling: 0,
            },
            { filter: '#', qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 0 },
          ],
          properties: {},
        },
        publishPacket('a', 'x', { qos: 1, packetIdentifier: 2, retain: round % 7 === 0 }),
        { kind: 'unsubscribe', packetIdentifier: 3, filters: ['$share/g/a'], properties: {} },
        publishPacket('a', 'y', { qos: 2, packetIdentifier: 4 }),
      );
      if (round % 3 === 0) peer.send({ kind: 'disconnect', reasonCode: 0, properties: {} });
      else if (round % 3 === 1) peer.raw.reset();
    }
    await witness.expectNothing();
    expect(await witness.publish('b', '', { qos: 1 })).toBeLessThan(0x80);
  });
});

test('18, 19: after all clients are gone nothing waits any more', async () => {
  const world = await startBroker({ limits: 'output_bytes_max = "64KB"' });
  const idle = await world.metric('robust_mqtt_memory_budget_used_bytes');
  const readers = await Promise.all(
    [{}, { receiveMaximum: 2 }, { sessionExpiryIntervalSeconds: 1 }].map((properties) =>
      world.client({ properties }),
    ),
  );
  for (const reader of readers) await reader.subscribe('#', { qos: 1 });
  await readers[0]?.subscribe('$share/g/a', { qos: 1 });
  for (const reader of readers) reader.raw.pause();
  const publisher = await world.client();
  const payload = 'x'.repeat(50_000);
  for (let index = 0; index < 100; index += 1) {
    await publisher.publish('a', payload, { qos: index % 2 === 0 ? 1 : 0 });
  }
  expect(await world.metric('robust_mqtt_memory_budget_used_bytes')).toBeGreaterThan(idle);
  const half = await world.client();
  half.sendBytes(0x30, 0xff, 0x7f, 0, 1);
  publisher.sendBytes(0x30, 0xff, 0x7f, 0, 1);
  await eventually(async () => (await world.metric('mqtt_connections_count')) === 5);
  for (const peer of [...readers, publisher, half]) peer.raw.reset();
  await eventually(async () => (await world.metric('mqtt_sessions_count')) === 0);
  await eventually(
    async () => (await world.metric('robust_mqtt_memory_budget_used_bytes')) === idle,
  );
  expect(await world.metric('robust_mqtt_queued_bytes')).toBe(0);
});
