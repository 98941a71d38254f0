import { ManualClock, SeededRandom, systemTimers } from '@robustmq/environment';
import { type Placement, PlacementError } from '@robustmq/placement';
import { describe, expect, test } from 'vitest';
import { CALL, describedNode, openTestCluster } from './cluster.fixture.ts';
import { type ControllerFailure, runControllers } from './controller.ts';
import { expiredRecords } from './expired-records.ts';
import { orphanSessions, releaseOrphans } from './orphan-sessions.ts';
import { openRegistries, type Registries } from './registries.ts';

const NAMING = { clusterName: 'test', random: new SeededRandom(9) };
const FOREVER = new AbortController().signal;

/** Lets `allowed` steps through; then the process is gone, before or after the next one took effect. */
function dyingAfter(placement: Placement, allowed: number, last: 'lost' | 'done'): Placement {
  let left = allowed;
  const step = async <Reply>(action: () => Promise<Reply>): Promise<Reply> => {
    left -= 1;
    if (left >= 0) return action();
    if (left === -1 && last === 'done') await action();
    throw new PlacementError({ code: 'PLACEMENT_CLOSED' });
  };
  return {
    range: (request, options) => step(() => placement.range(request, options)),
    transact: (request, options) => step(() => placement.transact(request, options)),
    watch: (request) => placement.watch(request),
    grantLease: (ttl, options) => step(() => placement.grantLease(ttl, options)),
    keepLease: (id, options) => step(() => placement.keepLease(id, options)),
    revokeLease: (id, options) => step(() => placement.revokeLease(id, options)),
    readLease: (id, options) => step(() => placement.readLease(id, options)),
    compact: (revision, options) => step(() => placement.compact(revision, options)),
    close: () => placement.close(),
  };
}

async function openOrphans() {
  const cluster = await openTestCluster();
  const { registries, broker } = cluster;
  const owners = [await broker(1), await broker(1), await broker(2), await broker(3)];
  for (const [index, owner] of owners.slice(1).entries()) {
    const clientId = `c${index + 1}`;
    await registries.sessions.claim(
      { clientId, owner, sessionExpirySeconds: 9, willDelaySeconds: 0, nowMs: 1 },
      CALL,
    );
  }
  await registries.nodes.unregister(describedNode(2), CALL);
  await broker(3);
  return cluster;
}

async function ownersOf(registries: Registries): Promise<readonly (number | null)[]> {
  const { items } = await registries.sessions.list({ after: null, limit: 10 }, CALL);
  return items.map(({ value }) => value.owner?.nodeId ?? null);
}

describe('orphaned sessions', () => {
  test('sessions of dead and of restarted brokers are released, others are not', async () => {
    const { registries, clock } = await openOrphans();
    const released = await releaseOrphans({ ...registries, clock, call: CALL }, FOREVER);
    expect(released).toBe(2);
    expect(await ownersOf(registries)).toEqual([1, null, null]);
    const owned = await registries.sessions.listOwners(CALL);
    expect(owned).toEqual([{ nodeId: 1, incarnation: 2 }]);
    expect((await registries.sessions.read('c2', CALL))?.value.disconnectedAtMs).toBe(
      clock.nowMs(),
    );
  });

  for (const last of ['lost', 'done'] as const) {
    test(`whatever step is the last one (${last}), the next run finishes the work`, async () => {
      for (let steps = 0; ; steps += 1) {
        const { registries, placement, clock } = await openOrphans();
        const dying = openRegistries(dyingAfter(placement, steps, last), NAMING);
        const run = releaseOrphans({ ...dying, clock, call: CALL }, FOREVER);
        const died = await run.then(
          () => false,
          () => true,
        );
        await releaseOrphans({ ...registries, clock, call: CALL }, FOREVER);
        expect(await ownersOf(registries)).toEqual([1, null, null]);
        expect(steps).toBeLessThan(100);
        if (!died) return;
      }
    });
  }

  test('two that run at once release each session once', async () => {
    const { registries, clock } = await openOrphans();
    const options = { ...registries, clock, call: CALL };
    const runs = [1, 2, 3].map(() => releaseOrphans(options, FOREVER));
    const released = await Promise.all(runs);
    expect(released.reduce((sum, each) => sum + each, 0)).toBe(2);
  });

  test('the loop notices a broker that goes while it runs', async () => {
    const { registries, clock, broker } = await openTestCluster();
    const owner = await broker(1);
    const claim = { clientId: 'c', owner, sessionExpirySeconds: 9, willDelaySeconds: 0, nowMs: 1 };
    await registries.sessions.claim(claim, CALL);
    const stop = new AbortController();
    const controller = orphanSessions({ ...registries, clock, call: CALL });
    const running = controller.run(stop.signal);
    const watch = registries.sessions.watch({ within: [], call: CALL });
    const batches = watch[Symbol.asyncIterator]();
    await batches.next();
    await registries.nodes.unregister(describedNode(1), CALL);
    const { value } = await batches.next();
    expect(value.changes).toMatchObject([{ kind: 'put', stored: { value: { owner: null } } }]);
    stop.abort();
    await running;
    watch.cancel();
  });
});

describe('expired records', () => {
  test('idempotent data and bans that are over go, others stay', async () => {
    const { registries } = await openTestCluster();
    const { idempotence, bans } = registries;
    const clock = new ManualClock(50);
    await idempotence.mark({ producer: 'p', sequence: 1, expiresAtMs: 10 }, CALL);
    await idempotence.mark({ producer: 'p', sequence: 2, expiresAtMs: 90 }, CALL);
    for (const [name, untilMs] of [
      ['a', 10],
      ['b', 90],
      ['c', null],
    ] as const) {
      await bans.save({ kind: 'user', name, untilMs, reason: '' }, null, CALL);
    }
    const stop = new AbortController();
    const timers = { ...systemTimers, after: stopAfter(stop) };
    await expiredRecords({ ...registries, clock, timers, restMs: 1000, call: CALL }).run(
      stop.signal,
    );
    expect(await idempotence.isMarked({ producer: 'p', sequence: 1 }, CALL)).toBe(false);
    expect(await idempotence.isMarked({ producer: 'p', sequence: 2 }, CALL)).toBe(true);
    const left = await bans.list({ after: null, limit: 9 }, CALL);
    expect(left.items.map(({ value }) => value.name)).toEqual(['b', 'c']);
  });
});

describe('the runner of controllers', () => {
  test('a controller that fails is run again after pauses that grow to a bound', async () => {
    const stop = new AbortController();
    const failures: ControllerFailure[] = [];
    const failing = {
      name: 'f',
      run: async () => {
        if (failures.length === 20) stop.abort();
        throw new Error('no');
      },
    };
    const edges = {
      timers: { ...systemTimers, after: immediately },
      random: new SeededRandom(3),
      reportFailure: (failure: ControllerFailure) => failures.push(failure),
    };
    await runControllers([failing], edges, stop.signal);
    const pauses = failures.map(({ pauseMs }) => pauseMs);
    expect(failures.map((each) => each.failures)).toEqual(pauses.map((_, index) => index + 1));
    expect(pauses[0]).toBeLessThanOrEqual(100);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(30_000);
    expect(Math.min(...pauses.slice(10))).toBeGreaterThanOrEqual(15_000);
  });

  test('it ends when the signal is aborted during a pause', async () => {
    const stop = new AbortController();
    const edges = {
      timers: { ...systemTimers, after: stopAfter(stop) },
      random: new SeededRandom(3),
      reportFailure: () => undefined,
    };
    const run = async () => {
      throw new Error('no');
    };
    await runControllers([{ name: 'f', run }], edges, stop.signal);
  });
});

function immediately(_: number, action: () => void) {
  queueMicrotask(action);
  return { cancel: () => undefined };
}

function stopAfter(stop: AbortController) {
  return () => {
    queueMicrotask(() => stop.abort());
    return { cancel: () => undefined };
  };
}
