import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SubscriberActor } from './actors.fixture.ts';
import { ClientConnection } from '../connection/client-connection.ts';
import { Cluster, KEPT, type Node, turns, until } from './cluster.fixture.ts';
import { memberAt, publishAll } from './group-model.fixture.ts';
import { MemoryPeer } from './memory-peer.fixture.ts';

let cluster: Cluster;
let nodes: Node[];

beforeEach(async () => {
  cluster = new Cluster('real');
  nodes = [];
  for (const id of [1, 2, 3]) nodes.push(await cluster.start(`n${id}`, id));
});

afterEach(async () => {
  await cluster.end();
});

describe('a shared subscription with durable members', () => {
  test('keeps its place while nobody is there, also when its dealer dies', async () => {
    const member = await memberAt(cluster, nodes[0] as Node, 'only');
    member.drop();
    const sent = await publishAll(cluster, nodes[1] as Node, 10, 2);
    for (const [index, node] of [...nodes].entries()) {
      await cluster.crash(node);
      nodes[index] = await cluster.start(`n${index + 1}`, index + 1);
    }
    expect(member.texts).toEqual([]);
    await member.connect(cluster, nodes[2] as Node);
    await until(() => member.texts.length >= sent.length);
    await turns(50);
    expect([...member.exactlyOnce].sort()).toEqual([...sent].sort());
  });

  test('deals to members on every broker', async () => {
    const members: SubscriberActor[] = [];
    for (const [index, node] of nodes.entries())
      members.push(await memberAt(cluster, node, `m${index}`));
    const sent = await publishAll(cluster, nodes[0] as Node, 60, 2);
    await until(() => members.flatMap(({ texts }) => texts).length >= sent.length);
    await turns(50);
    expect(members.flatMap(({ exactlyOnce }) => exactlyOnce).sort()).toEqual([...sent].sort());
    for (const { texts } of members) expect(texts.length).toBeGreaterThan(5);
  });

  test('gets back what was dealt to a member whose session ends', async () => {
    const first = await memberAt(cluster, nodes[0] as Node, 'first', 1);
    first.mute = true;
    const sent = await publishAll(cluster, nodes[1] as Node, 12, 1);
    await until(() => first.texts.length === 1);
    const second = await memberAt(cluster, nodes[1] as Node, 'second');
    const peer = first.peer;
    peer?.send({
      kind: 'disconnect',
      reasonCode: 0,
      properties: { sessionExpiryIntervalSeconds: 0 },
    });
    await until(() => second.texts.length >= sent.length);
    expect([...new Set(second.texts)].sort()).toEqual([...sent].sort());
  });

  test('gets back what was dealt to a member that begins anew on another broker', async () => {
    const first = await memberAt(cluster, nodes[0] as Node, 'first', 1);
    first.mute = true;
    const sent = await publishAll(cluster, nodes[1] as Node, 12, 1);
    await until(() => first.texts.length === 1);
    const second = await memberAt(cluster, nodes[1] as Node, 'second', 1);
    second.mute = true;
    await until(() => second.texts.length === 1);
    const { context } = nodes[2] as Node;
    const anew = new MemoryPeer((connection) => new ClientConnection(context, connection));
    anew.connect('first', true, KEPT);
    await until(() => anew.packets.some(({ kind }) => kind === 'connack'));
    second.speak();
    await until(() => sent.every((text) => second.texts.includes(text)));
    anew.destroy();
  });

  test('gets back what a member had not read when it unsubscribed', async () => {
    const first = await memberAt(cluster, nodes[0] as Node, 'first', 1);
    first.mute = true;
    const sent = await publishAll(cluster, nodes[1] as Node, 12, 2);
    await until(() => first.texts.length === 1);
    const second = await memberAt(cluster, nodes[2] as Node, 'second');
    first.peer?.send({
      kind: 'unsubscribe',
      packetIdentifier: 9,
      filters: ['$share/workers/#'],
      properties: {},
    });
    await until(() => first.peer?.packets.some(({ kind }) => kind === 'unsuback') === true);
    first.speak();
    await until(() => first.texts.length + second.texts.length >= sent.length);
    await turns(50);
    expect([...first.exactlyOnce, ...second.exactlyOnce].sort()).toEqual([...sent].sort());
  });
});
