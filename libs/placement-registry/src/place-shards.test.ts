import { ManualClock, systemTimers } from '@robustmq/environment';
import type { Placement } from '@robustmq/placement';
import { afterEach, describe, expect, test } from 'vitest';
import { CALL, describedNode, openTestCluster } from './cluster.fixture.ts';
import { DEFAULT_PLACE_SHARDS_RULES, placeShards } from './place-shards.ts';
import type { Registries } from './registries.ts';
import type { ShardRecord } from './shard-registry.ts';
import { KEEP_UNTIL_RELEASED } from './shard-retention.ts';

const LIFE = { ttlSeconds: 10, nowMs: 0 };
const RULES = { ...DEFAULT_PLACE_SHARDS_RULES, restMs: 0, lookEveryMs: 2 };

const LOST = new Error('the answer is lost');

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function open(servers: readonly number[]) {
  const { registries, placement } = await openTestCluster();
  const clock = new ManualClock(0);
  for (const nodeId of servers) await register(registries, nodeId);
  const run = (): (() => Promise<void>) => {
    const stopping = new AbortController();
    const options = { ...registries, clock, timers: systemTimers, rules: RULES, call: CALL };
    const run = placeShards({ ...options, onPlaced: () => {} }).run(stopping.signal);
    const running = run.catch((error: unknown) => {
      if (error !== LOST) throw error;
    });
    const stop = async (): Promise<void> => {
      stopping.abort();
      await running;
    };
    stops.push(stop);
    return stop;
  };
  return { registries, placement, clock, run };
}

function register({ nodes }: Registries, nodeId: number) {
  return nodes.register(serverOf(nodeId), LIFE, CALL);
}

function serverOf(nodeId: number) {
  return { ...describedNode(nodeId), clusterType: 'journal-server' } as const;
}

function create({ shards }: Registries, shard: string): Promise<ShardRecord> {
  const plan = { kind: 'keyed', replicas: 3, retention: KEEP_UNTIL_RELEASED, nowMs: 0 } as const;
  return shards.create({ namespace: 'n', shard }, plan, CALL);
}

/** The first time that the shards look so. */
async function until(
  { shards }: Registries,
  holds: (records: readonly ShardRecord[]) => boolean,
): Promise<readonly ShardRecord[]> {
  const records = new Map<string, ShardRecord>();
  const watch = shards.watch({ within: [], call: CALL });
  for await (const { changes } of watch) {
    for (const change of changes) {
      if (change.kind === 'put') records.set(change.stored.key, change.stored.value);
    }
    if (holds([...records.values()])) break;
  }
  watch.cancel();
  return [...records.values()];
}

/** The group is what the record asks for, told by one of its replicas. */
async function tellSettled({ shardStates, nodes }: Registries, record: ShardRecord) {
  const { namespace, shard, groupId, replicas, epoch } = record;
  for (const leader of replicas) {
    const node = await nodes.read(serverOf(leader), CALL);
    if (node === null) continue;
    const { incarnation } = node.value;
    const members = { leader, incarnation, voters: replicas, learners: [] };
    const amounts = { committed: 0, oldest: 0, bytes: 0, toldAtMs: 0 };
    const state = { namespace, shard, groupId, epoch, term: epoch, ...members, ...amounts };
    await shardStates.tell(state, CALL);
    return;
  }
}

const isPlaced = ({ replicas }: ShardRecord): boolean => replicas.length > 0;

describe('the place of shards', () => {
  test('new shards are founded on the servers, and lead by turns', async () => {
    const { registries, run } = await open([1, 2, 3]);
    for (const shard of ['a', 'b', 'c']) await create(registries, shard);
    run();
    const records = await until(registries, (all) => all.length === 3 && all.every(isPlaced));
    expect(records.map(({ founders }) => founders)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(new Set(leadersOf(records))).toEqual(new Set([1, 2, 3]));
  });

  test('a shard that wants more servers than there are is founded once it has waited', async () => {
    const { registries, clock, run } = await open([1, 2]);
    run();
    await create(registries, 'a');
    await register(registries, 9);
    const [whole] = await until(registries, (all) => all.every(isPlaced));
    expect(whole?.replicas).toEqual([1, 2, 9]);
    await registries.nodes.unregister(serverOf(9), CALL);
    await create(registries, 'b');
    clock.advance(RULES.foundingWaitMs - 1);
    await create(registries, 'c');
    const waiting = await registries.shards.read({ namespace: 'n', shard: 'b' }, CALL);
    expect(waiting?.value.replicas).toEqual([]);
    // The loop sees "b" at the earliest now, so the wait may begin anew here.
    const placed = until(registries, (all) => all.length === 3 && all.every(isPlaced));
    const forward = systemTimers.every(1, () => clock.advance(RULES.foundingWaitMs));
    const records = await placed;
    forward.cancel();
    expect(records.map(({ replicas }) => replicas)).toEqual([
      [1, 2, 9],
      [1, 2],
      [1, 2],
    ]);
  });

  test('the wait for further servers begins with the first one', async () => {
    const { registries, clock, run } = await open([]);
    run();
    await create(registries, 'a');
    for (let turn = 0; turn < 3; turn += 1) {
      clock.advance(RULES.foundingWaitMs);
      // Each look of the loop follows a change that it hears of.
      await create(registries, `b${turn}`);
    }
    for (const nodeId of [1, 2, 3]) await register(registries, nodeId);
    const records = await until(registries, (all) => all.length === 4 && all.every(isPlaced));
    expect(new Set(records.map(({ replicas }) => replicas.join()))).toEqual(new Set(['1,2,3']));
  });

  test('a server that stays away is replaced, one that returns is not', async () => {
    const { registries, clock, run } = await open([1, 2, 3, 4]);
    await create(registries, 'a');
    run();
    const [first] = await until(registries, (all) => all.every(isPlaced) && all.length === 1);
    expect(first?.replicas).toEqual([1, 2, 3]);
    await tellSettled(registries, first as ShardRecord);
    await registries.nodes.unregister(serverOf(3), CALL);
    await registries.nodes.unregister(serverOf(2), CALL);
    await register(registries, 2);
    const moved = until(registries, (all) => all.some(({ replicas }) => replicas.includes(4)));
    const forward = systemTimers.every(1, () => clock.advance(RULES.lostAfterMs / 10));
    const [record] = await moved;
    forward.cancel();
    expect(record).toMatchObject({ replicas: [1, 2, 4], founders: [1, 2, 3] });
  });

  test('replicas and leaders spread over a server that joins, and then nothing moves any more', async () => {
    const { registries, run } = await open([1, 2, 3]);
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    for (const shard of names) await create(registries, shard);
    run();
    const founded = await until(registries, (all) => all.length === 8 && all.every(isPlaced));
    for (const record of founded) await tellSettled(registries, record);
    await register(registries, 4);
    const told = new Map<string, number>(founded.map((each) => [each.shard, each.epoch]));
    const watch = registries.shards.watch({ within: [], call: CALL });
    const records = new Map<string, ShardRecord>();
    let underWay = 0;
    for await (const { changes } of watch) {
      for (const change of changes) {
        if (change.kind === 'put') records.set(change.stored.value.shard, change.stored.value);
      }
      const all = [...records.values()];
      const moving = all.filter(({ shard, epoch }) => told.get(shard) !== epoch);
      underWay = Math.max(underWay, moving.length);
      for (const record of moving) {
        told.set(record.shard, record.epoch);
        await tellSettled(registries, record);
      }
      if (isEven(all.flatMap(({ replicas }) => replicas)) && isEven(leadersOf(all))) break;
    }
    watch.cancel();
    expect(underWay).toBeGreaterThan(0);
    expect(records.size).toBe(8);
  });

  test('wherever a run ends, the next one finishes the work', async () => {
    for (let steps = 0; ; steps += 1) {
      const { registries, placement, run } = await open([1, 2, 3]);
      for (const shard of ['a', 'b']) await create(registries, shard);
      const lasting = endAfter(placement, steps);
      const stop = run();
      await Promise.race([lasting.ended, until(registries, (all) => all.every(isPlaced))]);
      await stop();
      lasting.repair();
      run();
      const records = await until(registries, (all) => all.length === 2 && all.every(isPlaced));
      expect(records.map(({ founders }) => founders)).toEqual([
        [1, 2, 3],
        [1, 2, 3],
      ]);
      if (!lasting.hasEnded()) return;
    }
  });
});

function leadersOf(records: readonly ShardRecord[]): readonly (number | null)[] {
  return records.map(({ preferredLeader }) => preferredLeader);
}

function isEven(servers: readonly (number | null)[]): boolean {
  const counts = [1, 2, 3, 4].map((id) => servers.filter((server) => server === id).length);
  return Math.max(...counts) - Math.min(...counts) <= 1;
}

/** The `steps`th transaction from now on is carried out and its answer never comes. */
function endAfter(placement: Placement, steps: number) {
  const transact = placement.transact.bind(placement);
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let left = steps;
  let hasEnded = false;
  placement.transact = async (transaction, options) => {
    const result = await transact(transaction, options);
    left -= 1;
    if (left !== -1) return result;
    hasEnded = true;
    resolve();
    throw LOST;
  };
  const repair = (): void => {
    placement.transact = transact;
  };
  return { ended, hasEnded: () => hasEnded, repair };
}
