import { describe, expect, test } from 'vitest';
import { CALL, describedNode, faultOf, openTestCluster } from './cluster.fixture.ts';
import {
  BROKER_NAMESPACE,
  brokerShards,
  DEFAULT_BROKER_SHARD_COUNTS,
  ensureShards,
} from './ensure-shards.ts';
import type { Registration } from './node-registry.ts';
import type { Registries } from './registries.ts';
import type { ShardPlan, ShardRecord } from './shard-registry.ts';
import { KEEP_UNTIL_RELEASED } from './shard-retention.ts';
import type { ShardState } from './shard-state-registry.ts';

const PAGE = { after: null, limit: 100 };
const NAME = { namespace: 'n', shard: 's' };
const PLAN: ShardPlan = {
  kind: 'messages',
  replicas: 3,
  retention: KEEP_UNTIL_RELEASED,
  nowMs: 7,
};

async function openShard() {
  const { registries } = await openTestCluster();
  const created = await registries.shards.create(NAME, PLAN, CALL);
  const place = { replicas: [1, 2, 3], preferredLeader: 2 };
  const shard = await registries.shards.assign(created, place, CALL);
  return { registries, ...registries, created, shard };
}

function registerServer({ nodes }: Registries, nodeId: number): Promise<Registration> {
  const node = { ...describedNode(nodeId), clusterType: 'journal-server' } as const;
  return nodes.register(node, { ttlSeconds: 10, nowMs: 0 }, CALL);
}

function stateOf(shard: ShardRecord, more: Partial<ShardState>): ShardState {
  return {
    namespace: shard.namespace,
    shard: shard.shard,
    groupId: shard.groupId,
    epoch: shard.epoch,
    term: 1,
    leader: 1,
    incarnation: 1,
    voters: [1, 2, 3],
    learners: [],
    committed: 0,
    oldest: 0,
    bytes: 0,
    toldAtMs: 0,
    ...more,
  };
}

describe('shards', () => {
  test('a shard begins without a place, and its first replicas are its founders for ever', async () => {
    const { shards, created, shard } = await openShard();
    expect([created.replicas, created.founders, created.preferredLeader]).toEqual([[], [], null]);
    expect(shard).toMatchObject({ founders: [1, 2, 3], preferredLeader: 2 });
    const moved = await shards.assign(shard, { replicas: [2, 3, 4], preferredLeader: 4 }, CALL);
    expect(moved).toMatchObject({ founders: [1, 2, 3], replicas: [2, 3, 4], preferredLeader: 4 });
    expect((await shards.read(NAME, CALL))?.value).toEqual(moved);
  });

  test('one name is given once, and one group id to one life of one shard', async () => {
    const { shards, created } = await openShard();
    expect((await faultOf(shards.create(NAME, PLAN, CALL))).code).toBe('REGISTRY_EXISTS');
    const others = await Promise.all(
      ['t', 'u'].map((shard) => shards.create({ ...NAME, shard }, PLAN, CALL)),
    );
    await shards.delete(NAME, CALL);
    const again = await shards.create(NAME, PLAN, CALL);
    const groups = [created, ...others, again].map(({ groupId }) => groupId);
    expect(new Set(groups).size).toBe(4);
    expect(Math.min(...groups)).toBeGreaterThan(0);
  });

  test('those who create one shard at once create it once', async () => {
    const { registries } = await openTestCluster();
    const calls = [1, 2, 3].map(() => registries.shards.create(NAME, PLAN, CALL));
    const settled = await Promise.allSettled(calls);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('each place has the next epoch, and who decided about an older one is refused', async () => {
    const { shards, segments, created, shard } = await openShard();
    expect(shard.epoch).toBe(created.epoch + 1);
    const place = { replicas: [1], preferredLeader: null };
    expect((await faultOf(shards.assign(created, place, CALL))).code).toBe('REGISTRY_FENCED');
    expect((await faultOf(segments.begin(created, 0, CALL))).code).toBe('REGISTRY_FENCED');
  });

  for (const [why, place] of [
    ['a leader that holds no replica', { replicas: [1], preferredLeader: 2 }],
    ['one server twice', { replicas: [1, 1], preferredLeader: 1 }],
    ['no server at all', { replicas: [], preferredLeader: null }],
  ] as const) {
    test(`${why} is no place`, async () => {
      const { shards, shard } = await openShard();
      expect((await faultOf(shards.assign(shard, place, CALL))).code).toBe('REGISTRY_INVALID');
    });
  }

  test.each([0, 10, 1.5])('%d replicas are refused', async (replicas) => {
    const { registries } = await openTestCluster();
    const call = registries.shards.create(NAME, { ...PLAN, replicas }, CALL);
    expect((await faultOf(call)).code).toBe('REGISTRY_INVALID');
  });

  test('what is kept can be changed, and moves nothing', async () => {
    const { shards, shard } = await openShard();
    const retention = { ...KEEP_UNTIL_RELEASED, bytesMax: 1e9, whenFull: 'drop-oldest' } as const;
    expect(await shards.retain(NAME, retention, CALL)).toEqual({ ...shard, retention });
    const missing = shards.retain({ ...NAME, shard: 'x' }, retention, CALL);
    expect((await faultOf(missing)).code).toBe('REGISTRY_NOT_FOUND');
  });
});

describe('segments', () => {
  test('a segment that begins seals the one before it', async () => {
    const { segments, shard } = await openShard();
    await segments.begin(shard, 0, CALL);
    await segments.begin(shard, 100, CALL);
    const page = await segments.list(NAME, PAGE, CALL);
    expect(page.items.map(({ value }) => [value.segment, value.status, value.afterOffset])).toEqual(
      [
        [0, 'sealed', 100],
        [1, 'active', null],
      ],
    );
  });

  test('segments and states end with their shard, and its epochs are never used again', async () => {
    const { registries, shards, shardStates, segments, shard } = await openShard();
    await registerServer(registries, 1);
    await segments.begin(shard, 0, CALL);
    await shardStates.tell(stateOf(shard, {}), CALL);
    expect(await shards.delete(NAME, CALL)).toBe(true);
    expect((await segments.list(NAME, PAGE, CALL)).items).toEqual([]);
    expect((await shardStates.list(null, PAGE, CALL)).items).toEqual([]);
    const again = await shards.create(NAME, PLAN, CALL);
    expect(again.epoch).toBeGreaterThan(shard.epoch);
  });

  test('that a shard was deleted is remembered for the servers that hold it, for a month', async () => {
    const { registries, placement } = await openTestCluster();
    const { shards, deletedShards } = registries;
    const { groupId } = await shards.create(NAME, PLAN, CALL);
    expect(await deletedShards.has(groupId, CALL)).toBe(false);
    await shards.delete(NAME, CALL);
    await shards.create(NAME, PLAN, CALL);
    placement.advance(29 * 24 * 3600);
    expect(await deletedShards.has(groupId, CALL)).toBe(true);
    placement.advance(2 * 24 * 3600);
    expect(await deletedShards.has(groupId, CALL)).toBe(false);
  });
});

describe('states of shards', () => {
  async function openStates() {
    const opened = await openShard();
    for (const nodeId of [1, 2]) await registerServer(opened.registries, nodeId);
    const tell = (more: Partial<ShardState>) =>
      opened.shardStates.tell(stateOf(opened.shard, more), CALL);
    return { ...opened, tell };
  }

  test('the newest term counts, and within it what was told last', async () => {
    const { tell, shardStates } = await openStates();
    expect(await shardStates.read(NAME, CALL)).toBeNull();
    await tell({ term: 3, committed: 5 });
    await tell({ term: 3, committed: 9 });
    await tell({ term: 4, leader: 2, committed: 8 });
    const late = await faultOf(tell({ term: 3, committed: 10 }));
    expect(late).toMatchObject({ code: 'REGISTRY_FENCED', offered: 3, current: 4 });
    expect((await shardStates.read(NAME, CALL))?.value).toMatchObject({ leader: 2, committed: 8 });
  });

  test('a term has one leader', async () => {
    const { tell } = await openStates();
    await tell({ term: 3 });
    expect((await faultOf(tell({ term: 3, leader: 2 }))).code).toBe('REGISTRY_FENCED');
  });

  test('a node that has registered again does not tell for its earlier life', async () => {
    const { tell, registries } = await openStates();
    await registerServer(registries, 1);
    expect((await faultOf(tell({}))).code).toBe('REGISTRY_FENCED');
    await tell({ incarnation: 2 });
  });

  test('nothing is told of a shard that is gone, or of its next life', async () => {
    const { tell, shards } = await openStates();
    await shards.delete(NAME, CALL);
    expect((await faultOf(tell({}))).code).toBe('REGISTRY_FENCED');
    await shards.create(NAME, PLAN, CALL);
    expect((await faultOf(tell({ term: 9 }))).code).toBe('REGISTRY_FENCED');
  });
});

describe('the shards of brokers', () => {
  const MAKE = { namespace: BROKER_NAMESPACE, replicas: 3, nowMs: 1 };
  const WANTED = brokerShards(DEFAULT_BROKER_SHARD_COUNTS, KEEP_UNTIL_RELEASED);

  test('brokers that start at once create each shard once', async () => {
    const { registries } = await openTestCluster();
    const { shards } = registries;
    const all = await Promise.all([1, 2, 3].map(() => ensureShards(shards, WANTED, MAKE, CALL)));
    expect(all[0]?.map(({ shard, kind }) => `${shard} ${kind}`)).toEqual([
      'mqtt-0 messages',
      'mqtt-1 messages',
      'mqtt-2 messages',
      'sessions-0 keyed',
      'sessions-1 keyed',
      'sessions-2 keyed',
      'retained-0 keyed',
      'offsets-0 keyed',
    ]);
    const groups = all.map((records) => records.map(({ groupId }) => groupId));
    expect(groups[1]).toEqual(groups[0]);
    expect(groups[2]).toEqual(groups[0]);
    expect((await shards.list(BROKER_NAMESPACE, PAGE, CALL)).items).toHaveLength(8);
  });

  test('a shard that exists stays as it is', async () => {
    const { registries } = await openTestCluster();
    const [first] = await ensureShards(registries.shards, WANTED, MAKE, CALL);
    const placed = await registries.shards.assign(
      first as ShardRecord,
      { replicas: [1], preferredLeader: 1 },
      CALL,
    );
    const [again] = await ensureShards(registries.shards, WANTED, MAKE, CALL);
    expect(again).toEqual(placed);
  });

  test('a shard of another kind is not taken for the one that is needed', async () => {
    const { registries } = await openTestCluster();
    const name = { namespace: BROKER_NAMESPACE, shard: 'retained-0' };
    await registries.shards.create(name, PLAN, CALL);
    const fault = await faultOf(ensureShards(registries.shards, WANTED, MAKE, CALL));
    expect(fault).toMatchObject({ code: 'REGISTRY_INVALID' });
  });
});
