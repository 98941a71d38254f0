import { PlacementError } from '@robustmq/placement';
import { preferredNodes } from '@robustmq/placement-registry';
import { afterEach, describe, expect, test } from 'vitest';
import { CALL, TestCluster, type TestBroker } from './test-cluster.fixture.ts';

let cluster = new TestCluster();
afterEach(async () => {
  await cluster.close();
  cluster = new TestCluster();
});

/** Brokers on which the client has a connection now. */
function ownersOf(brokers: readonly TestBroker[], clientId: string): readonly number[] {
  return brokers
    .filter(({ context }) => context.sessions.find(clientId)?.online === true)
    .map(({ nodeId }) => nodeId);
}

async function recordOf(clientId: string) {
  return (await cluster.registries.sessions.read(clientId, CALL))?.value ?? null;
}

const DURABLE = { expirySeconds: 1000 };

describe('a durable session', () => {
  test('is found on another broker, with its subscriptions, and leaves the one it was on', async () => {
    const [one, two] = await cluster.three();
    const first = one.client('c');
    expect((await first.connect(DURABLE))?.sessionPresent).toBe(false);
    await first.subscribe('a/+', 0);
    first.disconnect();
    await cluster.until(() => one.context.sessions.find('c') === undefined);
    expect((await recordOf('c'))?.owner).toBe(null);
    const second = two.client('c');
    expect((await second.connect(DURABLE))?.sessionPresent).toBe(true);
    const publisher = one.client('p');
    await publisher.connect();
    await cluster.until(() => one.context.router.subscriptionCount === 1);
    publisher.publish('a/b', 'x');
    await second.receives('a/b: x');
    expect(cluster.states.events).toEqual(['settled c on 1']);
    expect(one.failures).toEqual([]);
  });

  test('that is online is taken over: the old connection is told 0x8E, and is settled first', async () => {
    const [one, two] = await cluster.three();
    const first = one.client('c');
    await first.connect(DURABLE);
    await first.subscribe('a', 0);
    const before = (await recordOf('c'))?.epoch ?? 0;
    const second = two.client('c');
    expect((await second.connect(DURABLE))?.sessionPresent).toBe(true);
    expect(first.disconnectCode).toBe(0x8e);
    expect(cluster.states.events).toEqual(['settled c on 1']);
    expect(one.context.sessions.find('c')).toBe(undefined);
    const record = await recordOf('c');
    expect(record?.owner?.nodeId).toBe(2);
    expect(record?.epoch).toBeGreaterThan(before);
    expect(cluster.states.epochs.get('c')).toBe(record?.epoch);
  });

  test('ends with Clean Start on another broker: nothing of it is left', async () => {
    const [one, two] = await cluster.three();
    const first = one.client('c');
    await first.connect(DURABLE);
    await first.subscribe('a', 1);
    const second = two.client('c');
    const answer = await second.connect({ ...DURABLE, cleanStart: true });
    expect(answer?.sessionPresent).toBe(false);
    expect(first.disconnectCode).toBe(0x8e);
    expect(two.context.sessions.find('c')?.subscriptions.size).toBe(0);
    const page = await cluster.registries.subscriptions.list('c', { after: null, limit: 10 }, CALL);
    expect(page.items).toEqual([]);
    expect(cluster.states.events).toContain('forgot c');
  });

  test('becomes one of its connection when the client comes back without an interval', async () => {
    const [one, two] = await cluster.three();
    const first = one.client('c');
    await first.connect(DURABLE);
    await first.subscribe('a', 1);
    first.disconnect();
    await cluster.until(() => one.context.sessions.find('c') === undefined);
    const second = two.client('c');
    expect((await second.connect())?.sessionPresent).toBe(true);
    second.disconnect();
    await cluster.until(() => cluster.states.events.includes('forgot c'));
    while ((await recordOf('c')) !== null) await new Promise((resolve) => setImmediate(resolve));
    const third = one.client('c');
    expect((await third.connect())?.sessionPresent).toBe(false);
  });

  test('belongs to its user: another one gets neither an online nor an offline one', async () => {
    const [one, two] = await cluster.three();
    const [read] = [await cluster.registries.sessions.read('c', CALL)];
    expect(read).toBe(null);
    const owner = one.cluster.registration;
    const claim = { clientId: 'c', username: 'somebody', nowMs: 1, willDelaySeconds: 0 };
    await cluster.registries.sessions.claim(
      { ...claim, owner: null, sessionExpirySeconds: 1000 },
      CALL,
    );
    expect(owner).not.toBe(null);
    const other = two.client('c');
    expect((await other.connect({ ...DURABLE, cleanStart: true }))?.reasonCode).toBe(0x85);
    expect((await recordOf('c'))?.username).toBe('somebody');
  });

  test('of a broker that has died is used only after that life is fenced', async () => {
    const [one, two, three] = await cluster.three();
    const first = three.client('c');
    await first.connect(DURABLE);
    await first.subscribe('a', 0);
    await three.kill();
    await cluster.buryDead(three);
    await cluster.until(() => two.cluster.aliveCount === 2);
    const second = two.client('c');
    expect((await second.connect(DURABLE))?.sessionPresent).toBe(true);
    expect(cluster.states.events).toEqual(['fenced 3.1']);
    // The next broker fences for itself, and knows of its own life.
    const third = one.client('c');
    expect((await third.connect(DURABLE))?.sessionPresent).toBe(true);
    expect(cluster.states.events).toEqual(['fenced 3.1', 'settled c on 2', 'fenced 3.1']);
  });

  test('that cannot be settled is refused to the taker, and released once it can be', async () => {
    const [one, two] = await cluster.three();
    const first = one.client('c');
    await first.connect({ ...DURABLE, will: { topic: 'w', text: 'x', delaySeconds: 500 } });
    // The registrar asks, and the taker does.
    cluster.states.settleFailures = 1_000_000;
    expect((await two.client('c').connect(DURABLE))?.reasonCode).toBe(0x88);
    expect(first.disconnectCode).toBe(0x8e);
    expect((await recordOf('c'))?.owner?.nodeId).toBe(1);
    cluster.states.settleFailures = 0;
    while ((await recordOf('c'))?.owner !== null) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(one.context.sessions.find('c')).toBe(undefined);
    expect(await cluster.registries.wills.read('c', CALL)).not.toBe(null);
    expect((await two.client('c').connect(DURABLE))?.sessionPresent).toBe(true);
  });

  test('is released with its will when the connect that claimed it fails', async () => {
    const one = await cluster.broker(1);
    const two = await cluster.broker(2);
    await cluster.until(() => one.cluster.aliveCount === 2 && two.cluster.aliveCount === 2);
    const first = one.client('c');
    await first.connect({ ...DURABLE, will: { topic: 'w', text: 'x', delaySeconds: 500 } });
    first.drop();
    while ((await recordOf('c'))?.owner !== null) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    cluster.states.restoreFailures = 1;
    expect((await two.client('c').connect(DURABLE))?.reasonCode).toBe(0x88);
    while ((await recordOf('c'))?.owner !== null) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await cluster.registries.wills.read('c', CALL)).not.toBe(null);
    expect((await two.client('c').connect(DURABLE))?.sessionPresent).toBe(true);
    expect(await cluster.registries.wills.read('c', CALL)).toBe(null);
  });

  test('that a client comes back to while it leaves is restored from what it has left', async () => {
    // The registrar gives up soon, so that the client is granted while its session is still leaving.
    const brokers = [
      await cluster.broker(1),
      await cluster.broker(2),
      await cluster.broker(3, { yieldWaitMs: 30 }),
    ] as const;
    await cluster.until(() => brokers.every(({ cluster: node }) => node.aliveCount === 3));
    const [one, two] = brokers;
    const names = Array.from({ length: 100 }, (_, index) => `c${index}`);
    const clientId = names.find((name) => preferredNodes(name, [1, 2, 3], 1)[0] === 3) as string;
    const first = one.client(clientId);
    await first.connect(DURABLE);
    await first.subscribe('a', 0);
    const before = (await recordOf(clientId))?.epoch ?? 0;
    const { promise: settling, resolve: settled } = Promise.withResolvers<void>();
    cluster.states.settling = settling;
    const moved = two.client(clientId).connect(DURABLE);
    await cluster.until(() => first.isClosed);
    const back = one.client(clientId).connect(DURABLE);
    while ((await recordOf(clientId))?.epoch === before) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    settled();
    expect((await moved)?.reasonCode).not.toBe(0);
    expect((await back)?.sessionPresent).toBe(true);
    const session = one.context.sessions.find(clientId);
    expect(session?.online).toBe(true);
    expect(session?.subscriptions.size).toBe(1);
    expect(cluster.states.epochs.get(clientId)).toBe((await recordOf(clientId))?.epoch);
  });

  test('leaves a broker whose connect failed because another one had claimed it meanwhile', async () => {
    const [one] = await cluster.three();
    const first = one.client('c');
    await first.connect(DURABLE);
    first.drop();
    while ((await recordOf('c'))?.owner !== null) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { sessions, wills } = cluster.registries;
    const discard = wills.discard.bind(wills);
    const owner = { nodeId: 2, incarnation: 1, connectionId: 1 };
    let claimed = 0;
    // The session is restored by then.
    wills.discard = async (...call) => {
      wills.discard = discard;
      expect(one.context.sessions.find('c')).not.toBe(undefined);
      const claim = { clientId: 'c', username: '', owner, sessionExpirySeconds: 1000 };
      const taken = await sessions.claim({ ...claim, willDelaySeconds: 0, nowMs: 1 }, CALL);
      claimed = taken.session.epoch;
      await discard(...call);
    };
    expect((await one.client('c').connect(DURABLE))?.reasonCode).toBe(0x89);
    await cluster.until(() => one.context.sessions.find('c') === undefined);
    expect((await recordOf('c'))?.epoch).toBe(claimed);
  });

  test('of a broker that answers nobody is taken by ending its registration', async () => {
    const [one, two] = [
      await cluster.broker(1, { yieldWaitMs: 30 }),
      await cluster.broker(2, { yieldWaitMs: 30 }),
    ];
    await cluster.until(() => one.cluster.aliveCount === 2 && two.cluster.aliveCount === 2);
    const first = one.client('c');
    await first.connect(DURABLE);
    await first.subscribe('a', 0);
    cluster.network.cut(1, 2);
    const second = two.client('c');
    expect((await second.connect(DURABLE))?.sessionPresent).toBe(true);
    expect(cluster.states.events).toEqual(['revoked 1', 'fenced 1.1']);
    expect((await recordOf('c'))?.owner?.nodeId).toBe(2);
    // Its lease is gone, which it learns with its next heartbeat; the test does not wait for that.
    await one.kill();
    cluster.forget(one);
  });

  test('is given up by a broker whose lease has ended, and found again in its next life', async () => {
    const one = await cluster.broker(1, { leaseSeconds: 1 });
    const client = one.client('c');
    await client.connect(DURABLE);
    await client.subscribe('a', 0);
    const guest = one.client('guest');
    await guest.connect();
    cluster.placement.advance(10);
    await client.until(() => client.isClosed);
    expect(client.disconnectCode).toBe(0x89);
    expect(one.context.sessions.find('c')).toBe(undefined);
    // Whoever asked for nothing durable is still served.
    expect(guest.isClosed).toBe(false);
    await cluster.until(() => one.cluster.registration?.node.incarnation === 2);
    const back = one.client('c');
    expect((await back.connect(DURABLE))?.sessionPresent).toBe(true);
    expect(cluster.states.events).toEqual(['fenced 1.1']);
  });
});

describe('a client identifier', () => {
  test('has one owner in the cluster also when nothing of it is stored', async () => {
    const brokers = await cluster.three();
    const clients = [];
    for (let round = 0; round < 6; round += 1) {
      const client = (brokers[round % 3] as TestBroker).client('c');
      clients.push(client);
      expect((await client.connect())?.sessionPresent).toBe(false);
      expect(ownersOf(brokers, 'c')).toEqual([(round % 3) + 1]);
    }
    for (const client of clients.slice(0, -1)) expect(client.disconnectCode).toBe(0x8e);
    expect(await recordOf('c')).toBe(null);
  });

  test('passes from a session of a connection to a durable one and back', async () => {
    const brokers = await cluster.three();
    const [one, two, three] = brokers;
    const first = one.client('c');
    await first.connect();
    const second = two.client('c');
    expect((await second.connect(DURABLE))?.sessionPresent).toBe(false);
    expect(first.disconnectCode).toBe(0x8e);
    const third = three.client('c');
    expect((await third.connect({ cleanStart: true }))?.sessionPresent).toBe(false);
    expect(second.disconnectCode).toBe(0x8e);
    expect(ownersOf(brokers, 'c')).toEqual([3]);
    expect(await recordOf('c')).toBe(null);
  });

  test.each([[DURABLE], [{}]])(
    'has one owner at any time in a storm on three brokers: %j',
    async (options) => {
      const brokers = await cluster.three();
      let most = 0;
      let checking = true;
      const check = (): void => {
        most = Math.max(most, ownersOf(brokers, 'c').length);
        if (checking) setImmediate(check);
      };
      check();
      const clients = Array.from({ length: 60 }, (_, index) =>
        (brokers[(index * 7) % 3] as TestBroker).client('c'),
      );
      const answers = await Promise.all(clients.map((client) => client.connect(options)));
      checking = false;
      expect(most).toBe(1);
      const last = ownersOf(brokers, 'c');
      expect(last.length).toBe(1);
      for (const [index, client] of clients.entries()) {
        const taken = answers[index]?.reasonCode === 0;
        if (client.isClosed && taken) expect(client.disconnectCode).toBe(0x8e);
      }
      const open = clients.filter((client) => !client.isClosed);
      expect(open.length).toBe(1);
      expect(answers.filter((answer) => answer?.reasonCode === 0).length).toBeGreaterThan(0);
      for (const { failures } of brokers) expect(failures).toEqual([]);
    },
  );

  test('moves its registration when a broker comes, and is still one', async () => {
    const one = await cluster.broker(1);
    const clients = Array.from({ length: 40 }, (_, index) => one.client(`c${index}`));
    await Promise.all(clients.map((client) => client.connect()));
    const two = await cluster.broker(2);
    await cluster.until(() => one.cluster.aliveCount === 2 && two.cluster.aliveCount === 2);
    const again = clients.map(({ clientId }) => two.client(clientId));
    await Promise.all(again.map((client) => client.connect()));
    await Promise.all(clients.map((client) => client.until(() => client.isClosed)));
    expect(again.every((client) => !client.isClosed)).toBe(true);
  });

  test('is free again when its client has gone', async () => {
    const brokers = await cluster.three();
    for (let round = 0; round < 10; round += 1) {
      const client = (brokers[round % 3] as TestBroker).client('c');
      expect((await client.connect())?.reasonCode).toBe(0);
      client.disconnect();
      await client.until(() => client.isClosed);
    }
    await cluster.until(() => brokers.every(({ cluster: node }) => node.registeredClients === 0));
  });
});

describe('without the placement center', () => {
  test('sessions of a connection are served, and durable ones are refused with 0x88', async () => {
    const one = await cluster.broker(1);
    const broken = new Error('cut off');
    cluster.placement.range = () => Promise.reject(unavailable(broken));
    const guest = one.client('guest');
    expect((await guest.connect())?.reasonCode).toBe(0);
    const durable = one.client('d');
    const answer = await durable.connect(DURABLE);
    expect(answer?.reasonCode).toBe(0x88);
    expect(answer?.properties.reasonString).toContain('try again');
    expect(await guest.subscribe('a', 0)).toEqual([0]);
    guest.publish('a', 'x');
    await guest.receives('a: x');
  });

  test('nobody is let in when the configuration says so', async () => {
    const one = await cluster.broker(1, { serveWithoutPlacement: false });
    cluster.placement.range = () => Promise.reject(unavailable(null));
    expect((await one.client('guest').connect())?.reasonCode).toBe(0x88);
  });
});

function unavailable(cause: unknown): Error {
  return new PlacementError({ code: 'PLACEMENT_UNAVAILABLE', detail: 'cut off' }, { cause });
}
