import { describe, expect, test } from 'vitest';
import { startBroker } from './conformance.fixture.ts';
import { acknowledgement, type ConnectOptions, publishPacket, textOf } from './peer.fixture.ts';

const KEPT = { sessionExpiryIntervalSeconds: 3600 };

describe('a message of QoS 1 to the broker', () => {
  test('is acknowledged under its identifier, in order (MQTT-5.0 [MQTT-4.3.2-4], [MQTT-4.6.0-2])', async () => {
    const world = await startBroker();
    // One durable reader and one without: the acknowledgements of both kinds keep one order.
    const reader = await world.client({ clientId: 'reader', properties: KEPT });
    await reader.subscribe('durable', { qos: 1 });
    for (const version of [3, 4, 5] as const) {
      const publisher = await world.client({ version });
      const topics = ['durable', 'nobody', '$SYS/forged', 'durable', 'nobody'];
      publisher.send(
        ...topics.map((topic, index) =>
          publishPacket(topic, 'x', { qos: 1, packetIdentifier: index + 10 }),
        ),
      );
      const codes: number[] = [];
      for (let index = 0; index < topics.length; index += 1) {
        const puback = await publisher.expect('puback');
        expect(puback.packetIdentifier).toBe(index + 10);
        codes.push(puback.reasonCode);
      }
      expect(codes[2]).toBe(version === 5 ? 0x87 : 0);
    }
  });

  test('is a new one each time it is sent (MQTT-5.0 [MQTT-4.3.2-5])', async () => {
    const world = await startBroker();
    const subscriber = await world.client();
    await subscriber.subscribe('a', { qos: 1 });
    const publisher = await world.client();
    for (const dup of [false, true]) {
      await publisher.publish('a', 'x', { qos: 1, dup, packetIdentifier: 1 });
      expect((await subscriber.receive()).dup).toBe(false);
    }
  });

  test('nobody subscribed to is answered 0x10 (MQTT-5.0 §3.4.2.1)', async () => {
    const world = await startBroker();
    const publisher = await world.client();
    expect(await publisher.publish('a', '', { qos: 1 })).toBe(0x10);
  });
});

describe('a message of QoS 1 from the broker', () => {
  for (const version of [3, 4, 5] as const) {
    test(`is repeated with DUP at the next connection, level ${version} (MQTT-5.0 [MQTT-4.4.0-1], [MQTT-3.3.1-1])`, async () => {
      const world = await startBroker();
      const kept: ConnectOptions = { version, clientId: 'c', cleanStart: false, properties: KEPT };
      const first = await world.client(kept);
      await first.subscribe('a', { qos: 1 });
      const publisher = await world.client();
      for (const payload of ['1', '2', '3']) await publisher.publish('a', payload, { qos: 1 });
      const seen = [];
      for (let count = 0; count < 3; count += 1) seen.push(await first.expect('publish'));
      first.send(acknowledgement('puback', seen[1]?.packetIdentifier ?? 0));
      await first.expectNothing();
      first.destroy();
      const second = await world.client(kept);
      for (const before of [seen[0], seen[2]]) {
        const again = await second.expect('publish');
        expect(again).toEqual({ ...before, dup: true });
        second.send(acknowledgement('puback', again.packetIdentifier));
      }
      await second.expectNothing();
      await second.disconnect();
      await (await world.client(kept)).expectNothing();
    });
  }

  test('is not repeated on one connection (MQTT-5.0 [MQTT-4.4.0-1])', async () => {
    const world = await startBroker();
    const peer = await world.client();
    await peer.subscribe('a', { qos: 1 });
    await peer.publish('b', '', { qos: 1 });
    const publisher = await world.client();
    await publisher.publish('a', 'x', { qos: 1 });
    const message = await peer.expect('publish');
    await peer.expectNothing();
    peer.send(acknowledgement('puback', message.packetIdentifier, 0x97));
    await peer.expectNothing();
  });

  test('waits for a client that is away, and those of QoS 0 do not (MQTT-5.0 [MQTT-4.5.0-1])', async () => {
    const world = await startBroker();
    const kept = { clientId: 'c', cleanStart: false, properties: KEPT };
    const first = await world.client(kept);
    await first.subscribe('a', { qos: 1 });
    await first.disconnect();
    const publisher = await world.client();
    for (let index = 0; index < 50; index += 1) {
      await publisher.publish('a', `${index}`, { qos: index % 2 === 0 ? 1 : 0 });
    }
    const second = await world.client(kept);
    expect(second.connack.sessionPresent).toBe(true);
    for (let index = 0; index < 50; index += 2) {
      const message = await second.receive();
      expect([textOf(message), message.dup]).toEqual([`${index}`, false]);
    }
    await second.expectNothing();
  });

  test('that expired while the client was away is not sent (MQTT-5.0 [MQTT-3.3.2-5])', async () => {
    const world = await startBroker();
    const kept = { clientId: 'c', cleanStart: false, properties: KEPT };
    const first = await world.client(kept);
    await first.subscribe('a', { qos: 1 });
    await first.disconnect();
    const publisher = await world.client();
    const properties = { messageExpiryIntervalSeconds: 0 };
    await publisher.publish('a', 'stale', { qos: 1, properties });
    await publisher.publish('a', 'fresh', { qos: 1 });
    const second = await world.client(kept);
    expect(await second.receiveText()).toBe('fresh');
    await second.expectNothing();
  });

  test('of an earlier session is still sent when the client wants no session any more (MQTT-5.0 §4.1)', async () => {
    const world = await startBroker();
    const first = await world.client({ clientId: 'c', properties: KEPT });
    await first.subscribe('a', { qos: 1 });
    await first.disconnect();
    const publisher = await world.client();
    await publisher.publish('a', 'kept', { qos: 1 });
    const last = await world.client({ clientId: 'c', cleanStart: false });
    expect(last.connack.sessionPresent).toBe(true);
    expect(await last.receiveText()).toBe('kept');
    await last.disconnect();
    const after = await world.client({ clientId: 'c', cleanStart: false });
    expect(after.connack.sessionPresent).toBe(false);
  });
});

test('an acknowledgement of nothing is ignored', async () => {
  const world = await startBroker();
  const peer = await world.client();
  peer.send(acknowledgement('puback', 77), acknowledgement('pubcomp', 78));
  await peer.expectNothing();
});
