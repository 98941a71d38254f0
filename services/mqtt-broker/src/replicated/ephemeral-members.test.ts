import type { Packet, Publish, Qos } from '@robustmq/mqtt-codec';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { acknowledgement } from './actors.fixture.ts';
import { Cluster, type Node, turns, until } from './cluster.fixture.ts';
import { GROUP_FILTER, memberAt, publishAll } from './group-model.fixture.ts';
import type { MemoryPeer } from './memory-peer.fixture.ts';

let cluster: Cluster;
let nodes: Node[];

beforeEach(async () => {
  cluster = new Cluster('real');
  nodes = [];
  for (const id of [1, 2, 3]) nodes.push(await cluster.start(`n${id}`, id));
});

afterEach(async () => {
  await cluster.end();
  expect(cluster.fatal).toEqual([]);
});

const at = (index: number): Node => nodes[index] as Node;

function publishesOf(peer: MemoryPeer): Publish[] {
  return peer.packets.filter((packet): packet is Publish => packet.kind === 'publish');
}

function textsOf(peer: MemoryPeer): string[] {
  return publishesOf(peer).map(({ payload }) => new TextDecoder().decode(payload));
}

/** A member whose session ends with its connection. */
async function ephemeralAt(
  node: Node,
  clientId: string,
  as: { readonly qos: Qos; readonly answers: boolean },
): Promise<MemoryPeer> {
  const peer = await cluster.client(node, clientId, { receiveMaximum: 20 });
  if (as.answers) peer.onPacket = (packet) => answer(peer, packet);
  const options = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  peer.send({
    kind: 'subscribe',
    packetIdentifier: 1,
    subscriptions: [{ filter: GROUP_FILTER, qos: as.qos, ...options }],
    properties: {},
  });
  await until(() => peer.packets.some(({ kind }) => kind === 'suback'));
  return peer;
}

function answer(peer: MemoryPeer, packet: Packet): void {
  if (packet.kind === 'publish' && packet.qos === 1) {
    peer.send(acknowledgement('puback', packet.packetIdentifier));
  } else if (packet.kind === 'publish' && packet.qos === 2) {
    peer.send(acknowledgement('pubrec', packet.packetIdentifier));
  } else if (packet.kind === 'pubrel') {
    peer.send(acknowledgement('pubcomp', packet.packetIdentifier));
  }
}

/** This node tells its sessions that they have no right to the topic. */
function deny(node: Node, topic: string): void {
  const { access } = node.context;
  const mayReceive = access.mayReceive.bind(access);
  access.mayReceive = (identity, name) => name !== topic && mayReceive(identity, name);
}

describe('members of a group with a durable one whose session ends with their connection', () => {
  test('get their share with the QoS that they were granted, each message once', async () => {
    const durable = await memberAt(cluster, at(0), 'durable');
    const peers = await Promise.all(
      ([0, 1, 2] as const).map((qos) => ephemeralAt(at(qos), `e${qos}`, { qos, answers: true })),
    );
    const sent = await publishAll(cluster, at(0), 60, 2);
    const all = (): string[] => [...durable.texts, ...peers.flatMap(textsOf)];
    await until(() => all().length >= sent.length);
    await turns(50);
    expect(all().toSorted()).toEqual([...sent].toSorted());
    for (const [qos, peer] of peers.entries()) {
      expect(publishesOf(peer).length).toBeGreaterThan(5);
      expect(new Set(publishesOf(peer).map((packet) => packet.qos))).toEqual(new Set([qos]));
    }
  });

  test('leave what they have not acknowledged to another one when they go', async () => {
    const durable = await memberAt(cluster, at(0), 'durable', 2);
    durable.mute = true;
    const silent = await ephemeralAt(at(1), 'silent', { qos: 1, answers: false });
    const sent = await publishAll(cluster, at(2), 16, 1);
    await until(() => publishesOf(silent).length > 3);
    silent.destroy();
    durable.speak();
    const other = await ephemeralAt(at(2), 'other', { qos: 1, answers: true });
    const got = (): Set<string> => new Set([...durable.texts, ...textsOf(other)]);
    await until(() => sent.every((text) => got().has(text)));
  });

  test('leave it also when their broker dies, and the dealer', async () => {
    const durable = await memberAt(cluster, at(0), 'durable', 2);
    durable.mute = true;
    const silent = await ephemeralAt(at(1), 'silent', { qos: 1, answers: false });
    const sent = await publishAll(cluster, at(0), 16, 1);
    await until(() => publishesOf(silent).length > 3);
    for (const index of [1, 2]) {
      await cluster.crash(at(index));
      nodes[index] = await cluster.start(`n${index + 1}`, index + 1);
    }
    durable.speak();
    await until(() => sent.every((text) => durable.texts.includes(text)));
  });

  test('keep what they have open when another broker deals on', async () => {
    await memberAt(cluster, at(1), 'durable', 1).then((durable) => durable.drop());
    const silent = await ephemeralAt(at(1), 'silent', { qos: 1, answers: false });
    const sent = await publishAll(cluster, at(1), 10, 1);
    await until(() => publishesOf(silent).length === sent.length);
    for (const index of [0, 2]) await cluster.crash(at(index));
    await turns(100);
    expect(textsOf(silent).toSorted()).toEqual([...sent].toSorted());
    for (const packet of publishesOf(silent)) answer(silent, packet);
    silent.destroy();
    const durable = await memberAt(cluster, at(1), 'durable', 20);
    await turns(100);
    expect(durable.texts).toEqual([]);
  });
});

describe('a message that a member has no right to', () => {
  test.each(['durable', 'ephemeral'])('goes to another one (%s member)', async (kind) => {
    deny(at(1), 'x/1');
    const allowed = await memberAt(cluster, at(0), 'allowed');
    if (kind === 'durable') await memberAt(cluster, at(1), 'denied');
    else await ephemeralAt(at(1), 'denied', { qos: 1, answers: true });
    const sent = await publishAll(cluster, at(2), 40, 1);
    const topical = sent.filter((text) => text.startsWith('x/1'));
    await until(() => topical.every((text) => allowed.texts.includes(text)));
  });

  test('is dropped and counted when nobody has, and the others go on', async () => {
    for (const node of nodes) deny(node, 'x/1');
    const member = await memberAt(cluster, at(0), 'one');
    const sent = await publishAll(cluster, at(2), 40, 1);
    const others = sent.filter((text) => !text.startsWith('x/1'));
    await until(() => others.every((text) => member.texts.includes(text)));
    const dropped = (): number =>
      nodes.reduce((sum, { context }) => sum + context.counters.droppedNotAuthorized, 0);
    await until(() => dropped() > 0);
    expect(member.texts.some((text) => text.startsWith('x/1'))).toBe(false);
  });
});
