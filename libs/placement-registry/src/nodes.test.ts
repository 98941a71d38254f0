import { describe, expect, test } from 'vitest';
import { CALL, describedNode, faultOf, openTestCluster } from './cluster.fixture.ts';

const LIFE = { ttlSeconds: 10, nowMs: 1 };
const PAGE = { after: null, limit: 100 };

describe('nodes', () => {
  test('each registration is the next incarnation', async () => {
    const { registries } = await openTestCluster();
    const first = await registries.nodes.register(describedNode(7), LIFE, CALL);
    const second = await registries.nodes.register(describedNode(7), LIFE, CALL);
    expect([first.node.incarnation, second.node.incarnation]).toEqual([1, 2]);
    const listed = await registries.nodes.listAll('mqtt-broker', CALL);
    expect(listed).toEqual([second.node]);
  });

  test('the predecessor learns from its heartbeat that it is over', async () => {
    const { registries } = await openTestCluster();
    const first = await registries.nodes.register(describedNode(7), LIFE, CALL);
    await registries.nodes.heartbeat(first, CALL);
    const second = await registries.nodes.register(describedNode(7), LIFE, CALL);
    const fault = await faultOf(registries.nodes.heartbeat(first, CALL));
    expect(fault.code).toBe('PLACEMENT_LEASE_NOT_FOUND');
    await registries.nodes.heartbeat(second, CALL);
  });

  test('processes that register as the same node at once get different incarnations', async () => {
    const { registries } = await openTestCluster();
    const all = await Promise.all(
      [1, 2, 3, 4].map(() => registries.nodes.register(describedNode(7), LIFE, CALL)),
    );
    const incarnations = all
      .map(({ node }) => node.incarnation)
      .toSorted((one, other) => one - other);
    expect(incarnations).toEqual([1, 2, 3, 4]);
    const listed = await registries.nodes.listAll('mqtt-broker', CALL);
    expect(listed.map(({ incarnation }) => incarnation)).toEqual([4]);
  });

  test('a node says something else about itself in the same incarnation, and not in one that is over', async () => {
    const { registries } = await openTestCluster();
    const first = await registries.nodes.register(describedNode(7), LIFE, CALL);
    const changed = await registries.nodes.describe(first, 'draining', CALL);
    expect(changed).toEqual({ ...first.node, extendInfo: 'draining' });
    expect((await registries.nodes.read(describedNode(7), CALL))?.lease).toBe(first.lease);
    await registries.nodes.register(describedNode(7), LIFE, CALL);
    const fault = await faultOf(registries.nodes.describe(first, 'x', CALL));
    expect(fault.code).toBe('REGISTRY_FENCED');
  });

  test('incarnations go on counting after the node was taken out', async () => {
    const { registries } = await openTestCluster();
    await registries.nodes.register(describedNode(7), LIFE, CALL);
    expect(await registries.nodes.unregister(describedNode(7), CALL)).toBe(true);
    expect(await registries.nodes.unregister(describedNode(7), CALL)).toBe(false);
    expect(await registries.nodes.read(describedNode(7), CALL)).toBeNull();
    const again = await registries.nodes.register(describedNode(7), LIFE, CALL);
    expect(again.node.incarnation).toBe(2);
  });

  test('routes and group membership end with the lease of their node', async () => {
    const { registries } = await openTestCluster();
    const { nodes, routes, shareLeaders } = registries;
    const first = await nodes.register(describedNode(1), LIFE, CALL);
    const second = await nodes.register(describedNode(2), LIFE, CALL);
    await routes.add(first, ['a/+', 'b'], CALL);
    await routes.add(second, ['a/+'], CALL);
    await shareLeaders.join(first, 'g', CALL);
    expect(await routes.nodesOf('a/+', CALL)).toEqual([1, 2]);
    await nodes.unregister(describedNode(1), CALL);
    expect(await routes.nodesOf('a/+', CALL)).toEqual([2]);
    expect((await routes.list(PAGE, CALL)).items).toHaveLength(1);
    expect((await shareLeaders.leaderOf('g', CALL)).nodeId).toBe(2);
  });

  test('a node with a successor adds and removes no routes', async () => {
    const { registries } = await openTestCluster();
    const { nodes, routes } = registries;
    const old = await nodes.register(describedNode(1), LIFE, CALL);
    const now = await nodes.register(describedNode(1), LIFE, CALL);
    await routes.add(now, ['a'], CALL);
    const added = await faultOf(routes.remove(old, ['a'], CALL));
    expect(added).toMatchObject({ code: 'REGISTRY_FENCED', offered: 1, current: 2 });
    expect(await routes.nodesOf('a', CALL)).toEqual([1]);
  });
});

describe('leaders of shared subscriptions', () => {
  test('all who ask at once get the same leader', async () => {
    const { registries } = await openTestCluster();
    const { nodes, shareLeaders } = registries;
    for (const id of [1, 2, 3]) {
      const registration = await nodes.register(describedNode(id), LIFE, CALL);
      await shareLeaders.join(registration, 'g', CALL);
    }
    const asked = await Promise.all([1, 2, 3, 4].map(() => shareLeaders.leaderOf('g', CALL)));
    expect(new Set(asked.map(({ nodeId, epoch }) => `${nodeId} ${epoch}`)).size).toBe(1);
  });

  test('a leader stays when others join, and has a successor with a higher epoch when it goes', async () => {
    const { registries } = await openTestCluster();
    const { nodes, shareLeaders } = registries;
    const first = await nodes.register(describedNode(1), LIFE, CALL);
    await shareLeaders.join(first, 'g', CALL);
    const leader = await shareLeaders.leaderOf('g', CALL);
    for (const id of [2, 3, 4, 5]) {
      await shareLeaders.join(await nodes.register(describedNode(id), LIFE, CALL), 'g', CALL);
    }
    expect(await shareLeaders.leaderOf('g', CALL)).toEqual(leader);
    await shareLeaders.leave(first, 'g', CALL);
    const next = await shareLeaders.leaderOf('g', CALL);
    expect(next.nodeId).not.toBe(1);
    expect(next.epoch).toBe(leader.epoch + 1);
  });

  test('without any broker there is no leader', async () => {
    const { registries } = await openTestCluster();
    const fault = await faultOf(registries.shareLeaders.leaderOf('g', CALL));
    expect(fault.code).toBe('REGISTRY_NODES_MISSING');
  });
});
