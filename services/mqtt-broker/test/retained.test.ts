import { describe, expect, test } from 'vitest';
import { startBroker } from './conformance.fixture.ts';
import { publishPacket, subscriptionOf, textOf } from './peer.fixture.ts';

describe('a retained message', () => {
  for (const version of [3, 4, 5] as const) {
    test(`is sent to a new subscription, replaced and removed, level ${version} (MQTT-5.0 [MQTT-3.3.1-5], [MQTT-3.3.1-6], MQTT-3.1.1 [MQTT-3.3.1-10])`, async () => {
      const world = await startBroker();
      const publisher = await world.client({ version });
      for (const payload of ['first', 'second']) {
        await publisher.publish('a', payload, { qos: 1, retain: true });
      }
      const subscriber = await world.client({ version });
      await subscriber.subscribe('a', { qos: 2 });
      const message = await subscriber.receive();
      expect([textOf(message), message.retain, message.qos]).toEqual(['second', true, 1]);
      await publisher.publish('a', '', { retain: true });
      const removal = await subscriber.receive();
      expect([removal.payload.length, removal.retain]).toEqual([0, false]);
      await subscriber.subscribe('a');
      await subscriber.expectNothing();
    });
  }

  test('of QoS 0 is kept, and takes the place of one of QoS 1 (MQTT-5.0 [MQTT-3.3.1-5])', async () => {
    const world = await startBroker();
    const publisher = await world.client();
    await publisher.publish('a', 'one', { qos: 1, retain: true });
    await publisher.publish('a', 'zero', { qos: 0, retain: true });
    const subscriber = await world.client();
    await subscriber.subscribe('a', { qos: 1 });
    expect(await subscriber.receive()).toMatchObject({ qos: 0, retain: true });
  });

  test('is found by wildcards, those of $ topics only by name (MQTT-5.0 [MQTT-4.7.2-1])', async () => {
    const world = await startBroker();
    const publisher = await world.client();
    for (const topic of ['a', 'a/b', 'a/c/d', '/a', '$x/a']) {
      await publisher.publish(topic, topic, { retain: true });
    }
    const rows: readonly (readonly [filter: string, topics: readonly string[]])[] = [
      ['#', ['/a', 'a', 'a/b', 'a/c/d']],
      ['+', ['a']],
      ['a/#', ['a', 'a/b', 'a/c/d']],
      ['+/+', ['/a', 'a/b']],
      ['a/+/d', ['a/c/d']],
      ['$x/#', ['$x/a']],
      ['+/a', ['/a']],
    ];
    for (const [filter, topics] of rows) {
      const subscriber = await world.client();
      await subscriber.subscribe(filter);
      const found: string[] = [];
      for (let count = 0; count < topics.length; count += 1) {
        found.push((await subscriber.receive()).topic);
      }
      expect(found.sort()).toEqual(topics);
      await subscriber.expectNothing();
    }
  });

  test('is sent as Retain Handling says (MQTT-5.0 [MQTT-3.3.1-9] to [MQTT-3.3.1-11])', async () => {
    const world = await startBroker();
    const publisher = await world.client();
    await publisher.publish('a', 'x', { retain: true });
    const rows = [
      [0, true, true],
      [1, true, false],
      [2, false, false],
    ] as const;
    for (const [retainHandling, first, again] of rows) {
      const subscriber = await world.client();
      for (const sent of [first, again]) {
        await subscriber.subscribe('a', { retainHandling });
        if (sent) expect((await subscriber.receive()).retain).toBe(true);
        await subscriber.expectNothing();
      }
    }
  });

  test('keeps its flag on the way to others only with Retain As Published (MQTT-5.0 [MQTT-3.3.1-12], [MQTT-3.3.1-13])', async () => {
    const world = await startBroker();
    const plain = await world.client();
    const asPublished = await world.client();
    const old = await world.client({ version: 4 });
    await plain.subscribe('a', { qos: 1 });
    await asPublished.subscribe('a', { qos: 1, retainAsPublished: true });
    await old.subscribe('a', { qos: 1 });
    const publisher = await world.client();
    for (const qos of [0, 1] as const) {
      for (const retain of [true, false]) {
        await publisher.publish('a', 'x', { qos, retain });
        expect((await plain.receive()).retain).toBe(false);
        expect((await old.receive()).retain).toBe(false);
        expect((await asPublished.receive()).retain).toBe(retain);
      }
    }
  });

  test('keeps its flag clear for a subscriber whose queue shares it with the store (MQTT-5.0 [MQTT-3.3.1-12])', async () => {
    const world = await startBroker();
    const slow = await world.client({ properties: { receiveMaximum: 1 } });
    await slow.subscribe('a', { qos: 1 });
    const publisher = await world.client();
    for (const payload of ['1', '2'])
      await publisher.publish('a', payload, { qos: 1, retain: true });
    const late = await world.client();
    await late.subscribe('a', { qos: 1 });
    expect((await late.receive()).retain).toBe(true);
    for (const payload of ['1', '2']) {
      const message = await slow.receive();
      expect([textOf(message), message.retain]).toEqual([payload, false]);
    }
  });

  test('carries the identifier of the subscription that it answers (MQTT-5.0 [MQTT-3.3.4-3])', async () => {
    const world = await startBroker();
    const publisher = await world.client();
    await publisher.publish('a', 'x', { retain: true, properties: { contentType: 't' } });
    const subscriber = await world.client();
    await subscriber.subscribe('a', { properties: { subscriptionIdentifiers: [5] } });
    expect((await subscriber.receive()).properties).toEqual({
      contentType: 't',
      subscriptionIdentifiers: [5],
    });
  });

  test('is gone when it has expired (MQTT-5.0 §3.3.2.3.3)', async () => {
    const world = await startBroker();
    const publisher = await world.client();
    const properties = { messageExpiryIntervalSeconds: 0 };
    await publisher.publish('a', 'x', { qos: 1, retain: true, properties });
    const subscriber = await world.client();
    await subscriber.subscribe('#', { qos: 1 });
    await subscriber.expectNothing();
  });

  test('is not sent for a shared subscription (MQTT-5.0 §4.8.2)', async () => {
    const world = await startBroker();
    const publisher = await world.client();
    await publisher.publish('a', 'x', { retain: true });
    const subscriber = await world.client();
    await subscriber.subscribe('$share/g/a');
    await subscriber.expectNothing();
  });

  test('is refused where retaining is not available (MQTT-5.0 [MQTT-3.2.2-14])', async () => {
    const world = await startBroker({ mqtt: 'retain_available = false' });
    const publisher = await world.client();
    publisher.send(publishPacket('a', 'x', { retain: true }));
    expect(await publisher.expectClosed()).toBe(0x9a);
  });

  test('above the limit of the store is refused and reaches nobody', async () => {
    const world = await startBroker({ limits: 'retained_messages_max = 1' });
    const subscriber = await world.client();
    await subscriber.subscribe('#', { qos: 1 });
    const publisher = await world.client();
    expect(await publisher.publish('a', '1', { qos: 1, retain: true })).toBe(0);
    expect(await publisher.publish('b', '2', { qos: 1, retain: true })).toBe(0x97);
    expect(await publisher.publish('a', '3', { qos: 1, retain: true })).toBe(0);
    expect([await subscriber.receiveText(), await subscriber.receiveText()]).toEqual(['1', '3']);
    await subscriber.expectNothing();
  });
});

describe('many retained messages', () => {
  test('all arrive, though window and queue are small', async () => {
    const world = await startBroker({ limits: 'queued_messages_max = 5' });
    const publisher = await world.client();
    const count = 700;
    for (let index = 0; index < count; index += 1) {
      publisher.send(publishPacket(`many/${index}`, 'x', { retain: true }));
      publisher.send(
        publishPacket(`sure/${index}`, 'x', { qos: 1, retain: true, packetIdentifier: index + 1 }),
      );
      await publisher.expect('puback');
    }
    for (const [filter, qos] of [
      ['many/#', 0],
      ['sure/#', 1],
    ] as const) {
      const subscriber = await world.client({ properties: { receiveMaximum: 3 } });
      await subscriber.subscribeAll([subscriptionOf(filter, { qos })]);
      const topics = new Set<string>();
      for (let index = 0; index < count; index += 1) topics.add((await subscriber.receive()).topic);
      expect(topics.size).toBe(count);
      await subscriber.expectNothing();
    }
  });

  test('stop with their subscription', async () => {
    const world = await startBroker();
    const publisher = await world.client();
    for (let index = 0; index < 10; index += 1) {
      await publisher.publish(`t/${index}`, 'x', { qos: 1, retain: true });
    }
    const subscriber = await world.client({ properties: { receiveMaximum: 1 } });
    await subscriber.subscribe('t/#', { qos: 1 });
    const { packetIdentifier } = await subscriber.expect('publish');
    expect(await subscriber.unsubscribe('t/#')).toEqual([0]);
    subscriber.send({ kind: 'puback', packetIdentifier, reasonCode: 0, properties: {} });
    await subscriber.expectNothing();
  });
});
