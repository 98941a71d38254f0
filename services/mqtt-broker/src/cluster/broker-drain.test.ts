import { systemTimers } from '@robustmq/environment';
import { ReasonCode } from '@robustmq/mqtt-codec';
import { decodeNotice } from '@robustmq/placement-registry';
import { afterEach, describe, expect, test } from 'vitest';
import { BrokerDrain, NobodyTakesClients } from './broker-drain.ts';
import type { LoopbackClient } from './loopback-client.fixture.ts';
import { type TestBroker, TestCluster } from './test-cluster.fixture.ts';

let cluster = new TestCluster();
afterEach(async () => {
  await cluster.close();
  cluster = new TestCluster();
});

const FAST = { clientsPerSecond: 1_000_000, toBroker: null, lasts: 'for now' } as const;

async function connected(
  broker: TestBroker,
  count: number,
  expirySeconds: number,
): Promise<readonly LoopbackClient[]> {
  const clients = Array.from({ length: count }, (_, index) => broker.client(`c${index}`));
  for (const client of clients) await client.connect({ expirySeconds });
  return clients;
}

function referenceOf(client: LoopbackClient): string | undefined {
  const last = client.packets.findLast(
    (packet) => packet.kind === 'disconnect' || packet.kind === 'connack',
  );
  return last?.properties.serverReference;
}

describe('a broker that is drained', () => {
  test('sends its clients to the others in turn, gives their sessions up and lets nobody in', async () => {
    const [one, two, three] = await cluster.three();
    const clients = await connected(one, 6, 1000);
    await one.cluster.drain.begin(FAST);
    await cluster.until(() => one.cluster.drain.progress.sessions === 0);
    expect(clients.map(({ disconnectCode }) => disconnectCode)).toEqual(
      clients.map(() => ReasonCode.useAnotherServer),
    );
    const references = clients.map(referenceOf);
    for (const target of ['mqtt-2:1883', 'mqtt-3:1883']) {
      expect(references.filter((reference) => reference === target).length).toBe(3);
    }
    expect(one.cluster.drain.progress).toEqual({
      ...{ draining: true, clients: 0, sessions: 0, sentAway: 6 },
    });
    const late = one.client('late');
    expect((await late.connect())?.reasonCode).toBe(ReasonCode.useAnotherServer);
    expect(referenceOf(late)).toMatch(/^mqtt-[23]:1883$/);
    const back = two.client('c0');
    expect((await back.connect({ expirySeconds: 1000 }))?.sessionPresent).toBe(true);
    await one.cluster.drain.end();
    expect((await one.client('late').connect())?.reasonCode).toBe(0);
    expect(three.failures).toEqual([]);
  });

  test('tells its clients 0x9D when it is drained for good', async () => {
    const [one] = await cluster.three();
    const [client] = await connected(one, 1, 1000);
    await one.cluster.drain.begin({ ...FAST, lasts: 'for good', toBroker: 3 });
    await cluster.until(() => one.cluster.drain.progress.sessions === 0);
    const late = one.client('late');
    await late.connect();
    for (const each of [client as LoopbackClient, late]) {
      expect(referenceOf(each)).toBe('mqtt-3:1883');
      const told = each.packets.findLast(({ kind }) => kind === 'disconnect' || kind === 'connack');
      expect(told).toMatchObject({ reasonCode: ReasonCode.serverMoved });
    }
  });

  test('is not a place that another one sends clients to', async () => {
    const [one, two, three] = await cluster.three();
    await one.cluster.drain.begin(FAST);
    await cluster.until(() => seesDraining(two, 1) && seesDraining(three, 1));
    await two.cluster.drain.begin(FAST);
    const client = two.client('x');
    await client.connect();
    expect(referenceOf(client)).toBe('mqtt-3:1883');
    await cluster.until(() => seesDraining(three, 2));
    await expect(three.cluster.drain.begin(FAST)).rejects.toBeInstanceOf(NobodyTakesClients);
    expect(three.cluster.isDraining).toBe(false);
  });

  test('lets clients in after all when no other broker is left', async () => {
    const one = await cluster.broker(1);
    const two = await cluster.broker(2);
    await cluster.until(() => one.cluster.aliveCount === 2);
    await one.cluster.drain.begin(FAST);
    expect((await one.client('a').connect())?.reasonCode).toBe(ReasonCode.useAnotherServer);
    await two.kill();
    await cluster.buryDead(two);
    await cluster.until(() => one.cluster.aliveCount === 1);
    expect((await one.client('a').connect())?.reasonCode).toBe(0);
  });

  test('sends all to the one that was named, and says when that one is not there', async () => {
    const [one] = await cluster.three();
    const clients = await connected(one, 3, 0);
    const refused = one.cluster.drain.begin({ ...FAST, toBroker: 9 });
    await expect(refused).rejects.toThrow('broker 9 is not alive');
    await one.cluster.drain.begin({ ...FAST, toBroker: 3 });
    await cluster.until(() => one.cluster.drain.progress.sessions === 0);
    expect(clients.map(referenceOf)).toEqual(['mqtt-3:1883', 'mqtt-3:1883', 'mqtt-3:1883']);
  });

  test('sends away as many a second as was asked for, and no more', async () => {
    const [one] = await cluster.three();
    await connected(one, 30, 0);
    let tick: () => void = () => undefined;
    const drain = new BrokerDrain({
      context: one.context,
      timers: {
        ...systemTimers,
        every: (periodMs, action) => {
          expect(periodMs).toBe(50);
          tick = action;
          return { cancel: () => undefined };
        },
      },
      self: 1,
      alive: () => new Map(one.cluster.aliveNodes),
      announce: async () => undefined,
    });
    await drain.begin({ clientsPerSecond: 50, toBroker: null, lasts: 'for now' });
    const sent: number[] = [];
    for (let count = 0; count < 4; count += 1) {
      tick();
      sent.push(drain.progress.sentAway);
    }
    expect(sent).toEqual([2, 5, 7, 10]);
    await drain.end();
    tick();
    expect(drain.progress.sentAway).toBe(10);
  });

  test('is still drained in its next life', async () => {
    const [one, two] = await cluster.three();
    await one.cluster.drain.begin(FAST);
    const { registration } = one.cluster;
    if (registration === null) throw new Error('broker 1 is not registered');
    one.cluster.fenced(registration);
    await cluster.until(() => one.cluster.registration?.node.incarnation === 2);
    expect(decodeNotice(one.cluster.registration?.node.extendInfo ?? '').draining).toBe(true);
    expect(two.failures).toEqual([]);
  });
});

function seesDraining({ cluster: node }: TestBroker, nodeId: number): boolean {
  return decodeNotice(node.aliveNodes.get(nodeId)?.extendInfo ?? '').draining;
}
