import type { Properties } from '@robustmq/mqtt-codec';
import { describe, expect, test } from 'vitest';
import { startBroker } from './conformance.fixture.ts';
import { publishPacket, subscriptionOf, textOf } from './peer.fixture.ts';

describe('SUBSCRIBE', () => {
  test('is answered filter by filter, in order (MQTT-5.0 [MQTT-3.8.4-5], [MQTT-3.8.4-6])', async () => {
    const world = await startBroker({ mqtt: 'refused_subscriptions = ["test/nosubscribe"]' });
    const requests = [
      subscriptionOf('a', { qos: 2 }),
      subscriptionOf('a/#/b'),
      subscriptionOf('test/nosubscribe', { qos: 1 }),
      subscriptionOf('$share//a'),
      subscriptionOf('+/b', { qos: 1 }),
    ];
    const peer = await world.client();
    expect(await peer.subscribeAll(requests)).toEqual([2, 0x8f, 0x80, 0x8f, 1]);
    const old = await world.client({ version: 4 });
    expect(await old.subscribeAll(requests)).toEqual([2, 0x80, 0x80, 0x80, 1]);
  });

  test('replaces a subscription to the same filter without a gap (MQTT-5.0 [MQTT-3.8.4-3])', async () => {
    const world = await startBroker();
    const peer = await world.client();
    const publisher = await world.client();
    for (const qos of [2, 0, 1] as const) {
      await peer.subscribe('a', { qos, properties: { subscriptionIdentifiers: [qos + 1] } });
      await publisher.publish('a', 'x', { qos: 2 });
      const message = await peer.receive();
      expect([message.qos, message.properties]).toEqual([
        qos,
        { subscriptionIdentifiers: [qos + 1] },
      ]);
    }
    await peer.expectNothing();
    expect(await peer.unsubscribe('a', 'a')).toEqual([0, 0x11]);
  });

  test('gives one copy with the highest QoS and all identifiers to filters that overlap (MQTT-5.0 §3.3.4, [MQTT-3.3.4-2] to [MQTT-3.3.4-5])', async () => {
    const world = await startBroker();
    for (const version of [3, 4, 5] as const) {
      const peer = await world.client({ version });
      for (const [index, filter] of [
        'a/#',
        'a/+',
        'a/b',
        '#',
        '+/b',
        'a/b/#',
        '+/+',
        'a/b/c',
        '+/+/#',
        '+/#',
      ].entries()) {
        const properties = version === 5 ? { subscriptionIdentifiers: [index + 1] } : {};
        await peer.subscribe(filter, { qos: index === 3 ? 2 : 1, properties });
      }
      const publisher = await world.client();
      await publisher.publish('a/b', 'x', { qos: 2 });
      const message = await peer.receive();
      expect([textOf(message), message.qos]).toEqual(['x', 2]);
      if (version === 5) {
        const identifiers = [...(message.properties.subscriptionIdentifiers ?? [])];
        expect(identifiers.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 9, 10]);
      }
      await peer.expectNothing();
    }
  });

  test("with No Local keeps a client's own messages from it (MQTT-5.0 [MQTT-3.8.3-3])", async () => {
    const world = await startBroker();
    for (const properties of [{}, { sessionExpiryIntervalSeconds: 60 }]) {
      const peer = await world.client({ properties });
      await peer.subscribe('a', { qos: 1, noLocal: true });
      for (const qos of [0, 1] as const) await peer.publish('a', 'own', { qos, retain: true });
      await peer.expectNothing();
      const other = await world.client();
      for (const qos of [0, 1] as const) {
        await other.publish('a', 'other', { qos });
        expect(await peer.receiveText()).toBe('other');
      }
      // A second filter that matches wants them.
      await peer.subscribe('+', { qos: 1, retainHandling: 2 });
      peer.send(publishPacket('a', 'own'));
      expect(await peer.receiveText()).toBe('own');
      await other.publish('a', '', { retain: true });
      expect(await peer.receiveText()).toBe('');
    }
  });

  for (const properties of [{}, { sessionExpiryIntervalSeconds: 60 }]) {
    test(`of a ${'sessionExpiryIntervalSeconds' in properties ? 'durable' : 'live'} client without No Local beside one with it gives it its own messages by the former alone (MQTT-5.0 [MQTT-3.8.3-3])`, async () => {
      const world = await startBroker();
      const peer = await world.client({ properties });
      const identified = (identifier: number): Properties => ({
        subscriptionIdentifiers: [identifier],
      });
      await peer.subscribe('a', { qos: 2, noLocal: true, properties: identified(7) });
      await peer.subscribe('#', { qos: 1, properties: identified(8) });
      peer.send(publishPacket('a', 'own', { qos: 2, packetIdentifier: 1 }));
      const packets = [await peer.raw.next(15_000), await peer.raw.next(15_000)];
      const own = packets.find((packet) => packet?.kind === 'publish');
      expect(own).toMatchObject({ qos: 1, properties: { subscriptionIdentifiers: [8] } });
      await (await world.client()).publish('a', 'of another', { qos: 2 });
      const other = await peer.expect('publish');
      expect(other).toMatchObject({ qos: 2, properties: { subscriptionIdentifiers: [7, 8] } });
    });
  }

  test('with No Local does not get what the client itself has retained (MQTT-5.0 [MQTT-3.8.3-3])', async () => {
    const world = await startBroker();
    const peer = await world.client();
    await peer.publish('a', 'own', { qos: 1, retain: true });
    await peer.subscribe('a', { qos: 1, noLocal: true });
    await peer.expectNothing();
  });

  const errors: readonly (readonly [why: string, bytes: readonly number[], code: number])[] = [
    ['without a filter (MQTT-5.0 [MQTT-3.8.3-2])', [0x82, 3, 0, 1, 0], 0x82],
    ['with wrong flags (MQTT-5.0 [MQTT-3.8.1-1])', [0x80, 7, 0, 1, 0, 0, 1, 97, 0], 0x81],
    ['with packet identifier 0 (MQTT-5.0 [MQTT-2.2.1-3])', [0x82, 7, 0, 0, 0, 0, 1, 97, 0], 0x82],
    ['with QoS 3 (MQTT-5.0 §3.8.3.1)', [0x82, 7, 0, 1, 0, 0, 1, 97, 3], 0x82],
    ['with Retain Handling 3 (MQTT-5.0 §3.8.3.1)', [0x82, 7, 0, 1, 0, 0, 1, 97, 0x30], 0x82],
    ['with reserved options (MQTT-5.0 [MQTT-3.8.3-5])', [0x82, 7, 0, 1, 0, 0, 1, 97, 0x40], 0x81],
    ['with identifier 0 (MQTT-5.0 §3.8.2.1.2)', [0x82, 9, 0, 1, 2, 0x0b, 0, 0, 1, 97, 0], 0x82],
  ];
  for (const [why, bytes, code] of errors) {
    test(`closes the connection ${why}`, async () => {
      const world = await startBroker();
      const peer = await world.client();
      peer.sendBytes(...bytes);
      expect(await peer.expectClosed()).toBe(code);
    });
  }

  test('closes the connection with No Local on a shared subscription (MQTT-5.0 [MQTT-3.8.3-4])', async () => {
    const world = await startBroker();
    const peer = await world.client();
    const subscriptions = [subscriptionOf('$share/g/a', { noLocal: true })];
    peer.send({ kind: 'subscribe', packetIdentifier: 1, subscriptions, properties: {} });
    expect(await peer.expectClosed()).toBe(0x82);
  });

  const unavailable: readonly (readonly [key: string, filter: string, code: number])[] = [
    ['wildcard_subscription_available', 'a/+', 0xa2],
    ['shared_subscription_available', '$share/g/a', 0x9e],
  ];
  for (const [key, filter, code] of unavailable) {
    test(`is refused with ${key} off (MQTT-5.0 §3.9.3)`, async () => {
      const world = await startBroker({ mqtt: `${key} = false` });
      const peer = await world.client();
      expect(await peer.subscribe(filter)).toEqual([code]);
      expect(await peer.subscribe('a')).toEqual([0]);
    });
  }

  test('with an identifier closes the connection where there are none (MQTT-5.0 §3.2.2.3.12)', async () => {
    const world = await startBroker({ mqtt: 'subscription_identifiers_available = false' });
    const peer = await world.client();
    const subscriptions = [subscriptionOf('a')];
    const properties = { subscriptionIdentifiers: [1] };
    peer.send({ kind: 'subscribe', packetIdentifier: 1, subscriptions, properties });
    expect(await peer.expectClosed()).toBe(0xa1);
  });

  test('is refused above the limits that are configured', async () => {
    const limits =
      'subscriptions_per_client_max = 2\ntopic_levels_max = 4\nfilters_per_subscribe_max = 5';
    const world = await startBroker({ limits });
    const peer = await world.client();
    expect(await peer.subscribe('a/b/c/d/e')).toEqual([0x8f]);
    for (const [filter, code] of [
      ['a', 0],
      ['b', 0],
      ['c', 0x97],
      ['a', 0],
    ] as const) {
      expect(await peer.subscribe(filter)).toEqual([code]);
    }
    const subscriptions = Array.from({ length: 6 }, () => subscriptionOf('a'));
    peer.send({ kind: 'subscribe', packetIdentifier: 1, subscriptions, properties: {} });
    expect(await peer.expectClosed()).toBe(0x97);
  });

  test('of 3.1 may come with DUP (MQTT-3.1 §3.8)', async () => {
    const world = await startBroker();
    const peer = await world.client({ version: 3 });
    peer.sendBytes(0x8a, 6, 0, 7, 0, 1, 97, 1);
    expect(await peer.expect('suback')).toMatchObject({ packetIdentifier: 7, reasonCodes: [1] });
  });
});

describe('UNSUBSCRIBE', () => {
  test('is answered filter by filter; nothing new is sent afterwards (MQTT-5.0 [MQTT-3.10.4-1], [MQTT-3.10.4-2], [MQTT-3.11.3-1])', async () => {
    const world = await startBroker();
    const peer = await world.client();
    await peer.subscribe('a');
    await peer.subscribe('b/#');
    // Character by character: a filter that matches the same topics is another one.
    expect(await peer.unsubscribe('b/+', 'a', 'a/#/b', 'never')).toEqual([0x11, 0, 0x8f, 0x11]);
    const publisher = await world.client();
    for (const topic of ['a', 'b/c']) await publisher.publish(topic, topic);
    expect(await peer.receiveText()).toBe('b/c');
    await peer.expectNothing();
  });

  test('lets exchanges that are open end (MQTT-5.0 [MQTT-3.10.4-3])', async () => {
    const world = await startBroker();
    const properties = { sessionExpiryIntervalSeconds: 60 };
    const peer = await world.client({ clientId: 'c', properties });
    await peer.subscribe('a', { qos: 2 });
    const publisher = await world.client();
    await publisher.publish('a', 'x', { qos: 2 });
    const { packetIdentifier } = await peer.expect('publish');
    await peer.unsubscribe('a');
    peer.send({ kind: 'pubrec', packetIdentifier, reasonCode: 0, properties: {} });
    expect((await peer.expect('pubrel')).reasonCode).toBe(0);
    peer.destroy();
    const again = await world.client({ clientId: 'c', cleanStart: false, properties });
    expect((await again.expect('pubrel')).packetIdentifier).toBe(packetIdentifier);
  });

  test('has no codes before 5.0 and is answered all the same (MQTT-3.1.1 [MQTT-3.10.4-4], [MQTT-3.10.4-5])', async () => {
    const world = await startBroker();
    for (const version of [3, 4] as const) {
      const peer = await world.client({ version });
      expect(await peer.unsubscribe('never')).toEqual([]);
    }
  });

  test('without a filter closes the connection (MQTT-5.0 [MQTT-3.10.3-2])', async () => {
    const world = await startBroker();
    const peer = await world.client();
    peer.sendBytes(0xa2, 3, 0, 1, 0);
    expect(await peer.expectClosed()).toBe(0x82);
  });
});

describe('topic filters', () => {
  const rows: readonly (readonly [filter: string, matches: readonly string[]])[] = [
    ['sport/tennis/#', ['sport/tennis', 'sport/tennis/1', 'sport/tennis/1/2']],
    ['sport/+', ['sport/tennis', 'sport/']],
    ['+', ['sport', 'finance']],
    ['+/+', ['sport/tennis', 'sport/', '/finance']],
    ['/+', ['/finance']],
    ['$x/#', ['$x/a']],
    ['sport/', ['sport/']],
  ];
  const topics = [
    'sport',
    'finance',
    'sport/',
    '/finance',
    'sport/tennis',
    'sport/tennis/1',
    'sport/tennis/1/2',
    '$x/a',
  ];
  for (const [filter, matches] of rows) {
    test(`${filter} matches what MQTT-5.0 §4.7 says`, async () => {
      const world = await startBroker();
      const peer = await world.client();
      await peer.subscribe(filter, { qos: 1 });
      const publisher = await world.client();
      for (const topic of topics) await publisher.publish(topic, topic, { qos: 1 });
      const found: string[] = [];
      for (let count = 0; count < matches.length; count += 1) found.push(await peer.receiveText());
      expect(found.sort()).toEqual([...matches].sort());
      await peer.expectNothing();
    });
  }
});
