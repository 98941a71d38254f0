import { afterEach, describe, expect, test, vi } from 'vitest';
import { CALL, type TestBroker, TestCluster } from './test-cluster.fixture.ts';
import type { LoopbackClient } from './loopback-client.fixture.ts';

let cluster = new TestCluster();
afterEach(async () => {
  vi.useRealTimers();
  await cluster.close();
  cluster = new TestCluster();
});

const WILL = { topic: 'will', text: 'gone' };
const HOUR_MS = 3_600_000;
const TURNS_PER_TICK = 20;

/** A client that hears every will, on each broker. */
async function listenersOf(brokers: readonly TestBroker[]): Promise<readonly LoopbackClient[]> {
  const listeners = brokers.map((broker) => broker.client(`w${broker.nodeId}`));
  await Promise.all(listeners.map((client) => client.connect()));
  await Promise.all(listeners.map((client) => client.subscribe('will')));
  return listeners;
}

/** All of them have heard what was published up to now, and this often the will. */
async function heardTimes(
  brokers: readonly TestBroker[],
  listeners: readonly LoopbackClient[],
  mark: string,
): Promise<readonly number[]> {
  for (const broker of brokers) {
    const client = broker.client(`mark-${broker.nodeId}-${mark}`);
    await client.connect();
    client.publish('will', `${mark}-${broker.nodeId}`, 1);
  }
  for (const listener of listeners) {
    for (const broker of brokers) await listener.receives(`will: ${mark}-${broker.nodeId}`);
  }
  return listeners.map(({ received }) => received.filter((line) => line === 'will: gone').length);
}

async function isRecorded(clientId: string): Promise<boolean> {
  return (await cluster.registries.sessions.read(clientId, CALL)) !== null;
}

/** Second by second, with time for what each sets off. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    vi.advanceTimersByTime(1_000);
    for (let turn = 0; turn < TURNS_PER_TICK; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

async function untilGone(clientId: string): Promise<void> {
  while (await isRecorded(clientId)) await new Promise((resolve) => setImmediate(resolve));
}

describe('a will', () => {
  test.each([[0], [1000]])(
    'is published once when the connection is lost (session expiry %i)',
    async (expirySeconds) => {
      const brokers = await cluster.three();
      const listeners = await listenersOf(brokers);
      const client = brokers[0].client('c');
      await client.connect({ expirySeconds, will: WILL });
      client.drop();
      await Promise.all(listeners.map((listener) => listener.receives('will: gone')));
      expect(await heardTimes(brokers, listeners, 'a')).toEqual([1, 1, 1]);
      expect(await cluster.registries.wills.read('c', CALL)).toBe(null);
    },
  );

  test('is deleted by a proper DISCONNECT', async () => {
    const brokers = await cluster.three();
    const listeners = await listenersOf(brokers);
    const client = brokers[0].client('c');
    await client.connect({ will: WILL });
    client.disconnect();
    await untilGone('c');
    expect(await heardTimes(brokers, listeners, 'a')).toEqual([0, 0, 0]);
    expect(await cluster.registries.wills.read('c', CALL)).toBe(null);
  });

  test('without a delay is published when the session is taken over on another broker', async () => {
    const brokers = await cluster.three();
    const listeners = await listenersOf(brokers);
    await brokers[0].client('c').connect({ expirySeconds: 1000, will: WILL });
    const second = brokers[1].client('c');
    await second.connect({ expirySeconds: 1000 });
    await Promise.all(listeners.map((listener) => listener.receives('will: gone')));
    expect(await heardTimes(brokers, listeners, 'a')).toEqual([1, 1, 1]);
  });

  test('with a delay is not published when the client is back in time on another broker', async () => {
    const brokers = await cluster.three();
    const listeners = await listenersOf(brokers);
    const first = brokers[0].client('c');
    await first.connect({ expirySeconds: 1000, will: { ...WILL, delaySeconds: 500 } });
    first.drop();
    await cluster.until(() => brokers[0].context.sessions.find('c') === undefined);
    expect(await cluster.registries.wills.read('c', CALL)).not.toBe(null);
    await brokers[1].client('c').connect({ expirySeconds: 1000 });
    expect(await cluster.registries.wills.read('c', CALL)).toBe(null);
    expect(await heardTimes(brokers, listeners, 'a')).toEqual([0, 0, 0]);
  });

  test('with a delay is published at once when Clean Start ends its session elsewhere', async () => {
    const brokers = await cluster.three();
    const listeners = await listenersOf(brokers);
    const first = brokers[0].client('c');
    await first.connect({ expirySeconds: 1000, will: { ...WILL, delaySeconds: 500 } });
    await brokers[1].client('c').connect({ expirySeconds: 1000, cleanStart: true });
    expect(await heardTimes(brokers, listeners, 'a')).toEqual([1, 1, 1]);
  });

  test.each([[0], [1000]])(
    'of a client whose broker has died is published once by another one (session expiry %i)',
    async (expirySeconds) => {
      vi.useFakeTimers({ toFake: ['setInterval'] });
      const brokers = await cluster.three();
      const [one, two, three] = brokers;
      const alive = [one, two];
      const listeners = await listenersOf(alive);
      await three.client('c').connect({ expirySeconds, will: WILL });
      await three.kill();
      await cluster.buryDead(three);
      await cluster.until(() => one.watchedSessions === 1);
      vi.advanceTimersByTime(1_000);
      await Promise.all(listeners.map((listener) => listener.receives('will: gone')));
      vi.advanceTimersByTime(1_000);
      if (expirySeconds === 0) await untilGone('c');
      expect(await heardTimes(alive, listeners, 'a')).toEqual([1, 1]);
    },
  );

  describe('that a broker had taken when it died', () => {
    /** The session's broker dies, then the one that has taken its will. */
    async function twoDeaths(between: (epoch: number) => void): Promise<LoopbackClient> {
      vi.useFakeTimers({ toFake: ['setInterval'] });
      const [one, two, three] = await cluster.three();
      const [listener] = (await listenersOf([one])) as [LoopbackClient];
      await three.client('c').connect({ expirySeconds: 1000, will: WILL });
      await three.kill();
      await cluster.buryDead(three);
      const epoch = (await cluster.registries.sessions.read('c', CALL))?.value.epoch ?? 0;
      const taker = two.cluster.registration?.node ?? { nodeId: 0, incarnation: 0 };
      const by = { taker, placeOf: () => 0 };
      const due = await cluster.registries.wills.takeOwned({ clientId: 'c', epoch }, by, CALL);
      expect(due).not.toBe(null);
      between(due?.epoch ?? 0);
      await two.kill();
      await cluster.buryDead(two);
      while ((await dueCount()) > 0) {
        vi.advanceTimersByTime(1_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await heardTimes([one], [listener], 'a')).toHaveLength(1);
      return listener;
    }

    async function dueCount(): Promise<number> {
      const page = await cluster.registries.wills.listDue({ after: null, limit: 10 }, CALL);
      return page.items.length;
    }

    test('is published by another one', async () => {
      const listener = await twoDeaths(() => {});
      expect(listener.received.filter((line) => line === 'will: gone')).toHaveLength(1);
      expect(cluster.states.events).toContain('fenced 2.1');
    });

    test('is not published again when its shard has it', async () => {
      const listener = await twoDeaths((epoch) => {
        cluster.states.events.push(`published will ${epoch} c`);
      });
      expect(listener.received).not.toContain('will: gone');
    });
  });

  test('of a new connection is not taken for the one before, which was due', async () => {
    const brokers = await cluster.three();
    const listeners = await listenersOf(brokers);
    const first = brokers[0].client('c');
    await first.connect({ expirySeconds: 1000, will: WILL });
    first.drop();
    const second = brokers[1].client('c');
    await second.connect({ expirySeconds: 1000, will: { topic: 'will', text: 'second' } });
    await Promise.all(listeners.map((listener) => listener.receives('will: gone')));
    expect(await heardTimes(brokers, listeners, 'a')).toEqual([1, 1, 1]);
    expect(listeners[0]?.received).not.toContain('will: second');
    expect(await cluster.registries.wills.read('c', CALL)).not.toBe(null);
  });
});

describe('a session that no client comes back to', () => {
  test('ends on every broker when its interval is over', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'performance'] });
    const [one, two] = await cluster.three();
    const client = two.client('c');
    await client.connect({ expirySeconds: 60, will: { ...WILL, delaySeconds: 1000 } });
    await client.subscribe('a', 1);
    const listener = two.client('w');
    await listener.connect();
    await listener.subscribe('will');
    client.drop();
    await cluster.until(() => one.watchedSessions === 1);
    vi.advanceTimersByTime(59_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await isRecorded('c')).toBe(true);
    vi.advanceTimersByTime(2_000);
    await listener.receives('will: gone');
    await untilGone('c');
    expect(cluster.states.events).toContain('forgot c');
    await cluster.until(() => one.context.router.subscriptionCount === 1);
    const back = one.client('c');
    expect((await back.connect({ expirySeconds: 60 }))?.sessionPresent).toBe(false);
  });

  test('is watched over by another broker when the elected one dies', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'performance'] });
    const [one, two, three] = await cluster.three();
    const client = three.client('c');
    await client.connect({ expirySeconds: 60 });
    client.drop();
    await cluster.until(() => one.watchedSessions === 1);
    expect(two.watchedSessions).toBe(0);
    await one.kill();
    await cluster.buryDead(one);
    await cluster.until(() => two.watchedSessions === 1);
    // With the first tick it looks for a will, with the next one at the expiry.
    vi.advanceTimersByTime(1_000);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(61_000);
    await untilGone('c');
  });

  test('goes on from what the elected broker before has counted', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'performance'] });
    const [one, two, three] = await cluster.three();
    const client = three.client('c');
    await client.connect({ expirySeconds: 60 });
    client.drop();
    await cluster.until(() => one.watchedSessions === 1);
    await pass(50);
    await one.kill();
    await cluster.buryDead(one);
    await cluster.until(() => two.watchedSessions === 1);
    expect(await isRecorded('c')).toBe(true);
    // What was counted since it was stored last is counted once more.
    await pass(25);
    await untilGone('c');
  });

  test('outlasts wall clocks that are an hour ahead and back', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'performance'] });
    cluster.aheadMs.set(1, HOUR_MS);
    cluster.aheadMs.set(2, -HOUR_MS);
    const [one, two, three] = await cluster.three();
    const listener = three.client('w');
    await listener.connect();
    await listener.subscribe('will');
    const client = two.client('c');
    await client.connect({ expirySeconds: 600, will: { ...WILL, delaySeconds: 500 } });
    client.drop();
    await cluster.until(() => one.watchedSessions === 1);
    await pass(5);
    cluster.aheadMs.set(1, 2 * HOUR_MS);
    await pass(5);
    expect(listener.received).toEqual([]);
    const back = one.client('c');
    expect((await back.connect({ expirySeconds: 600 }))?.sessionPresent).toBe(true);
  });
});
