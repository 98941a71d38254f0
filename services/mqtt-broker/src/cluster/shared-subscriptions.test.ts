import { afterEach, describe, expect, test } from 'vitest';
import type { LoopbackClient } from './loopback-client.fixture.ts';
import { type TestBroker, TestCluster } from './test-cluster.fixture.ts';

let cluster = new TestCluster();
afterEach(async () => {
  await cluster.close();
  cluster = new TestCluster();
});

async function memberOn(broker: TestBroker, clientId: string): Promise<LoopbackClient> {
  const member = broker.client(clientId);
  await member.connect();
  expect(await member.subscribe('$share/g/t/#', 1)).toEqual([1]);
  return member;
}

/** Publishes numbered messages and waits until somebody has each. */
async function publishAll(
  from: TestBroker,
  members: readonly LoopbackClient[],
  messages: readonly { readonly topic: string; readonly text: string }[],
): Promise<void> {
  const publisher = from.client(`p-${from.nodeId}-${messages[0]?.text}`);
  await publisher.connect();
  for (const { topic, text } of messages) publisher.publish(topic, text, 1);
  const last = messages.map(({ topic, text }) => `${topic}: ${text}`);
  await cluster.until(() => {
    const all = new Set(members.flatMap(({ received }) => received));
    return last.every((line) => all.has(line));
  });
}

describe('a live shared subscription', () => {
  test('deals each message to one member, wherever members and publishers are', async () => {
    const [one, two, three] = await cluster.three();
    const members = [
      await memberOn(one, 'a'),
      await memberOn(two, 'b1'),
      await memberOn(two, 'b2'),
      await memberOn(three, 'c'),
    ];
    for (const broker of [one, two, three]) {
      const messages = Array.from({ length: 80 }, (_, index) => ({
        topic: 't/x',
        text: `${broker.nodeId}.${index}`,
      }));
      await publishAll(broker, members, messages);
    }
    const counts = members.map(({ received }) => received.length);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(240);
    // Round robin counts members, not brokers.
    for (const count of counts) expect(count).toBe(60);
  });

  test('has all messages on the broker whose members are left, and none is dropped', async () => {
    const [one, two] = await cluster.three();
    const stays = await memberOn(one, 'a');
    const goes = await memberOn(two, 'b');
    goes.drop();
    await cluster.until(() => one.context.router.groupNamed('g/t/#')?.members.length === 1);
    await publishAll(
      one,
      [stays],
      Array.from({ length: 10 }, (_, index) => ({ topic: 't', text: `${index}` })),
    );
    expect(stays.received.length).toBe(10);
    expect(one.context.counters.droppedNoSubscriber).toBe(0);
  });

  test('on a broker without members reaches those elsewhere', async () => {
    const [one, two, three] = await cluster.three();
    const members = [await memberOn(two, 'a'), await memberOn(three, 'b')];
    await publishAll(
      one,
      members,
      Array.from({ length: 20 }, (_, index) => ({ topic: 't', text: `${index}` })),
    );
    expect(members.map(({ received }) => received.length)).toEqual([10, 10]);
  });

  test('gives a key to the same member from every broker when the strategy is a hash', async () => {
    cluster = new TestCluster('shared_subscription_strategy = "hash_topic"');
    const [one, two, three] = await cluster.three();
    // They come in different orders.
    const members = [
      await memberOn(three, 'a'),
      await memberOn(one, 'b'),
      await memberOn(two, 'c'),
      await memberOn(one, 'd'),
    ];
    for (const broker of [one, two, three]) {
      const messages = Array.from({ length: 32 }, (_, index) => ({
        topic: `t/${index}`,
        text: `from ${broker.nodeId}`,
      }));
      await publishAll(broker, members, messages);
    }
    for (let index = 0; index < 32; index += 1) {
      const holders = members.filter(({ received }) =>
        received.some((line) => line.startsWith(`t/${index}: `)),
      );
      expect(holders.length, `topic ${index}`).toBe(1);
    }
  });
});
