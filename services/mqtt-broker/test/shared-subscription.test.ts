import { describe, expect, test } from 'vitest';
import { startBroker } from './conformance.fixture.ts';
import { acknowledgement, type Peer, textOf } from './peer.fixture.ts';

const KEPT = { sessionExpiryIntervalSeconds: 3600 };

/** Everything that arrived at a peer before this moment. */
async function drain(peer: Peer): Promise<string[]> {
  const seen: string[] = [];
  peer.send({ kind: 'pingreq' });
  for (;;) {
    const packet = await peer.raw.next(15_000);
    if (packet?.kind !== 'publish') return seen;
    seen.push(textOf(packet));
    if (packet.qos === 1) peer.send(acknowledgement('puback', packet.packetIdentifier));
  }
}

describe('a shared subscription', () => {
  for (const properties of [{}, KEPT]) {
    const kind = properties === KEPT ? 'durable' : 'ephemeral';
    test(`gives each message to one of its ${kind} members (MQTT-5.0 [MQTT-4.8.2-4])`, async () => {
      const world = await startBroker();
      const members = await Promise.all([1, 2, 3].map(() => world.client({ properties })));
      for (const member of members) await member.subscribe('$share/g/a/+', { qos: 1 });
      const plain = await world.client();
      await plain.subscribe('a/#', { qos: 1 });
      const publisher = await world.client();
      const sent: string[] = [];
      for (let index = 0; index < 30; index += 1) {
        sent.push(`${index}`);
        await publisher.publish('a/b', `${index}`, { qos: index % 2 === 0 ? 1 : 0 });
      }
      const seen = await Promise.all(members.map(drain));
      for (const each of seen) expect(each.length).toBe(10);
      expect(seen.flat().sort()).toEqual([...sent].sort());
      expect(await drain(plain)).toEqual(sent);
    });
  }

  test('is one of each share name and filter (MQTT-5.0 §4.8.2)', async () => {
    const world = await startBroker();
    const peer = await world.client();
    const filters = ['$share/g/a', '$share/h/a', '$share/g/+', 'a'];
    for (const filter of filters) await peer.subscribe(filter);
    await (await world.client()).publish('a', 'x');
    expect(await drain(peer)).toHaveLength(4);
    expect(await peer.unsubscribe('$share/g/a', '$share/none/a')).toEqual([0, 0x11]);
    await (await world.client()).publish('a', 'x');
    expect(await drain(peer)).toHaveLength(3);
  });

  test('has the QoS of each member (MQTT-5.0 [MQTT-4.8.2-3])', async () => {
    const world = await startBroker();
    const members = await Promise.all([world.client(), world.client()]);
    await members[0]?.subscribe('$share/g/a', { qos: 0 });
    await members[1]?.subscribe('$share/g/a', { qos: 2 });
    const publisher = await world.client();
    for (let count = 0; count < 2; count += 1) await publisher.publish('a', 'x', { qos: 2 });
    expect((await members[0]?.receive())?.qos).toBe(0);
    expect((await members[1]?.receive())?.qos).toBe(2);
  });

  const names = [
    '$share//a',
    '$share/+/a',
    '$share/g+/a',
    '$share/#/a',
    '$share/g',
    '$share/g/',
    '$share/g/a#',
  ];
  for (const filter of names) {
    test(`is refused as ${filter} (MQTT-5.0 [MQTT-4.8.2-1], [MQTT-4.8.2-2])`, async () => {
      const world = await startBroker();
      const peer = await world.client();
      expect(await peer.subscribe(filter)).toEqual([0x8f]);
    });
  }

  for (const properties of [{}, KEPT]) {
    const kind = properties === KEPT ? 'durable' : 'ephemeral';
    test(`gives what a ${kind} member did not acknowledge to another when its session ends (MQTT-5.0 §4.8.2)`, async () => {
      const world = await startBroker();
      const dying = await world.client({ properties });
      await dying.subscribe('$share/g/a', { qos: 1 });
      const publisher = await world.client();
      for (const payload of ['1', '2', '3']) await publisher.publish('a', payload, { qos: 1 });
      const first = await dying.expect('publish');
      for (let count = 0; count < 2; count += 1) await dying.expect('publish');
      dying.send(acknowledgement('puback', first.packetIdentifier));
      await dying.expectNothing();
      const other = await world.client({ properties });
      await other.subscribe('$share/g/a', { qos: 1 });
      await dying.disconnect(0, properties === KEPT ? { sessionExpiryIntervalSeconds: 0 } : {});
      const seen = [await other.receiveText(), await other.receiveText()];
      expect(seen.sort()).toEqual(['2', '3']);
      await other.expectNothing();
    });

    test(`does not give a QoS 2 message that a ${kind} member was sent to another (MQTT-5.0 [MQTT-4.8.2-4], [MQTT-4.8.2-5])`, async () => {
      const world = await startBroker();
      const dying = await world.client({ properties });
      await dying.subscribe('$share/g/a', { qos: 2 });
      const publisher = await world.client();
      for (let count = 0; count < 2; count += 1) await publisher.publish('a', 'x', { qos: 2 });
      const message = await dying.expect('publish');
      await dying.expect('publish');
      dying.send(acknowledgement('pubrec', message.packetIdentifier));
      await dying.expect('pubrel');
      const other = await world.client({ properties });
      await other.subscribe('$share/g/a', { qos: 2 });
      await dying.disconnect(0, properties === KEPT ? { sessionExpiryIntervalSeconds: 0 } : {});
      await publisher.publish('a', 'y', { qos: 2 });
      expect(await other.receiveText()).toBe('y');
      await other.expectNothing();
    });
  }

  test('waits for its durable members while all are away (MQTT-5.0 §4.8.2)', async () => {
    const world = await startBroker();
    const kept = { clientId: 'm', cleanStart: false, properties: KEPT };
    const member = await world.client(kept);
    await member.subscribe('$share/g/a', { qos: 1 });
    await member.disconnect();
    const publisher = await world.client();
    for (const payload of ['1', '2', '3']) await publisher.publish('a', payload, { qos: 1 });
    const back = await world.client(kept);
    for (const payload of ['1', '2', '3']) expect(await back.receiveText()).toBe(payload);
    await back.expectNothing();
  });

  test('leaves each member its turn when one changes its options', async () => {
    const world = await startBroker();
    const members = await Promise.all([1, 2, 3].map(() => world.client()));
    for (const member of members) await member.subscribe('$share/g/a', { qos: 1 });
    const publisher = await world.client();
    await publisher.publish('a', '1');
    expect(await members[0]?.receiveText()).toBe('1');
    await members[0]?.subscribe('$share/g/a', { qos: 0 });
    for (const payload of ['2', '3', '4']) await publisher.publish('a', payload);
    expect(await Promise.all(members.map((member) => member.receiveText()))).toEqual([
      '4',
      '2',
      '3',
    ]);
  });

  test('passes over a member whose window is full, and waits when all are', async () => {
    const world = await startBroker();
    const slow = await world.client({ properties: { receiveMaximum: 1 } });
    const fast = await world.client();
    for (const member of [slow, fast]) await member.subscribe('$share/g/a', { qos: 1 });
    const publisher = await world.client();
    for (let index = 0; index < 5; index += 1) await publisher.publish('a', `${index}`, { qos: 1 });
    const held = await slow.expect('publish');
    await slow.expectNothing();
    expect(await drain(fast)).toHaveLength(4);
    slow.send(acknowledgement('puback', held.packetIdentifier));
    await slow.expectNothing();
  });

  test('is also written $queue/, one group for all', async () => {
    const world = await startBroker();
    const members = await Promise.all([world.client(), world.client()]);
    for (const member of members) expect(await member.subscribe('$queue/a')).toEqual([0]);
    const publisher = await world.client();
    for (let index = 0; index < 4; index += 1) await publisher.publish('a', `${index}`);
    const seen = await Promise.all(members.map(drain));
    expect(seen.map((each) => each.length)).toEqual([2, 2]);
  });
});

describe('the strategy', () => {
  const rows: readonly (readonly [strategy: string, counts: readonly number[] | null])[] = [
    ['round_robin', [4, 4, 4]],
    ['sticky', [12, 0, 0]],
    ['hash_topic', [12, 0, 0]],
    ['hash_client', [12, 0, 0]],
    ['random', null],
    ['least_inflight', null],
  ];
  for (const [strategy, counts] of rows) {
    test(`${strategy} gives each of twelve messages to one member`, async () => {
      const subscribe = `shared_subscription_strategy = "${strategy}"`;
      const world = await startBroker({ subscribe });
      const members = await Promise.all([1, 2, 3].map(() => world.client()));
      for (const member of members) await member.subscribe('$share/g/a', { qos: 1 });
      const publisher = await world.client();
      for (let index = 0; index < 12; index += 1)
        await publisher.publish('a', `${index}`, { qos: 1 });
      const seen = await Promise.all(members.map(drain));
      expect(seen.flat()).toHaveLength(12);
      const sorted = seen.map((each) => each.length).sort((a, b) => b - a);
      if (counts !== null) expect(sorted).toEqual(counts);
    });
  }
});
