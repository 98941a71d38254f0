import { describe, expect, test } from 'vitest';
import { startBroker } from './conformance.fixture.ts';
import { acknowledgement, type ConnectOptions, publishPacket, textOf } from './peer.fixture.ts';

const KEPT = { sessionExpiryIntervalSeconds: 3600 };

describe('a message of QoS 2 to the broker', () => {
  for (const version of [3, 4, 5] as const) {
    test(`is published once, however often it comes, level ${version} (MQTT-5.0 [MQTT-4.3.3-10])`, async () => {
      const world = await startBroker();
      const subscriber = await world.client();
      await subscriber.subscribe('a', { qos: 2 });
      const publisher = await world.client({ version });
      for (const dup of [false, true, true]) {
        publisher.send(publishPacket('a', 'once', { qos: 2, dup, packetIdentifier: 4 }));
        expect((await publisher.expect('pubrec')).packetIdentifier).toBe(4);
      }
      publisher.send(acknowledgement('pubrel', 4));
      expect((await publisher.expect('pubcomp')).packetIdentifier).toBe(4);
      expect(await subscriber.receiveText()).toBe('once');
      await publisher.publish('a', 'again', { qos: 2, packetIdentifier: 4 });
      expect(await subscriber.receiveText()).toBe('again');
      await subscriber.expectNothing();
    });
  }

  test('is known again after a reconnection (MQTT-5.0 §4.1, §4.4)', async () => {
    const world = await startBroker();
    const subscriber = await world.client();
    await subscriber.subscribe('a', { qos: 2 });
    const kept: ConnectOptions = { clientId: 'p', cleanStart: false, properties: KEPT };
    const first = await world.client(kept);
    first.send(publishPacket('a', 'once', { qos: 2, packetIdentifier: 4 }));
    await first.expect('pubrec');
    first.destroy();
    const second = await world.client(kept);
    second.send(publishPacket('a', 'once', { qos: 2, dup: true, packetIdentifier: 4 }));
    await second.expect('pubrec');
    second.send(acknowledgement('pubrel', 4));
    expect((await second.expect('pubcomp')).reasonCode).toBe(0);
    expect(await subscriber.receiveText()).toBe('once');
    await subscriber.expectNothing();
  });

  test('is forgotten with its session (MQTT-5.0 [MQTT-3.1.2-4])', async () => {
    const world = await startBroker();
    const kept = { clientId: 'p', properties: KEPT };
    const first = await world.client(kept);
    first.send(publishPacket('a', 'x', { qos: 2, packetIdentifier: 4 }));
    await first.expect('pubrec');
    first.destroy();
    const second = await world.client(kept);
    second.send(acknowledgement('pubrel', 4));
    expect((await second.expect('pubcomp')).reasonCode).toBe(0x92);
  });

  test('that is refused leaves nothing behind (MQTT-5.0 §4.3.3)', async () => {
    const world = await startBroker();
    const publisher = await world.client();
    publisher.send(publishPacket('$SYS/forged', 'x', { qos: 2, packetIdentifier: 4 }));
    expect((await publisher.expect('pubrec')).reasonCode).toBe(0x87);
    publisher.send(acknowledgement('pubrel', 4));
    expect((await publisher.expect('pubcomp')).reasonCode).toBe(0x92);
  });

  test('of 3.1.1 may be followed by as many as there are identifiers, for it knows no quota', async () => {
    const world = await startBroker({ mqtt: 'receive_maximum = 10' });
    const publisher = await world.client({ version: 4 });
    const count = 2000;
    for (let id = 1; id <= count; id += 1) {
      publisher.send(publishPacket('a', 'x', { qos: 2, packetIdentifier: id }));
    }
    for (let id = 1; id <= count; id += 1) {
      expect((await publisher.expect('pubrec')).packetIdentifier).toBe(id);
    }
    for (let id = 1; id <= count; id += 1) publisher.send(acknowledgement('pubrel', id));
    for (let id = 1; id <= count; id += 1) {
      expect((await publisher.expect('pubcomp')).packetIdentifier).toBe(id);
    }
  });
});

describe('a message of QoS 2 from the broker', () => {
  for (const version of [3, 4, 5] as const) {
    test(`goes on where it was, level ${version} (MQTT-5.0 [MQTT-4.4.0-1], [MQTT-4.3.3-6])`, async () => {
      const world = await startBroker();
      const kept: ConnectOptions = { version, clientId: 'c', cleanStart: false, properties: KEPT };
      const first = await world.client(kept);
      await first.subscribe('a', { qos: 2 });
      const publisher = await world.client();
      for (const payload of ['1', '2']) await publisher.publish('a', payload, { qos: 2 });
      const one = await first.expect('publish');
      const two = await first.expect('publish');
      first.send(acknowledgement('pubrec', one.packetIdentifier));
      expect((await first.expect('pubrel')).packetIdentifier).toBe(one.packetIdentifier);
      first.destroy();
      const second = await world.client(kept);
      expect((await second.expect('pubrel')).packetIdentifier).toBe(one.packetIdentifier);
      expect(await second.expect('publish')).toEqual({ ...two, dup: true });
      second.send(acknowledgement('pubcomp', one.packetIdentifier));
      second.send(acknowledgement('pubrec', two.packetIdentifier));
      expect((await second.expect('pubrel')).packetIdentifier).toBe(two.packetIdentifier);
      second.send(acknowledgement('pubcomp', two.packetIdentifier));
      await second.expectNothing();
      second.destroy();
      await (await world.client(kept)).expectNothing();
    });
  }

  test('ends with a PUBREC that refuses it (MQTT-5.0 §4.3.3)', async () => {
    const world = await startBroker();
    const kept: ConnectOptions = { clientId: 'c', cleanStart: false, properties: KEPT };
    const peer = await world.client(kept);
    await peer.subscribe('a', { qos: 2 });
    const publisher = await world.client();
    await publisher.publish('a', 'x', { qos: 2 });
    const message = await peer.expect('publish');
    peer.send(acknowledgement('pubrec', message.packetIdentifier, 0x80));
    await peer.expectNothing();
    peer.destroy();
    await (await world.client(kept)).expectNothing();
  });

  test('is released again when PUBREC comes twice (MQTT-5.0 [MQTT-4.3.3-4])', async () => {
    const world = await startBroker();
    const peer = await world.client();
    await peer.subscribe('a', { qos: 2 });
    const publisher = await world.client();
    await publisher.publish('a', 'x', { qos: 2 });
    const { packetIdentifier } = await peer.expect('publish');
    for (let count = 0; count < 2; count += 1) {
      peer.send(acknowledgement('pubrec', packetIdentifier));
      expect((await peer.expect('pubrel')).reasonCode).toBe(0);
    }
  });

  test('that is not known is answered 0x92 (MQTT-5.0 §3.6.2.1)', async () => {
    const world = await startBroker();
    const peer = await world.client();
    peer.send(acknowledgement('pubrec', 500));
    expect(await peer.expect('pubrel')).toMatchObject({ packetIdentifier: 500, reasonCode: 0x92 });
    peer.send(acknowledgement('pubcomp', 500));
    await peer.expectNothing();
  });

  test('keeps its order with others of QoS 1 and 2 across a reconnection (MQTT-5.0 [MQTT-4.6.0-1])', async () => {
    const world = await startBroker();
    const kept: ConnectOptions = { clientId: 'c', cleanStart: false, properties: KEPT };
    const first = await world.client(kept);
    await first.subscribe('a', { qos: 2 });
    const publisher = await world.client();
    for (let index = 0; index < 20; index += 1) {
      await publisher.publish('a', `${index}`, { qos: index % 2 === 0 ? 1 : 2 });
    }
    for (let index = 0; index < 20; index += 1) await first.expect('publish');
    first.destroy();
    await publisher.publish('a', '20', { qos: 1 });
    const second = await world.client(kept);
    for (let index = 0; index <= 20; index += 1) {
      const message = await second.expect('publish');
      expect(textOf(message)).toBe(`${index}`);
      // The last one may have been sent before the broker saw the end of the stream.
      if (index < 20) expect(message.dup).toBe(true);
    }
  });
});
