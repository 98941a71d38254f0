import type { Properties, Qos } from '@robustmq/mqtt-codec';
import { describe, expect, test } from 'vitest';
import { startBroker } from './conformance.fixture.ts';
import { publishPacket, textOf } from './peer.fixture.ts';

const VERSIONS = [3, 4, 5] as const;
const QUALITIES = [0, 1, 2] as const;

describe('a message', () => {
  test('arrives with the lower of both QoS, in every version (MQTT-5.0 [MQTT-3.8.4-8])', async () => {
    const world = await startBroker();
    for (const from of VERSIONS) {
      for (const to of VERSIONS) {
        const publisher = await world.client({ version: from });
        const subscriber = await world.client({ version: to });
        for (const wanted of QUALITIES) {
          const topic = `${from}/${to}/${wanted}`;
          expect(await subscriber.subscribe(topic, { qos: wanted })).toEqual([wanted]);
          for (const qos of QUALITIES) {
            await publisher.publish(topic, `${qos}`, { qos });
            const message = await subscriber.receive();
            const least = Math.min(qos, wanted);
            expect([textOf(message), message.qos, message.dup]).toEqual([`${qos}`, least, false]);
          }
        }
      }
    }
  });

  test('keeps its properties, in their order (MQTT-5.0 [MQTT-3.3.2-15] to [MQTT-3.3.2-20])', async () => {
    const world = await startBroker();
    const subscriber = await world.client();
    await subscriber.subscribe('a', { qos: 2 });
    const properties: Properties = {
      payloadFormatIndicator: 1,
      contentType: 'text/plain',
      responseTopic: 'answers',
      correlationData: Uint8Array.of(0, 1, 255),
      userProperties: [
        ['b', '1'],
        ['a', '2'],
        ['b', '1'],
      ],
    };
    const publisher = await world.client();
    for (const qos of QUALITIES) {
      await publisher.publish('a', 'x', { qos, properties });
      expect((await subscriber.receive()).properties).toEqual(properties);
    }
  });

  test('loses its properties on the way to 3.1.1 and nothing else', async () => {
    const world = await startBroker();
    const old = await world.client({ version: 4 });
    await old.subscribe('a', { qos: 1 });
    const publisher = await world.client();
    await publisher.publish('a', 'x', { qos: 1, properties: { contentType: 'text/plain' } });
    const message = await old.receive();
    expect([textOf(message), message.properties]).toEqual(['x', {}]);
  });

  test('tells what is left of its expiry (MQTT-5.0 [MQTT-3.3.2-6])', async () => {
    const world = await startBroker();
    const subscriber = await world.client();
    await subscriber.subscribe('a');
    const publisher = await world.client();
    const properties = { messageExpiryIntervalSeconds: 4_000_000_000 };
    await publisher.publish('a', 'x', { properties });
    const left = (await subscriber.receive()).properties.messageExpiryIntervalSeconds ?? 0;
    expect(left).toBeGreaterThan(3_999_999_990);
    expect(left).toBeLessThanOrEqual(4_000_000_000);
  });

  test('without an expiry gets the cap that is configured', async () => {
    const world = await startBroker({ mqtt: 'message_expiry_seconds_max = 1000' });
    const subscriber = await world.client();
    await subscriber.subscribe('a');
    const publisher = await world.client();
    for (const properties of [{}, { messageExpiryIntervalSeconds: 5000 }]) {
      await publisher.publish('a', 'x', { properties });
      const left = (await subscriber.receive()).properties.messageExpiryIntervalSeconds ?? 0;
      expect(left).toBeGreaterThan(990);
      expect(left).toBeLessThanOrEqual(1000);
    }
  });

  test('of any size that the broker takes arrives whole, in small pieces and in large ones', async () => {
    const world = await startBroker({ mqtt: 'maximum_packet_size_bytes = 4194304' });
    const subscriber = await world.client();
    await subscriber.subscribe('a', { qos: 1 });
    const publisher = await world.client();
    for (const size of [0, 1, 127, 128, 8192, 65_530, 65_536, 70_000, 3_000_000]) {
      const payload = 'x'.repeat(size);
      await publisher.publish('a', payload, { qos: 1 });
      expect((await subscriber.receive()).payload.length).toBe(size);
    }
  });

  test('that is too large for one receiver reaches the others (MQTT-5.0 [MQTT-3.1.2-24], [MQTT-3.1.2-25])', async () => {
    const world = await startBroker();
    const small = await world.client({ properties: { maximumPacketSizeBytes: 100 } });
    const large = await world.client();
    for (const peer of [small, large]) await peer.subscribe('a', { qos: 1 });
    const publisher = await world.client();
    for (const payload of ['x'.repeat(100), 'fits'])
      await publisher.publish('a', payload, { qos: 1 });
    expect(await large.receiveText()).toBe('x'.repeat(100));
    expect(await large.receiveText()).toBe('fits');
    expect(await small.receiveText()).toBe('fits');
    await small.expectNothing();
  });

  test('keeps its place among those of one publisher and topic (MQTT-5.0 [MQTT-4.6.0-6])', async () => {
    const world = await startBroker();
    const subscriber = await world.client();
    await subscriber.subscribe('a', { qos: 2 });
    const publisher = await world.client();
    const packets = Array.from({ length: 300 }, (_, index) =>
      publishPacket('a', `${index}`, { qos: 1, packetIdentifier: index + 1 }),
    );
    publisher.send(...packets);
    for (let index = 0; index < 300; index += 1) {
      expect(await subscriber.receiveText()).toBe(`${index}`);
      expect((await publisher.expect('puback')).packetIdentifier).toBe(index + 1);
    }
  });
});

describe('PUBLISH closes the connection', () => {
  const rows: readonly (readonly [why: string, bytes: readonly number[], code: number])[] = [
    ['with QoS 3 (MQTT-5.0 [MQTT-3.3.1-4])', [0x36, 6, 0, 1, 97, 0, 1, 0], 0x81],
    ['with DUP and QoS 0 (MQTT-5.0 [MQTT-3.3.1-2])', [0x38, 4, 0, 1, 97, 0], 0x81],
    ['with packet identifier 0 (MQTT-5.0 [MQTT-2.2.1-3])', [0x32, 6, 0, 1, 97, 0, 0, 0], 0x82],
    ['without topic and alias (MQTT-5.0 §3.3.2.1)', [0x30, 3, 0, 0, 0], 0x82],
    ['with a wildcard in the topic (MQTT-5.0 [MQTT-3.3.2-2])', [0x30, 4, 0, 1, 0x23, 0], 0x90],
    ['with U+0000 in the topic (MQTT-5.0 [MQTT-4.7.3-2])', [0x30, 4, 0, 1, 0, 0], 0x81],
    [
      'with a surrogate in the topic (MQTT-5.0 [MQTT-1.5.4-1])',
      [0x30, 6, 0, 3, 0xed, 0xa0, 0x80, 0],
      0x81,
    ],
    [
      'with a Subscription Identifier (MQTT-5.0 [MQTT-3.3.4-6])',
      [0x30, 6, 0, 1, 97, 2, 0x0b, 1],
      0x82,
    ],
    [
      'with a property that is not its own (MQTT-5.0 §2.2.2.2)',
      [0x30, 9, 0, 1, 97, 5, 0x11, 0, 0, 0, 1],
      0x81,
    ],
    ['with a topic past the packet (MQTT-5.0 §1.5.4)', [0x30, 4, 0, 9, 97, 0], 0x81],
  ];
  for (const [why, bytes, code] of rows) {
    test(why, async () => {
      const world = await startBroker();
      const peer = await world.client();
      peer.sendBytes(...bytes);
      expect(await peer.expectClosed()).toBe(code);
    });
  }

  test('in 3.1.1 without a topic, silently (MQTT-3.1.1 [MQTT-4.7.3-1])', async () => {
    const world = await startBroker();
    const peer = await world.client({ version: 4 });
    peer.sendBytes(0x30, 2, 0, 0);
    expect(await peer.expectClosed()).toBeNull();
  });

  test('above the Maximum QoS (MQTT-5.0 [MQTT-3.2.2-11])', async () => {
    const world = await startBroker({ mqtt: 'maximum_qos = 1' });
    const peer = await world.client();
    expect(await peer.publish('a', '', { qos: 1 })).toBe(0x10);
    peer.send(publishPacket('a', '', { qos: 2, packetIdentifier: 5 }));
    expect(await peer.expectClosed()).toBe(0x9b);
  });

  test('above the Maximum Packet Size, before it is complete (MQTT-5.0 [MQTT-3.2.2-15])', async () => {
    const world = await startBroker({ mqtt: 'maximum_packet_size_bytes = 1024' });
    const peer = await world.client();
    peer.sendBytes(0x30, 0xff, 0xff, 0xff, 0x7f);
    expect(await peer.expectClosed()).toBe(0x95);
  });
});

test('a subscriber of a lower Maximum QoS is granted that one (MQTT-5.0 [MQTT-3.2.2-10])', async () => {
  const world = await startBroker({ mqtt: 'maximum_qos = 1' });
  const peer = await world.client();
  const granted = [];
  for (const qos of [0, 1, 2] satisfies Qos[])
    granted.push(await peer.subscribe(`${qos}`, { qos }));
  expect(granted).toEqual([[0], [1], [1]]);
});
