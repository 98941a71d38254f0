import {
  type Clock,
  ManualClock,
  SeededRandom,
  systemClock,
  systemTimers,
} from '@robustmq/environment';
import { MemoryPlacement } from '@robustmq/placement-conformance';
import {
  DEFAULT_PLACE_SHARDS_RULES,
  KEEP_UNTIL_RELEASED,
  moveShard,
  openRegistries,
  placeShards,
  type ShardRecord,
  type ShardState,
} from '@robustmq/placement-registry';
import { afterEach, describe, expect, test } from 'vitest';
import { DEFAULT_HOST_SHARDS_RULES, hostShards } from './host-shards.ts';
import { MemoryShardSets } from './memory-shard-sets.fixture.ts';

const CALL = { deadlineMs: 10_000, signal: null };
const PAGE = { after: null, limit: 100 };

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function openCluster() {
  const placement = new MemoryPlacement();
  const registries = openRegistries(placement, {
    clusterName: 'test',
    random: new SeededRandom(5),
  });
  const sets = new MemoryShardSets();
  const stopOf = new Map<number, () => Promise<void>>();
  const started = { placement, registries, sets, failures: [] as string[] };
  const edges = { clock: systemClock, timers: systemTimers };

  const runController = (lostAfterMs: number, clock: Clock = systemClock) => {
    const waits = { restMs: 1, lookEveryMs: 5 };
    const rules = { ...DEFAULT_PLACE_SHARDS_RULES, ...waits, lostAfterMs };
    const options = { ...registries, ...edges, clock, rules, call: CALL, onPlaced: () => {} };
    return run(placeShards(options).run);
  };

  const startServer = async (nodeId: number): Promise<void> => {
    const description = { nodeIp: 'h', innerAddress: `h:${nodeId}`, extendInfo: '' };
    const { node } = await registries.nodes.register(
      { ...description, clusterType: 'journal-server', nodeId },
      { ttlSeconds: 10, nowMs: 0 },
      CALL,
    );
    const shardSet = sets.start(nodeId);
    const controller = hostShards({
      self: node,
      shardSet,
      amountsOf: () => ({ committed: 1, oldest: 0, bytes: 9 }),
      registries,
      ...edges,
      random: new SeededRandom(nodeId),
      rules: { ...DEFAULT_HOST_SHARDS_RULES, lookEveryMs: 5 },
      call: CALL,
      onFailure: ({ shard, step }) => started.failures.push(`${nodeId} ${step} ${shard}`),
    });
    stopOf.set(nodeId, run(controller.run));
  };

  const stopServer = async (nodeId: number): Promise<void> => {
    await stopOf.get(nodeId)?.();
    sets.stop(nodeId);
    await registries.nodes.unregister({ clusterType: 'journal-server', nodeId }, CALL);
  };

  const create = (shard: string): Promise<ShardRecord> => {
    const plan = {
      kind: 'messages',
      replicas: 3,
      retention: KEEP_UNTIL_RELEASED,
      nowMs: 0,
    } as const;
    return registries.shards.create({ namespace: 'n', shard }, plan, CALL);
  };
  return { ...started, runController, startServer, stopServer, create };
}

function run(loop: (signal: AbortSignal) => Promise<void>): () => Promise<void> {
  const stopping = new AbortController();
  const running = loop(stopping.signal);
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
  };
  stops.push(stop);
  return stop;
}

type Cluster = ReturnType<typeof openCluster>;

/** The first time that all states look so. */
async function untilStates(
  { registries }: Cluster,
  holds: (states: readonly ShardState[]) => boolean | Promise<boolean>,
): Promise<void> {
  const states = new Map<string, ShardState>();
  const watch = registries.shardStates.watch({ within: [], call: CALL });
  for await (const { changes } of watch) {
    for (const change of changes) {
      if (change.kind === 'put') states.set(change.stored.key, change.stored.value);
      if (change.kind === 'delete') states.clear();
    }
    if (await holds([...states.values()])) break;
  }
  watch.cancel();
}

/** Every record is carried out, and led by whom it prefers. */
async function isSettled({ registries }: Cluster, states: readonly ShardState[]): Promise<boolean> {
  const { items } = await registries.shards.list(null, PAGE, CALL);
  return items.every(({ value }) => {
    const state = states.find(({ shard }) => shard === value.shard);
    return (
      value.replicas.length > 0 &&
      state?.voters.join() === value.replicas.join() &&
      state.learners.length === 0 &&
      state.leader === value.preferredLeader
    );
  });
}

/** No sooner than something changes on a server. */
async function untilDisks({ sets }: Cluster, holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
  expect(sets.violations).toEqual([]);
}

describe('the shards of journal servers', () => {
  test('are founded where they are placed, and led by turns', async () => {
    const cluster = openCluster();
    for (const nodeId of [1, 2, 3]) await cluster.startServer(nodeId);
    cluster.runController(60_000);
    for (const shard of ['a', 'b', 'c']) await cluster.create(shard);
    await untilStates(cluster, async (all) => all.length === 3 && isSettled(cluster, all));
    const { items } = await cluster.registries.shardStates.list(null, PAGE, CALL);
    expect(new Set(items.map(({ value }) => value.leader))).toEqual(new Set([1, 2, 3]));
    expect(items[0]?.value).toMatchObject({ voters: [1, 2, 3], committed: 1, bytes: 9 });
    const retention = { ...KEEP_UNTIL_RELEASED, bytesMax: 7 };
    await cluster.registries.shards.retain({ namespace: 'n', shard: 'a' }, retention, CALL);
    const sets = [...cluster.sets.sets.values()];
    await untilDisks(cluster, () =>
      sets.every(({ retained }) => retained.get('n/a')?.bytesMax === 7),
    );
    expect(cluster.sets.violations).toEqual([]);
  });

  test('move to another server when theirs is lost, and what it had goes when it returns', async () => {
    const cluster = openCluster();
    for (const nodeId of [1, 2, 3, 4]) await cluster.startServer(nodeId);
    cluster.runController(1);
    for (const shard of ['a', 'b', 'c', 'd']) await cluster.create(shard);
    await untilStates(cluster, async (all) => all.length === 4 && isSettled(cluster, all));
    const held = [...(cluster.sets.sets.get(4)?.disk ?? [])];
    expect(held.length).toBeGreaterThan(0);
    await cluster.stopServer(4);
    await untilStates(
      cluster,
      async (all) =>
        (await isSettled(cluster, all)) && all.every(({ voters }) => !voters.includes(4)),
    );
    for (const [, { voters }] of cluster.sets.groups) expect(voters).toEqual([1, 2, 3]);
    expect(cluster.sets.sets.get(4)?.disk.size).toBe(held.length);
    const { groupId } = await cluster.create('deleted');
    cluster.sets.sets.get(4)?.disk.add(groupId);
    cluster.sets.deleted.add(groupId);
    await cluster.registries.shards.delete({ namespace: 'n', shard: 'deleted' }, CALL);
    await cluster.startServer(4);
    await untilStates(
      cluster,
      async (all) =>
        (await isSettled(cluster, all)) && all.some(({ voters }) => voters.includes(4)),
    );
    const votes = (groupId: number, node: number): boolean =>
      cluster.sets.groups.get(groupId)?.voters.includes(node) === true;
    await untilDisks(cluster, () =>
      [...cluster.sets.sets.values()].every(({ node, disk }) =>
        [...disk].every((id) => votes(id, node) && !cluster.sets.deleted.has(id)),
      ),
    );
  });

  test('are made anew on a server that gives its replica up', async () => {
    const cluster = openCluster();
    for (const nodeId of [1, 2, 3]) await cluster.startServer(nodeId);
    const clock = new ManualClock(0);
    cluster.runController(60_000, clock);
    const record = await cluster.create('a');
    await untilStates(cluster, async (all) => all.length === 1 && isSettled(cluster, all));
    const give = { ...record, replica: { from: 2, to: null }, leader: null };
    await moveShard(cluster.registries, give, CALL);
    const disk = cluster.sets.sets.get(2)?.disk;
    await untilDisks(cluster, () => disk?.size === 0);
    const forward = systemTimers.every(1, () => clock.advance(1_000));
    await untilStates(
      cluster,
      async (all) => all[0]?.voters.join() === '1,2,3' && isSettled(cluster, all),
    );
    forward.cancel();
    expect([...(disk ?? [])]).toEqual([record.groupId]);
  });

  test('go with their data when they are deleted, and begin anew under the same name', async () => {
    const cluster = openCluster();
    for (const nodeId of [1, 2, 3]) await cluster.startServer(nodeId);
    cluster.runController(60_000);
    const { groupId } = await cluster.create('a');
    await untilStates(cluster, async (all) => all.length === 1 && isSettled(cluster, all));
    cluster.sets.deleted.add(groupId);
    await cluster.registries.shards.delete({ namespace: 'n', shard: 'a' }, CALL);
    const again = await cluster.create('a');
    await untilStates(
      cluster,
      async (all) => all[0]?.groupId === again.groupId && isSettled(cluster, all),
    );
    await untilDisks(cluster, () =>
      [...cluster.sets.sets.values()].every(({ disk }) => [...disk].join() === `${again.groupId}`),
    );
  });

  test('stay on disk when a placement center lists nothing', async () => {
    const cluster = openCluster();
    await cluster.startServer(1);
    const set = cluster.sets.sets.get(1);
    await set?.open({ name: 'n/a', kind: 'messages', groupId: 7 }, { kind: 'join' });
    await untilDisks(cluster, () => set?.hosted.size === 0);
    expect([...(set?.disk ?? [])]).toEqual([7]);
  });

  test('are tried again after a failure', async () => {
    const cluster = openCluster();
    await cluster.startServer(1);
    const set = cluster.sets.sets.get(1);
    if (set === undefined) throw new Error('the server has started');
    const open = set.open.bind(set);
    let attempts = 0;
    set.open = async (shard, bootstrap) => {
      attempts += 1;
      if (attempts < 3) throw new Error('the disk does not answer');
      await open(shard, bootstrap);
    };
    const record = await cluster.create('a');
    const place = { replicas: [1], preferredLeader: 1 };
    await cluster.registries.shards.assign(record, place, CALL);
    await untilStates(cluster, (all) => all.length === 1);
    expect(cluster.failures).toEqual(['1 open n/a', '1 open n/a']);
  });
});
