import { SeededRandom, systemTimers } from '@robustmq/environment';
import { MemoryPlacement } from '@robustmq/placement-conformance';
import { KEEP_UNTIL_RELEASED, openRegistries } from '@robustmq/placement-registry';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RegistryPlaces, registryPlaces } from './registry-places.ts';

const CALL = { deadlineMs: 10_000, signal: null };
const random = new SeededRandom(1);

let placement: MemoryPlacement;
let registries: ReturnType<typeof openRegistries>;
let places: RegistryPlaces;

beforeEach(() => {
  placement = new MemoryPlacement();
  registries = openRegistries(placement, { clusterName: 'test', random });
  places = registryPlaces({
    registries,
    fallback: ['fallback:1'],
    timers: systemTimers,
    random,
    onServers: null,
  });
});

afterEach(async () => {
  places.close();
  await placement.close();
});

async function register(nodeId: number): Promise<number> {
  const innerAddress = `host:${nodeId}`;
  const node = { clusterType: 'journal-server', nodeId, nodeIp: 'host', extendInfo: '' } as const;
  const life = { ttlSeconds: 10, nowMs: 0 };
  const registration = await registries.nodes.register({ ...node, innerAddress }, life, CALL);
  return registration.node.incarnation;
}

async function expectCandidates(candidates: readonly string[]): Promise<void> {
  await expect.poll(() => places.candidatesOf('ns/a'), { interval: 1 }).toEqual(candidates);
}

test('the leader that told its state comes first, then who should lead, replicas, and everybody', async () => {
  await expectCandidates(['fallback:1']);
  const incarnation = await register(1);
  for (const node of [2, 3, 4]) await register(node);
  await expectCandidates(['host:1', 'host:2', 'host:3', 'host:4', 'fallback:1']);
  const name = { namespace: 'ns', shard: 'a' };
  const plan = { kind: 'messages', replicas: 3, retention: KEEP_UNTIL_RELEASED, nowMs: 0 } as const;
  const record = await registries.shards.create(name, plan, CALL);
  const to = { replicas: [1, 4, 3], preferredLeader: 4 };
  await registries.shards.assign(record, to, CALL);
  await expectCandidates(['host:4', 'host:1', 'host:3', 'host:2', 'fallback:1']);
  const told = {
    epoch: 1,
    term: 1,
    leader: 1,
    incarnation,
    voters: [1, 3, 4],
    learners: [],
    toldAtMs: 0,
  };
  const size = { committed: 0, oldest: 0, bytes: 0 };
  await registries.shardStates.tell({ ...name, groupId: record.groupId, ...told, ...size }, CALL);
  await expectCandidates(['host:1', 'host:4', 'host:3', 'host:2', 'fallback:1']);
  await registries.nodes.unregister({ clusterType: 'journal-server', nodeId: 1 }, CALL);
  await expectCandidates(['host:1', 'host:4', 'host:3', 'host:2', 'fallback:1']);
  expect([places.lifeOf('ns/a'), places.lifeOf('ns/b')]).toEqual([record.groupId, 0]);
  expect(places.addressOf(2)).toBe('host:2');
  expect(places.addressOf(9)).toBeNull();
});
