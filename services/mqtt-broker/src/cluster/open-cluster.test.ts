import { SeededRandom } from '@robustmq/environment';
import { openSharedMemory } from '@robustmq/journal-memory';
import { MemoryFrameNetwork } from '@robustmq/node-link';
import { ReasonCode } from '@robustmq/mqtt-codec';
import { PlacementError } from '@robustmq/placement';
import { MemoryPlacement } from '@robustmq/placement-conformance';
import {
  openRegistries,
  type Registries,
  type Registration,
  releaseOrphans,
} from '@robustmq/placement-registry';
import { afterEach, describe, expect, test } from 'vitest';
import type { BrokerContext } from '../broker-context.ts';
import type { ClusterPlace } from '../settings.ts';
import { LoopbackClient } from './loopback-client.fixture.ts';
import { OpenCluster } from './open-cluster.ts';
import { CALL, contextOf } from './test-cluster.fixture.ts';

const PLACE: ClusterPlace = {
  placementCenter: ['memory'],
  ...{ host: '127.0.0.1', port: 0, brokerIp: '127.0.0.1', mqttAddress: null, leaseSeconds: 3600 },
  ...{ subackWaitMs: 5_000, yieldWaitMs: 5_000, callDeadlineMs: 5_000 },
  ...{ linkBytesMax: 2 ** 20, frameBytesMax: 2 ** 22, serveWithoutPlacement: true },
  shards: { messages: 3, sessions: 2, retained: 1 },
  shardReplicas: 3,
  ...{ token: null, tls: null },
};

interface Broker {
  readonly nodeId: number;
  readonly context: BrokerContext;
  readonly cluster: OpenCluster;
  readonly fatal: string[];
  client(clientId: string): LoopbackClient;
}

/** Whole brokers but for sockets: placement store, network and journal in memory. */
class World {
  readonly placement: MemoryPlacement = new MemoryPlacement();
  readonly network = new MemoryFrameNetwork();
  readonly memory = openSharedMemory();
  readonly registries: Registries = openRegistries(this.placement, {
    clusterName: 'robustmq',
    random: new SeededRandom(3),
  });
  readonly #brokers = new Set<Broker>();

  async broker(nodeId: number): Promise<Broker> {
    const context = await contextOf(nodeId);
    const fatal: string[] = [];
    context.fatal = (what, error) => fatal.push(`${what}: ${String(error)}`);
    const journal = this.memory.connect(`broker-${nodeId}`);
    const transport = this.network.open(nodeId);
    const cluster = new OpenCluster(context, PLACE, {
      ...{ placement: this.placement, registries: this.registries, journal, transport },
      innerAddress: `broker-${nodeId}`,
      close: () => journal.close(),
    });
    await cluster.begin();
    const client = (clientId: string): LoopbackClient => new LoopbackClient(context, clientId);
    const broker = { nodeId, context, cluster, fatal, client };
    this.#brokers.add(broker);
    return broker;
  }

  async three(): Promise<readonly [Broker, Broker, Broker]> {
    const brokers = [await this.broker(1), await this.broker(2), await this.broker(3)] as const;
    await this.until(() => brokers.every(({ cluster }) => cluster.node.aliveCount === 3));
    return brokers;
  }

  /** Dies without a goodbye; its lease ends. */
  async kill(broker: Broker): Promise<void> {
    this.#brokers.delete(broker);
    broker.cluster.kill();
    for (const connection of [...broker.context.connections]) {
      (connection.transport as LoopbackClient).isClosed = true;
    }
    const name = { clusterType: 'mqtt-broker', nodeId: broker.nodeId } as const;
    await this.registries.nodes.unregister(name, CALL);
    const { nodes, sessions } = this.registries;
    const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
    await releaseOrphans({ nodes, sessions, clock, call: CALL }, new AbortController().signal);
  }

  async until(isDone: () => boolean): Promise<void> {
    while (!isDone()) await new Promise((resolve) => setImmediate(resolve));
  }

  async close(): Promise<void> {
    for (const { context, cluster, fatal } of this.#brokers) {
      context.draining = true;
      for (const connection of [...context.connections]) connection.close(0x8b, 'the end');
      await cluster.stop(5_000);
      expect(fatal).toEqual([]);
    }
    await this.placement.close();
  }
}

let world = new World();
afterEach(async () => {
  await world.close();
  world = new World();
});

const DURABLE = { expirySeconds: 1000 };

function acknowledgementsOf(client: LoopbackClient): number {
  return client.packets.filter(({ kind }) => kind === 'puback' || kind === 'pubcomp').length;
}

async function publishAll(
  client: LoopbackClient,
  lines: readonly string[],
  qos: 1 | 2,
): Promise<void> {
  const before = acknowledgementsOf(client);
  for (const line of lines) client.publish('a/b', line, qos);
  await client.until(() => acknowledgementsOf(client) - before >= lines.length);
}

function numbered(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

describe('whole brokers in a cluster', () => {
  test.each([[1], [2]] as const)(
    'a durable session gets every QoS %i message once and in order, wherever it is and they are published',
    async (qos) => {
      const [one, two, three] = await world.three();
      const publisher = three.client('p');
      await publisher.connect();
      let subscriber = one.client('s');
      await subscriber.connect(DURABLE);
      expect(await subscriber.subscribe('a/+', qos)).toEqual([qos]);
      await publishAll(publisher, numbered('online', 20), qos);
      await subscriber.receives('a/b: online19');
      // What it has been sent it has acknowledged.
      await world.until(() => one.context.sessions.find('s')?.window.count === 0);
      subscriber.disconnect();
      await world.until(() => one.context.sessions.find('s') === undefined);
      await publishAll(publisher, numbered('away', 20), qos);
      const all = [...subscriber.received];
      subscriber = two.client('s');
      expect((await subscriber.connect(DURABLE))?.sessionPresent).toBe(true);
      await subscriber.receives('a/b: away19');
      await publishAll(publisher, numbered('back', 20), qos);
      await subscriber.receives('a/b: back19');
      all.push(...subscriber.received);
      const expected = [
        ...numbered('online', 20),
        ...numbered('away', 20),
        ...numbered('back', 20),
      ];
      expect(all).toEqual(expected.map((line) => `a/b: ${line}`));
    },
  );

  test('a session of a broker that has died goes on elsewhere, and loses nothing', async () => {
    const [one, two, three] = await world.three();
    const publisher = two.client('p');
    await publisher.connect();
    const subscriber = three.client('s');
    await subscriber.connect(DURABLE);
    await subscriber.subscribe('a/+', 1);
    await publishAll(publisher, numbered('before', 10), 1);
    await subscriber.receives('a/b: before9');
    await world.kill(three);
    await publishAll(publisher, numbered('dead', 10), 1);
    const back = one.client('s');
    expect((await back.connect(DURABLE))?.sessionPresent).toBe(true);
    await back.receives('a/b: dead9');
    const fresh = back.received.filter((line) => line.startsWith('a/b: dead'));
    expect(fresh).toEqual(numbered('a/b: dead', 10));
  });

  test('a session moves back and forth under load without a loss, a repetition or a reorder of QoS 2', async () => {
    const brokers = await world.three();
    const publisher = brokers[0].client('p');
    await publisher.connect();
    let subscriber = brokers[1].client('s');
    await subscriber.connect(DURABLE);
    await subscriber.subscribe('a/+', 2);
    const got: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      const publishing = publishAll(publisher, numbered(`${round}.`, 30), 2);
      const next = (brokers[round % 3] as Broker).client('s');
      await next.connect(DURABLE);
      await subscriber.until(() => subscriber.isClosed);
      got.push(...subscriber.received);
      subscriber = next;
      await publishing;
    }
    await subscriber.receives('a/b: 5.29');
    got.push(...subscriber.received);
    const expected = Array.from({ length: 6 }, (_, round) => numbered(`a/b: ${round}.`, 30)).flat();
    // What was under way when the connection ended is repeated on the next one: with the DUP flag.
    expect([...new Set(got)]).toEqual(expected);
  });

  test('a broker whose lease has ended begins another life, in which durable sessions work', async () => {
    const [one, two] = await world.three();
    const client = one.client('s');
    await client.connect(DURABLE);
    await client.subscribe('a/+', 1);
    const first = one.cluster.node.registration as Registration;
    await world.placement.revokeLease(first.lease, CALL);
    one.cluster.node.fenced(first);
    await client.until(() => client.isClosed);
    await world.until(() => one.cluster.node.registration?.node.incarnation === 2);
    await world.until(() => !one.context.log.full);
    const publisher = one.client('p');
    await publisher.connect();
    await publishAll(publisher, numbered('x', 5), 1);
    const back = one.client('s');
    expect((await back.connect(DURABLE))?.sessionPresent).toBe(true);
    await back.receives('a/b: x4');
    expect(two.cluster.node.aliveCount).toBe(3);
  });

  test('a broker that is cut off says why it refuses, serves what it can, and finds back', async () => {
    const [one, two] = await world.three();
    const owner = two.client('s');
    await owner.connect(DURABLE);
    await owner.subscribe('a/+', 1);
    const guest = one.client('g');
    await guest.connect();
    await guest.subscribe('own', 0);
    const { placement } = world;
    const calls = { range: placement.range, transact: placement.transact };
    const cutOff = (): Promise<never> =>
      Promise.reject(new PlacementError({ code: 'PLACEMENT_UNAVAILABLE', detail: 'cut off' }));
    const first = one.cluster.node.registration as Registration;
    Object.assign(placement, { range: cutOff, transact: cutOff });
    one.cluster.node.fenced(first);
    guest.publish('own', 'x');
    await guest.receives('own: x');
    guest.publish('a/b', 'y', 1);
    await guest.until(() => guest.packets.some(({ kind }) => kind === 'puback'));
    expect(guest.packets.find(({ kind }) => kind === 'puback')).toMatchObject({
      reasonCode: ReasonCode.implementationSpecificError,
      properties: { reasonString: expect.stringContaining('is cut off from it') },
    });
    const denied = await one.client('d').connect(DURABLE);
    expect(denied?.reasonCode).toBe(ReasonCode.serverUnavailable);
    expect(denied?.properties.reasonString).toContain('the placement center does not answer');
    Object.assign(placement, calls);
    await world.until(() => one.cluster.node.registration?.node.incarnation === 2);
    await world.until(() => !one.context.log.full);
    guest.publish('a/b', 'z', 1);
    await owner.receives('a/b: z');
    expect(owner.received).toEqual(['a/b: z']);
    expect((await one.client('s').connect(DURABLE))?.sessionPresent).toBe(true);
    await owner.until(() => owner.isClosed);
  });

  test('a retained message is found on every broker', async () => {
    const [one, two] = await world.three();
    const publisher = one.client('p');
    await publisher.connect();
    publisher.send({
      kind: 'publish',
      ...{ topic: 'kept', payload: Buffer.from('x'), qos: 1, retain: true, dup: false },
      ...{ packetIdentifier: 9, properties: {} },
    });
    await publisher.until(() => acknowledgementsOf(publisher) === 1);
    const subscriber = two.client('s');
    await subscriber.connect();
    await world.until(() => two.context.retained.count === 1);
    await subscriber.subscribe('kept');
    await subscriber.receives('kept: x');
  });
});
