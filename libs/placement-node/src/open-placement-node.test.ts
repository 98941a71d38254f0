import {
  DEFAULT_STATE_MACHINE_LIMITS,
  type KeyRange,
  PlacementError,
  prefixRange,
  type Revision,
  singleKeyRange,
  type Transaction,
  type WatchBatch,
} from '@robustmq/placement';
import type { NodeId } from '@robustmq/raft';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Member, put, SOON, TestCluster, until } from './cluster.fixture.ts';
import type { InProcessPlacement } from './in-process-placement.ts';

let cluster: TestCluster;

beforeEach(() => {
  cluster = new TestCluster();
});

afterEach(() => cluster.close());

async function valuesOf(
  { node }: Member,
  range: KeyRange,
  consistency: 'linearizable' | 'serializable',
): Promise<readonly string[]> {
  const request = { range, limit: 0, content: 'whole', consistency } as const;
  const { keyValues } = await node.placement.range(request, SOON);
  return keyValues.map(({ value }) => new TextDecoder().decode(value));
}

describe('one member', () => {
  test('keeps what it acknowledged over a restart', async () => {
    await cluster.start(1, [1]);
    const { node } = await cluster.leader();
    await node.placement.transact(put('a', 'one'), SOON);
    await cluster.stop(1);
    await cluster.start(1, [1]);
    expect(await valuesOf(await cluster.leader(), singleKeyRange('a'), 'linearizable')).toEqual([
      'one',
    ]);
  });

  test('refuses what is not valid before it reaches the log', async () => {
    await cluster.start(1, [1]);
    const { node } = await cluster.leader();
    const { lastIndex } = node.status.raft;
    await expect(node.placement.transact(put('', 'no key'), SOON)).rejects.toMatchObject({
      fault: { code: 'PLACEMENT_INVALID' },
    });
    expect(node.status.raft.lastIndex).toBe(lastIndex);
  });

  test('deletes the keys of a lease that nobody keeps alive, and tells those who watch', async () => {
    await cluster.start(1, [1]);
    const { placement } = (await cluster.leader()).node;
    const lease = await placement.grantLease(1, SOON);
    const value = new Uint8Array([1]);
    const leased: Transaction = {
      compare: [],
      then: [{ kind: 'put', key: 'a', value, lease: lease.id }],
      otherwise: [],
      requestId: null,
    };
    await placement.transact(leased, SOON);
    const watch = placement.watch({
      range: singleKeyRange('a'),
      from: null,
      progressEveryMs: null,
    });
    expect((await placement.readLease(lease.id, SOON)).keys).toEqual(['a']);
    for await (const { events } of watch) {
      expect(events).toMatchObject([{ kind: 'delete', key: 'a' }]);
      break;
    }
    await expect(placement.keepLease(lease.id, SOON)).rejects.toMatchObject({
      fault: { code: 'PLACEMENT_LEASE_NOT_FOUND' },
    });
  });
});

describe('a lease with more keys than one command touches', () => {
  test('has ended after the first piece, and a new leader comes to its last key', async () => {
    cluster.limits = { ...DEFAULT_STATE_MACHINE_LIMITS, touchedKeysMax: 1 };
    await cluster.startAll(3);
    const first = await cluster.leader();
    const placement = first.node.placement as InProcessPlacement;
    const { id } = await placement.grantLease(3600, SOON);
    for (const key of ['k/1', 'k/2', 'k/3']) {
      const then = [{ kind: 'put', key, value: new Uint8Array(1), lease: id }] as const;
      await placement.transact({ ...put(key, ''), then }, SOON);
    }
    const range = prefixRange('k/');
    const { revision } = first.node.status;
    const command = { kind: 'revokeLease', id, reason: 'asked' } as const;
    expect(await placement.propose(command, SOON)).toMatchObject({ deleted: 1, more: true });
    const gone = { fault: { code: 'PLACEMENT_LEASE_NOT_FOUND' } };
    await expect(placement.keepLease(id, SOON)).rejects.toMatchObject(gone);
    await expect(placement.readLease(id, SOON)).rejects.toMatchObject(gone);
    expect((await first.node.listLeases(null, 10)).leases).toEqual([]);
    await cluster.stop(first.id);
    const next = await cluster.leader();
    const from = (revision + 1) as Revision;
    const watch = next.node.placement.watch({ range, from, progressEveryMs: null });
    let deleted = 0;
    for await (const { events } of watch) {
      deleted += events.length;
      if (deleted === 3) break;
    }
    expect(await valuesOf(next, range, 'linearizable')).toEqual([]);
  });
});

describe('three members', () => {
  test('show a write on a follower that reads linearizably, and name the leader to writers', async () => {
    await cluster.startAll(3);
    const leader = await cluster.leader();
    const follower = await cluster.follower();
    await leader.node.placement.transact(put('a', 'one'), SOON);
    expect(await valuesOf(follower, singleKeyRange('a'), 'linearizable')).toEqual(['one']);
    await expect(follower.node.placement.transact(put('a', 'two'), SOON)).rejects.toMatchObject({
      fault: { code: 'PLACEMENT_NOT_LEADER', leader: `node-${String(leader.id)}:1` },
    });
    await expect(follower.node.placement.keepLease(1 as never, SOON)).rejects.toMatchObject({
      fault: { code: 'PLACEMENT_NOT_LEADER' },
    });
  });

  test('go on without their leader, and a watch on a follower misses nothing', async () => {
    await cluster.startAll(3);
    const leader = await cluster.leader();
    const follower = await cluster.follower();
    const watch = follower.node.placement.watch({
      range: prefixRange('k/'),
      from: 1 as Revision,
      progressEveryMs: null,
    });
    await leader.node.placement.transact(put('k/1', 'before'), SOON);
    await cluster.stop(leader.id);
    const next = await cluster.leader();
    expect(next.id).not.toBe(leader.id);
    await next.node.placement.transact(put('k/2', 'after'), SOON);
    const seen: string[] = [];
    for await (const { events } of watch as AsyncIterable<WatchBatch>) {
      seen.push(...events.map((event) => (event.kind === 'put' ? event.keyValue.key : event.key)));
      if (seen.length === 2) break;
    }
    expect(seen).toEqual(['k/1', 'k/2']);
  });

  test('a lease outlives its leader while it is kept alive, and the next leader ends it', async () => {
    await cluster.startAll(3);
    const first = await cluster.leader();
    const lease = await first.node.placement.grantLease(1, SOON);
    await cluster.stop(first.id);
    const { placement } = (await cluster.leader()).node;
    expect(await placement.keepLease(lease.id, SOON)).toEqual({ id: lease.id, ttlSeconds: 1 });
    const notFound = { fault: { code: 'PLACEMENT_LEASE_NOT_FOUND' } };
    for (;;) {
      // On a busy machine another one may lead by now; only a leader's answer counts.
      const { node } = await cluster.leader();
      const kept = node.placement.keepLease(lease.id, SOON);
      const failure: unknown = await kept.then(
        () => null,
        (error: unknown) => error,
      );
      if (failure instanceof PlacementError && failure.fault.code === notFound.fault.code) break;
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
    const { node } = await cluster.leader();
    await expect(node.placement.readLease(lease.id, SOON)).rejects.toMatchObject(notFound);
  });

  test('a member is added, gets a vote, takes over and another is removed for good', async () => {
    await cluster.startAll(3);
    const leader = await cluster.leader();
    await leader.node.placement.transact(put('a', 'one'), SOON);
    const added = await cluster.start(4, 'join');
    await leader.node.members.addLearner(4 as NodeId, 'node-4:1', 5000);
    await until(() =>
      added.node.status.revision === leader.node.status.revision ? true : undefined,
    );
    expect(await valuesOf(added, singleKeyRange('a'), 'serializable')).toEqual(['one']);
    await leader.node.members.promote([4 as NodeId], 5000);
    // On a busy machine a third may win the election meanwhile: then it is the one to hand over.
    let next = await cluster.leader();
    while (next.id !== 4) {
      await next.node.members.transferLeadership(4 as NodeId, 5000).catch(() => undefined);
      next = await cluster.leader();
    }
    await next.node.members.remove([leader.id], 5000);
    expect(next.node.members.list().map(({ node, address }) => [node, address])).toEqual(
      [1, 2, 3, 4].filter((id) => id !== leader.id).map((id) => [id, `node-${String(id)}:1`]),
    );
    await expect(
      next.node.members.addLearner(leader.id, 'elsewhere:1', 5000),
    ).rejects.toMatchObject({ fault: { code: 'PLACEMENT_INVALID' } });
  });
});

test('a leader that removes itself is followed by one that writes it down', async () => {
  await cluster.startAll(3);
  const first = await cluster.leader();
  await first.node.members.remove([first.id], 5000);
  await cluster.stop(first.id);
  const next = await cluster.leader();
  await until(() =>
    next.node.members.list().some(({ node }) => node === first.id) ? undefined : true,
  );
  const request = { range: prefixRange('/placement/'), limit: 0, content: 'keys' } as const;
  for (;;) {
    const { keyValues } = await next.node.placement.range(
      { ...request, consistency: 'linearizable' },
      SOON,
    );
    const keys = keyValues.map(({ key }) => key);
    if (keys.includes(`/placement/removed/${String(first.id)}`)) break;
  }
  const again = next.node.members.addLearner(first.id, 'elsewhere:1', 5000);
  await expect(again).rejects.toMatchObject({ fault: { code: 'PLACEMENT_INVALID' } });
});

test('controllers run on the leader only and end with its term', async () => {
  const running = new Set<string>();
  let number = 0;
  cluster.controllers.push({
    name: 'example',
    run: (signal) => {
      const name = String((number += 1));
      running.add(name);
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          running.delete(name);
          resolve();
        });
      });
    },
  });
  await cluster.startAll(3);
  const leader = await cluster.leader();
  await until(() => (running.size === 1 ? true : undefined));
  await cluster.stop(leader.id);
  expect(running.size).toBe(0);
  await cluster.leader();
  await until(() => (running.size === 1 ? true : undefined));
  expect(number).toBe(2);
});
