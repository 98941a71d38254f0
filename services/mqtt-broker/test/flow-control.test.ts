import { describe, expect, test } from 'vitest';
import { startBroker } from './conformance.fixture.ts';
import { acknowledgement, publishPacket, textOf } from './peer.fixture.ts';

const KEPT = { sessionExpiryIntervalSeconds: 3600 };

describe('towards the client', () => {
  for (const properties of [{}, KEPT]) {
    const kind = properties === KEPT ? 'a durable' : 'an ephemeral';
    test(`no more than the Receive Maximum is open, in ${kind} session (MQTT-5.0 [MQTT-3.3.4-9], [MQTT-4.9.0-1] to [MQTT-4.9.0-3])`, async () => {
      const world = await startBroker();
      const peer = await world.client({ properties: { ...properties, receiveMaximum: 2 } });
      await peer.subscribe('a', { qos: 2 });
      const publisher = await world.client();
      for (let index = 0; index < 6; index += 1) {
        await publisher.publish('a', `${index}`, { qos: index === 0 ? 2 : 1 });
      }
      // QoS 0 is not held back.
      await publisher.publish('a', 'free');
      const first = await peer.expect('publish');
      const second = await peer.expect('publish');
      expect([textOf(first), textOf(second)]).toEqual(['0', '1']);
      expect(textOf(await peer.expect('publish'))).toBe('free');
      // PUBREC does not end an exchange, PUBCOMP does.
      peer.send(acknowledgement('pubrec', first.packetIdentifier));
      await peer.expect('pubrel');
      await peer.expectNothing();
      peer.send(acknowledgement('pubcomp', first.packetIdentifier));
      expect(textOf(await peer.expect('publish'))).toBe('2');
      await peer.expectNothing();
      peer.send(acknowledgement('puback', second.packetIdentifier));
      for (const payload of ['3']) expect(textOf(await peer.expect('publish'))).toBe(payload);
      await peer.expectNothing();
    });
  }

  test('the limit of the broker holds for 3.1.1 as well', async () => {
    const world = await startBroker({ limits: 'inflight_messages_max = 1' });
    const peer = await world.client({ version: 4 });
    await peer.subscribe('a', { qos: 1 });
    const publisher = await world.client();
    for (const payload of ['1', '2']) await publisher.publish('a', payload, { qos: 1 });
    const first = await peer.expect('publish');
    await peer.expectNothing();
    peer.send(acknowledgement('puback', first.packetIdentifier));
    expect(textOf(await peer.expect('publish'))).toBe('2');
  });

  test('a smaller maximum at the next connection holds (MQTT-5.0 §3.1.2.11.3)', async () => {
    const world = await startBroker();
    const first = await world.client({ clientId: 'c', properties: KEPT });
    await first.subscribe('a', { qos: 1 });
    await first.disconnect();
    const publisher = await world.client();
    for (const payload of ['1', '2']) await publisher.publish('a', payload, { qos: 1 });
    const properties = { ...KEPT, receiveMaximum: 1 };
    const second = await world.client({ clientId: 'c', cleanStart: false, properties });
    const message = await second.expect('publish');
    await second.expectNothing();
    second.send(acknowledgement('puback', message.packetIdentifier));
    expect(textOf(await second.expect('publish'))).toBe('2');
  });

  test('identifiers in use are not used again, through thousands of messages (MQTT-5.0 [MQTT-2.2.1-4])', async () => {
    const world = await startBroker();
    const peer = await world.client({ properties: { receiveMaximum: 40 } });
    await peer.subscribe('a', { qos: 1 });
    const publisher = await world.client();
    const open: number[] = [];
    for (let index = 0; index < 3000; index += 1) {
      await publisher.publish('a', `${index}`, { qos: 1 });
      const message = await peer.expect('publish');
      expect(open).not.toContain(message.packetIdentifier);
      open.push(message.packetIdentifier);
      const closing = (index * 7) % open.length;
      if (open.length === 40) peer.send(acknowledgement('puback', open.splice(closing, 1)[0] ?? 0));
    }
  });
});

describe('towards the broker', () => {
  test('more open QoS 2 messages than the Receive Maximum close the connection (MQTT-5.0 [MQTT-3.3.4-7], [MQTT-3.3.4-8])', async () => {
    const world = await startBroker({ mqtt: 'receive_maximum = 3' });
    const publisher = await world.client();
    for (const id of [1, 2, 3]) {
      publisher.send(publishPacket('a', 'x', { qos: 2, packetIdentifier: id }));
      await publisher.expect('pubrec');
    }
    // A repeated one is not one more.
    publisher.send(publishPacket('a', 'x', { qos: 2, dup: true, packetIdentifier: 3 }));
    await publisher.expect('pubrec');
    await publisher.publish('a', 'QoS 0 is not counted');
    publisher.send(publishPacket('a', 'x', { qos: 2, packetIdentifier: 4 }));
    expect(await publisher.expectClosed()).toBe(0x93);
  });

  test('just as many as the Receive Maximum are taken, also when they wait for the journal', async () => {
    const world = await startBroker({ mqtt: 'receive_maximum = 10' });
    const reader = await world.client({ properties: KEPT });
    await reader.subscribe('a', { qos: 2 });
    for (const qos of [1, 2] as const) {
      const publisher = await world.client({ properties: KEPT });
      for (let round = 0; round < 3; round += 1) {
        for (let id = 1; id <= 10; id += 1) {
          publisher.send(publishPacket('a', 'x', { qos, packetIdentifier: id }));
        }
        for (let id = 1; id <= 10; id += 1) {
          await publisher.expect(qos === 1 ? 'puback' : 'pubrec');
        }
        if (qos === 1) continue;
        for (let id = 1; id <= 10; id += 1) publisher.send(acknowledgement('pubrel', id));
        for (let id = 1; id <= 10; id += 1) await publisher.expect('pubcomp');
      }
    }
  });

  test('3.1.1 knows no quota: a burst of QoS 1 is taken at the pace of the journal', async () => {
    const world = await startBroker({ mqtt: 'receive_maximum = 10' });
    const reader = await world.client({ clientId: 'r', properties: KEPT });
    await reader.subscribe('a', { qos: 1 });
    const publisher = await world.client({ version: 4 });
    for (let id = 1; id <= 500; id += 1) {
      publisher.send(publishPacket('a', `${id}`, { qos: 1, packetIdentifier: id }));
    }
    for (let id = 1; id <= 500; id += 1) {
      expect((await publisher.expect('puback')).packetIdentifier).toBe(id);
      expect(await reader.receiveText()).toBe(`${id}`);
    }
  });
});
