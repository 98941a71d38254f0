import { afterEach, describe, expect, test } from 'vitest';
import { TestCluster } from './test-cluster.fixture.ts';

let cluster = new TestCluster();
afterEach(async () => {
  await cluster.close();
  cluster = new TestCluster();
});

describe('a live message', () => {
  test('published anywhere after SUBACK reaches the subscriber, in order and once', async () => {
    const [one, two, three] = await cluster.three();
    const subscriber = one.client('s');
    await subscriber.connect();
    expect(await subscriber.subscribe('a/+')).toEqual([1]);
    // It has a second subscription that matches, and another client of the same broker has one too.
    await subscriber.subscribe('a/#');
    const beside = one.client('s2');
    await beside.connect();
    await beside.subscribe('a/b', 0);
    for (const [broker, qos] of [
      [two, 0],
      [two, 1],
      [three, 2],
    ] as const) {
      const publisher = broker.client(`p${broker.nodeId}${qos}`);
      await publisher.connect();
      for (let index = 0; index < 50; index += 1) {
        publisher.publish('a/b', `${broker.nodeId}.${qos}.${index}`, qos);
      }
    }
    await subscriber.until(() => subscriber.received.length >= 150);
    await beside.until(() => beside.received.length >= 150);
    for (const client of [subscriber, beside]) {
      expect(client.received.length).toBe(150);
      for (const prefix of ['2.0', '2.1', '3.2']) {
        const own = client.received.filter((line) => line.startsWith(`a/b: ${prefix}`));
        expect(own).toEqual(Array.from({ length: 50 }, (_, index) => `a/b: ${prefix}.${index}`));
      }
    }
    expect(one.failures).toEqual([]);
  });

  test('keeps its properties, its retain flag as published, and what is left of its expiry', async () => {
    const [one, two] = await cluster.three();
    const subscriber = one.client('s');
    await subscriber.connect();
    await subscriber.subscribe('t');
    const publisher = two.client('p');
    await publisher.connect();
    publisher.publish('t', 'x', 1, {
      messageExpiryIntervalSeconds: 60,
      contentType: 'text/plain',
      userProperties: [
        ['k', 'v'],
        ['k', 'w'],
      ],
    });
    await subscriber.receives('t: x');
    const [message] = subscriber.packets.filter((packet) => packet.kind === 'publish');
    expect(message?.properties).toMatchObject({
      contentType: 'text/plain',
      userProperties: [
        ['k', 'v'],
        ['k', 'w'],
      ],
    });
    const expiry = message?.properties.messageExpiryIntervalSeconds ?? 0;
    expect(expiry === 60 || expiry === 59).toBe(true);
  });

  test('is sent to no broker that has no subscriber for it, nor after UNSUBACK', async () => {
    const [one, two] = await cluster.three();
    const subscriber = one.client('s');
    await subscriber.connect();
    await subscriber.subscribe('a/b');
    const publisher = two.client('p');
    await publisher.connect();
    publisher.publish('a/c', 'x', 1);
    expect(two.cluster.counters.messagesSent).toBe(0);
    await subscriber.unsubscribe('a/b');
    await cluster.until(() => two.context.router.subscriptionCount === 0);
    publisher.publish('a/b', 'y', 1);
    expect(two.cluster.counters.messagesSent).toBe(0);
  });

  test('of a subscriber that has gone is sent to its broker no more', async () => {
    const [one, two] = await cluster.three();
    const subscriber = one.client('s');
    await subscriber.connect();
    await subscriber.subscribe('a/#');
    expect(two.context.router.subscriptionCount).toBe(1);
    subscriber.drop();
    await cluster.until(() => two.context.router.subscriptionCount === 0);
  });

  test('is not sent to a broker that has died, and SUBACK does not wait for the dead', async () => {
    const [one, two, three] = await cluster.three();
    const subscriber = three.client('s');
    await subscriber.connect();
    await subscriber.subscribe('a');
    await three.kill();
    await cluster.buryDead(three);
    await cluster.until(() => one.context.router.subscriptionCount === 0);
    const another = two.client('t');
    await another.connect();
    expect(await another.subscribe('a')).toEqual([1]);
    const publisher = one.client('p');
    await publisher.connect();
    publisher.publish('a', 'x', 1);
    await another.receives('a: x');
    expect(two.context.counters.subscriptionsAcknowledgedLate).toBe(0);
  });

  test('to a broker that cannot be reached is lost and counted, and SUBACK there is late', async () => {
    const one = await cluster.broker(1, { subackWaitMs: 40 });
    const two = await cluster.broker(2, { subackWaitMs: 40 });
    await cluster.until(() => one.cluster.aliveCount === 2 && two.cluster.aliveCount === 2);
    const subscriber = one.client('s');
    await subscriber.connect();
    await subscriber.subscribe('a');
    cluster.network.cut(1, 2);
    const publisher = two.client('p');
    await publisher.connect();
    publisher.publish('a', 'x', 1);
    expect(two.cluster.counters.messagesLost).toBe(1);
    expect(await subscriber.subscribe('b')).toEqual([1]);
    expect(one.context.counters.subscriptionsAcknowledgedLate).toBe(1);
    cluster.network.heal(1, 2);
    await cluster.until(() => two.context.router.subscriptionCount === 2);
    expect(await subscriber.subscribe('c')).toEqual([1]);
    publisher.publish('c', 'y', 1);
    await subscriber.receives('c: y');
    expect(one.context.counters.subscriptionsAcknowledgedLate).toBe(1);
  });

  test('of QoS 1 is not forwarded to a broker whose subscribers all read the journal; QoS 0 is', async () => {
    const [one, two] = await cluster.three();
    const durable = one.client('d');
    await durable.connect({ expirySeconds: 100 });
    await durable.subscribe('a', 1);
    const publisher = two.client('p');
    await publisher.connect();
    publisher.publish('a', 'zero', 0);
    await durable.receives('a: zero');
    publisher.publish('a', 'one', 1);
    expect(two.cluster.counters.messagesSent).toBe(1);
    // Subscribed with QoS 0 it has no place in the journal.
    await durable.subscribe('a', 0);
    publisher.publish('a', 'downgraded', 1);
    await durable.receives('a: downgraded');
  });

  test('that is wanted by a durable session anywhere goes to the journal of the broker it is published on', async () => {
    const [one, two] = await cluster.three();
    const durable = one.client('d');
    await durable.connect({ expirySeconds: 100 });
    await durable.subscribe('a', 1);
    durable.disconnect();
    await cluster.until(() => one.context.sessions.find('d') === undefined);
    const publisher = two.client('p');
    await publisher.connect();
    const before = two.context.log.gauges.next;
    publisher.publish('a', 'x', 1);
    publisher.publish('b', 'x', 1);
    await publisher.until(
      () => publisher.packets.filter(({ kind }) => kind === 'puback').length === 2,
    );
    expect(two.context.log.gauges.next - before).toBe(1);
  });
});
