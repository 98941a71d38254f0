import { describe, expect, test } from 'vitest';
import { startBroker } from './conformance.fixture.ts';
import { publishPacket, textOf } from './peer.fixture.ts';

function aliased(
  topic: string,
  topicAlias: number,
  payload = '',
): ReturnType<typeof publishPacket> {
  return publishPacket(topic, payload, { properties: { topicAlias } });
}

describe('an alias of the client', () => {
  test('stands for its topic until it is set anew, and is not passed on (MQTT-5.0 §3.3.2.3.4)', async () => {
    const world = await startBroker();
    const peer = await world.client();
    await peer.subscribe('#');
    const publisher = await world.client();
    publisher.send(
      aliased('a', 1, '1'),
      aliased('', 1, '2'),
      aliased('b', 1, '3'),
      aliased('', 1, '4'),
    );
    publisher.send(aliased('c', 256, '5'), aliased('', 256, '6'), aliased('', 1, '7'));
    for (const expected of ['a1', 'a2', 'b3', 'b4', 'c5', 'c6', 'b7']) {
      const message = await peer.receive();
      expect(message.topic + textOf(message)).toBe(expected);
      expect(message.properties).toEqual({});
    }
  });

  test('dies with its connection (MQTT-5.0 [MQTT-3.3.2-7])', async () => {
    const world = await startBroker();
    const properties = { sessionExpiryIntervalSeconds: 60 };
    const first = await world.client({ clientId: 'c', properties });
    first.send(aliased('a', 1));
    await first.expectNothing();
    const second = await world.client({ clientId: 'c', cleanStart: false, properties });
    second.send(aliased('', 1));
    expect(await second.expectClosed()).toBe(0x82);
  });

  const rows = [
    [0, 256, 0x94, '0 (MQTT-5.0 [MQTT-3.3.2-8])'],
    [257, 256, 0x94, 'above the Topic Alias Maximum (MQTT-5.0 [MQTT-3.3.2-9])'],
    [1, 0, 0x94, 'where none is allowed (MQTT-5.0 §3.2.2.3.8)'],
  ] as const;
  for (const [alias, maximum, code, why] of rows) {
    test(`closes the connection when it is ${why}`, async () => {
      const world = await startBroker({ mqtt: `topic_alias_maximum = ${maximum}` });
      const peer = await world.client();
      peer.send(aliased('a', alias));
      expect(await peer.expectClosed()).toBe(code);
    });
  }

  test('does not open a topic that is denied', async () => {
    const world = await startBroker();
    const peer = await world.client();
    await peer.subscribe('$SYS/#');
    const publisher = await world.client();
    publisher.send(aliased('a', 1), aliased('$SYS/forged', 1), aliased('', 1));
    await publisher.expectNothing();
    await peer.expectNothing();
  });
});

describe('an alias of the broker', () => {
  test('is set with the name and then used without it, as many as the client allows (MQTT-5.0 §3.1.2.11.5, [MQTT-3.1.2-26])', async () => {
    const world = await startBroker({ mqtt: 'topic_alias_maximum_outbound = 8' });
    const peer = await world.client({ properties: { topicAliasMaximum: 2 } });
    await peer.subscribe('#', { qos: 1 });
    const publisher = await world.client();
    const seen: (readonly [string, number | undefined])[] = [];
    for (const topic of ['a', 'a', 'b', 'c', 'b', 'a', 'c']) {
      await publisher.publish(topic, 'x', { qos: 1 });
      const message = await peer.receive();
      seen.push([message.topic, message.properties.topicAlias]);
    }
    expect(seen).toEqual([
      ['a', 1],
      ['', 1],
      ['b', 2],
      ['c', undefined],
      ['', 2],
      ['', 1],
      ['c', undefined],
    ]);
  });

  test('is not used towards a client that allows none (MQTT-5.0 [MQTT-3.1.2-27])', async () => {
    const world = await startBroker({ mqtt: 'topic_alias_maximum_outbound = 8' });
    for (const version of [3, 4, 5] as const) {
      const peer = await world.client({ version });
      await peer.subscribe('a');
      const publisher = await world.client();
      for (let count = 0; count < 2; count += 1) {
        await publisher.publish('a', 'x');
        expect(await peer.receive()).toMatchObject({ topic: 'a', properties: {} });
      }
    }
  });

  test('that would not fit is not set by a message that is dropped (MQTT-5.0 [MQTT-3.1.2-25])', async () => {
    const world = await startBroker({ mqtt: 'topic_alias_maximum_outbound = 8' });
    const peer = await world.client({
      properties: { topicAliasMaximum: 2, maximumPacketSizeBytes: 40 },
    });
    await peer.subscribe('a');
    const publisher = await world.client();
    for (const payload of ['x'.repeat(60), 'y', 'z']) await publisher.publish('a', payload);
    expect(await peer.receive()).toMatchObject({ topic: 'a', properties: { topicAlias: 1 } });
    expect(await peer.receive()).toMatchObject({ topic: '', properties: { topicAlias: 1 } });
  });

  test('begins anew on a new connection, also for what is repeated (MQTT-5.0 [MQTT-3.3.2-7])', async () => {
    const world = await startBroker({ mqtt: 'topic_alias_maximum_outbound = 8' });
    const properties = { topicAliasMaximum: 2, sessionExpiryIntervalSeconds: 60 };
    const first = await world.client({ clientId: 'c', properties });
    await first.subscribe('a', { qos: 1 });
    const publisher = await world.client();
    for (const payload of ['1', '2']) await publisher.publish('a', payload, { qos: 1 });
    expect((await first.expect('publish')).topic).toBe('a');
    expect((await first.expect('publish')).topic).toBe('');
    const second = await world.client({ clientId: 'c', cleanStart: false, properties });
    expect(await second.expect('publish')).toMatchObject({ topic: 'a', dup: true });
    expect(await second.expect('publish')).toMatchObject({ topic: '', dup: true });
  });
});
