import { SeededRandom } from '@robustmq/environment';
import { MemoryPlacement } from '@robustmq/placement-conformance';
import { openRegistries } from '@robustmq/placement-registry';
import {
  defaultChannelLimits,
  engineService,
  kvService,
  leaseService,
  mqttService,
  openChannel,
  placementCenterService,
  RpcError,
  rpcStatus,
} from '@robustmq/rpc';
import { afterEach, describe, expect, test } from 'vitest';
import { CALL, serve } from '../served-store.fixture.ts';

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function open() {
  const memory = new MemoryPlacement();
  const { address, close } = await serve(memory);
  cleanups.push(close);
  const limits = defaultChannelLimits;
  const channel = openChannel({ address, tls: null, token: null, limits });
  cleanups.push(() => channel.close());
  return {
    memory,
    kv: channel.clientOf(kvService),
    leases: channel.clientOf(leaseService),
    center: channel.clientOf(placementCenterService),
    mqtt: channel.clientOf(mqttService),
    engine: channel.clientOf(engineService),
  };
}

async function statusOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'OK';
  } catch (error) {
    if (error instanceof RpcError) return rpcStatus[error.status];
    throw error;
  }
}

const CLUSTER = { clusterName: '' };
const BROKER = { ...CLUSTER, clusterType: 'MQTTBrokerServer', nodeId: 5 } as const;
const REGISTRATION = {
  ...BROKER,
  nodeIp: '10.0.0.5',
  nodeInnerAddr: '10.0.0.5:9981',
  extendInfo: '{}',
};

describe('KvService', () => {
  test('single keys are set, read, told of and deleted', async () => {
    const { kv } = await open();
    const value = Uint8Array.of(1, 2);
    expect(await kv.set({ key: 'a', value, lease: null }, CALL)).toEqual({ revision: 1 });
    const read = await kv.get({ key: 'a' }, CALL);
    expect(read.keyValue).toMatchObject({ key: 'a', version: 1, modRevision: 1 });
    expect((await kv.exists({ key: 'a' }, CALL)).present).toBe(true);
    expect((await kv.delete({ key: 'a' }, CALL)).present).toBe(true);
    expect((await kv.delete({ key: 'a' }, CALL)).present).toBe(false);
    expect((await kv.get({ key: 'a' }, CALL)).keyValue).toBeNull();
    expect((await kv.exists({ key: 'a' }, CALL)).present).toBe(false);
  });
});

describe('LeaseService', () => {
  test('leases are kept alive on a stream, one reply per request', async () => {
    const { leases } = await open();
    const { id } = await leases.grant({ ttlSeconds: 9, requestId: null }, CALL);
    const call = leases.keepAlive({ signal: null, metadata: {} });
    const ended = new Promise((resolve) => call.onEnd(resolve));
    const kept: number[] = [];
    call.onMessage((lease) => kept.push(lease.ttlSeconds));
    call.write({ id });
    call.write({ id });
    call.finish();
    expect(await ended).toBeNull();
    expect(kept).toEqual([9, 9]);
    await leases.revoke({ id }, CALL);
    expect(await statusOf(leases.timeToLive({ id }, CALL))).toBe('NOT_FOUND');
    expect(await statusOf(leases.leases({ after: null, limit: 0 }, CALL))).toBe('UNIMPLEMENTED');
  });
});

describe('PlacementCenterService', () => {
  test('a node registers, beats, is listed and is taken out', async () => {
    const { center, memory } = await open();
    expect(await statusOf(center.heartbeat(BROKER, CALL))).toBe('NOT_FOUND');
    const first = await center.registerNode(REGISTRATION, CALL);
    expect(first).toMatchObject({ incarnation: 1, heartbeatTimeoutMs: 10_000 });
    for (let beat = 0; beat < 3; beat += 1) {
      memory.advance(8);
      expect(await center.heartbeat(BROKER, CALL)).toMatchObject({ incarnation: 1 });
    }
    const { nodes } = await center.nodeList(CLUSTER, CALL);
    expect(nodes).toMatchObject([{ ...REGISTRATION, incarnation: 1 }]);
    memory.advance(10);
    expect((await center.nodeList(CLUSTER, CALL)).nodes).toEqual([]);
    expect((await center.registerNode(REGISTRATION, CALL)).incarnation).toBe(2);
    await center.unRegisterNode(BROKER, CALL);
    await center.unRegisterNode(BROKER, CALL);
    const only = { ...CLUSTER, clusterType: 'JournalServer' } as const;
    expect((await center.nodeList(only, CALL)).nodes).toEqual([]);
  });

  test('configuration, ids and idempotent data', async () => {
    const { center } = await open();
    const resource = { ...CLUSTER, resources: ['mqtt', 'a/b'] };
    expect((await center.getResourceConfig(resource, CALL)).config).toBeUndefined();
    await center.setResourceConfig({ ...resource, config: Uint8Array.of(7) }, CALL);
    const { config } = await center.getResourceConfig(resource, CALL);
    expect([...(config ?? [])]).toEqual([7]);
    await center.deleteResourceConfig(resource, CALL);
    expect((await center.getResourceConfig(resource, CALL)).config).toBeUndefined();

    const kind = { ...CLUSTER, generateType: 'x' };
    expect(await center.generateUniqueId({ ...kind, count: 3 }, CALL)).toMatchObject({ id: 1 });
    expect(await center.generateUniqueId({ ...kind, count: 0 }, CALL)).toMatchObject({ id: 4 });

    const data = { ...CLUSTER, producerId: 'p', seqNum: 9 };
    expect((await center.existsIdempotentData(data, CALL)).exists).toBe(false);
    await center.setIdempotentData(data, CALL);
    await center.setIdempotentData(data, CALL);
    expect((await center.existsIdempotentData(data, CALL)).exists).toBe(true);
    await center.deleteIdempotentData(data, CALL);
    expect((await center.existsIdempotentData(data, CALL)).exists).toBe(false);
  });

  test('clusters do not see each other', async () => {
    const { center } = await open();
    await center.registerNode({ ...REGISTRATION, clusterName: 'other' }, CALL);
    expect((await center.nodeList(CLUSTER, CALL)).nodes).toEqual([]);
    expect((await center.nodeList({ clusterName: 'other' }, CALL)).nodes).toHaveLength(1);
  });

  test('what belongs to other services is told so', async () => {
    const { center } = await open();
    const message = new Uint8Array(0);
    for (const call of [
      () => center.sendRaftMessage({ message }, CALL),
      () => center.sendRaftConfChange({ message }, CALL),
      () => center.clusterStatus({}, CALL),
    ]) {
      expect(await statusOf(call())).toBe('UNIMPLEMENTED');
    }
    const load = { cpuRate: 1, memoryRate: 2, diskRate: 3, networkRate: 4 };
    expect(await statusOf(center.reportMonitor({ ...CLUSTER, nodeId: 5, ...load }, CALL))).toBe(
      'OK',
    );
  });
});

describe('MqttService', () => {
  test('users are created with a password or a hash, and listed without either', async () => {
    const { mqtt, memory } = await open();
    const user = { ...CLUSTER, userName: 'u', password: '', passwordHash: '', isSuperuser: true };
    expect(await statusOf(mqtt.createUser(user, CALL))).toBe('INVALID_ARGUMENT');
    await mqtt.createUser({ ...user, password: 'secret' }, CALL);
    expect(await statusOf(mqtt.createUser({ ...user, password: 'x' }, CALL))).toBe(
      'ALREADY_EXISTS',
    );
    await mqtt.createUser({ ...user, userName: 'v', passwordHash: '$h' }, CALL);
    const all = { ...CLUSTER, userName: '', after: '', limit: 0 };
    const users = [
      { userName: 'u', isSuperuser: true },
      { userName: 'v', isSuperuser: true },
    ];
    expect(await mqtt.listUser(all, CALL)).toMatchObject({ users, more: false });
    const page = await mqtt.listUser({ ...all, limit: 1 }, CALL);
    expect(page).toMatchObject({ users: users.slice(0, 1), more: true });
    const rest = await mqtt.listUser({ ...all, after: 'u' }, CALL);
    expect(rest).toMatchObject({ users: users.slice(1), more: false });
    const kept = memory.range(
      {
        range: { first: '', after: null },
        limit: 0,
        content: 'whole',
        consistency: 'linearizable',
      },
      CALL,
    );
    const stored = (await kept).keyValues
      .map(({ value }) => new TextDecoder().decode(value))
      .join();
    expect(stored).toContain('hash of 6 characters');
    expect(stored).not.toContain('secret"');
    await mqtt.deleteUser({ ...CLUSTER, userName: 'u' }, CALL);
    expect((await mqtt.listUser({ ...all, userName: 'u' }, CALL)).users).toEqual([]);
  });

  test('sessions belong to a registered broker, or to nobody', async () => {
    const { mqtt, center } = await open();
    const session = {
      clientId: 'c',
      sessionExpiry: 60,
      isContainLastWill: false,
      lastWillDelayInterval: 5,
      createTime: 100,
      connectionId: 8,
      brokerId: 5,
      reconnectTime: 0,
      disconnectTime: 0,
    };
    const create = () => mqtt.createSession({ ...CLUSTER, session }, CALL);
    expect(await statusOf(create())).toBe('FAILED_PRECONDITION');
    await center.registerNode(REGISTRATION, CALL);
    await create();
    const named = { ...CLUSTER, clientId: 'c' };
    await mqtt.saveLastWillMessage({ ...named, lastWillMessage: Uint8Array.of(1) }, CALL);
    const list = { ...named, after: '', limit: 0 };
    const listed = async () => (await mqtt.listSession(list, CALL)).sessions[0];
    expect(await listed()).toEqual({ ...session, isContainLastWill: true, reconnectTime: 100 });
    const update = { ...named, connectionId: 9, brokerId: 5, reconnectTime: 0, disconnectTime: 0 };
    await mqtt.updateSession({ ...update, reconnectTime: 300 }, CALL);
    expect(await listed()).toMatchObject({ connectionId: 9, reconnectTime: 300 });
    await center.registerNode({ ...REGISTRATION, nodeId: 6 }, CALL);
    await mqtt.updateSession({ ...update, brokerId: 6 }, CALL);
    expect(await listed()).toMatchObject({ brokerId: 6 });
    await mqtt.updateSession({ ...update, brokerId: 0, disconnectTime: 400 }, CALL);
    expect(await listed()).toMatchObject({ brokerId: 0, connectionId: 0, disconnectTime: 400 });
    await mqtt.deleteSession(named, CALL);
    await mqtt.deleteSession(named, CALL);
    expect(await listed()).toBeUndefined();
    expect(await statusOf(mqtt.updateSession(update, CALL))).toBe('NOT_FOUND');
  });

  test('topics keep what they retain, and a group has a leader', async () => {
    const { mqtt, center } = await open();
    const topic = { ...CLUSTER, topicName: 'a/b' };
    const { topicId } = await mqtt.createTopic(topic, CALL);
    expect(topicId).not.toBe('');
    expect(await statusOf(mqtt.createTopic(topic, CALL))).toBe('ALREADY_EXISTS');
    const retain = { ...topic, retainMessageExpiredAt: 77 };
    await mqtt.setTopicRetainMessage({ ...retain, retainMessage: Uint8Array.of(3) }, CALL);
    const list = { ...topic, after: '', limit: 0 };
    const [kept] = (await mqtt.listTopic(list, CALL)).topics;
    expect(kept).toMatchObject({ topicName: 'a/b', topicId, retainMessageExpiredAt: 77 });
    expect([...(kept?.retainMessage ?? [])]).toEqual([3]);
    await mqtt.setTopicRetainMessage({ ...retain, retainMessage: new Uint8Array(0) }, CALL);
    expect((await mqtt.listTopic(list, CALL)).topics[0]?.retainMessage).toBeUndefined();
    await mqtt.deleteTopic(topic, CALL);
    expect((await mqtt.listTopic({ ...list, topicName: '' }, CALL)).topics).toEqual([]);

    const group = { ...CLUSTER, groupName: 'g' };
    expect(await statusOf(mqtt.getShareSubLeader(group, CALL))).toBe('FAILED_PRECONDITION');
    await center.registerNode(REGISTRATION, CALL);
    const leader = await mqtt.getShareSubLeader(group, CALL);
    expect(leader).toEqual({ brokerId: 5, brokerAddr: '10.0.0.5:9981', extendInfo: '{}' });
  });
});

describe('EngineService', () => {
  const named = { ...CLUSTER, namespace: 'n', shardName: 's' };
  const create = { ...named, replica: 0, kind: 'Keyed', retention: null } as const;

  /** A shard on the servers 5, 6 and 7, led by 5. */
  async function openShard() {
    const opened = await open();
    const { engine, center, memory } = opened;
    for (const nodeId of [5, 6, 7, 8]) {
      await center.registerNode({ ...REGISTRATION, nodeId, clusterType: 'JournalServer' }, CALL);
    }
    await engine.createShard(create, CALL);
    const naming = { clusterName: 'test', random: new SeededRandom(1) };
    const { shards, shardStates } = openRegistries(memory, naming);
    const name = { namespace: 'n', shard: 's' };
    const seen = await shards.read(name, CALL);
    const place = { replicas: [5, 6, 7], preferredLeader: 5 };
    await shards.assign({ ...name, epoch: seen?.value.epoch ?? 0 }, place, CALL);
    const members = { leader: 5, incarnation: 1, voters: [5, 6, 7], learners: [] };
    const amounts = { committed: 9, oldest: 1, bytes: 100, toldAtMs: 4 };
    const groupId = seen?.value.groupId ?? 0;
    const told = { ...name, groupId, epoch: 1, term: 2, ...members, ...amounts };
    await shardStates.tell(told, CALL);
    return opened;
  }

  test('shards and segments are made, read and deleted', async () => {
    const { engine } = await openShard();
    const { shard } = await engine.getShard(named, CALL);
    expect(shard).toMatchObject({ shardName: 's', replica: 3, segments: [] });
    expect(shard).toMatchObject({ kind: 'Keyed', replicas: [5, 6, 7], groupId: 1 });
    expect(shard?.state).toMatchObject({ leader: 5, term: 2, committed: 9, oldest: 1 });
    expect(await statusOf(engine.createShard(create, CALL))).toBe('ALREADY_EXISTS');
    await engine.createSegment(named, CALL);
    const { segment } = await engine.createSegment(named, CALL);
    expect(segment).toEqual({ segmentSeq: 1, replicas: [5, 6, 7], leader: 5 });
    await engine.deleteSegment({ ...named, segmentSeq: 0 }, CALL);
    const read = await engine.getShard(named, CALL);
    expect(read.shard?.segments.map(({ segmentSeq }) => segmentSeq)).toEqual([1]);
    expect(read.shard?.shardId).toBe(shard?.shardId);
    await engine.deleteShard(named, CALL);
    expect(await statusOf(engine.getShard(named, CALL))).toBe('NOT_FOUND');
  });

  test('shards are listed in pages, with what their leaders told', async () => {
    const { engine } = await openShard();
    await engine.createShard({ ...create, shardName: 't' }, CALL);
    const ask = { ...CLUSTER, namespace: '', after: '', limit: 1 };
    const first = await engine.listShards(ask, CALL);
    expect(first.shards).toMatchObject([{ shardName: 's', state: { bytes: 100 } }]);
    const second = await engine.listShards({ ...ask, after: first.next }, CALL);
    expect(second.shards).toMatchObject([{ shardName: 't', state: null, replicas: [] }]);
    expect(second.next).toBe('');
    const other = await engine.listShards({ ...ask, namespace: 'm' }, CALL);
    expect(other).toEqual({ shards: [], next: '' });
  });

  test('a replica and the leadership move, one change at a time', async () => {
    const { engine } = await openShard();
    const move = { ...named, from: 0, to: 0, leader: 0 };
    const led = await engine.moveShard({ ...move, leader: 6 }, CALL);
    expect(led.shard).toMatchObject({ replicas: [5, 6, 7], preferredLeader: 6 });
    const moved = await engine.moveShard({ ...move, from: 6, to: 8 }, CALL);
    expect(moved.shard).toMatchObject({ replicas: [5, 7, 8], preferredLeader: 8 });
    const again = engine.moveShard({ ...move, from: 5, to: 6 }, CALL);
    expect(await statusOf(again)).toBe('FAILED_PRECONDITION');
  });

  for (const [why, wrong] of [
    ['from a server without a replica', { from: 8, to: 9, leader: 0 }],
    ['to a server that has one', { from: 5, to: 6, leader: 0 }],
    ['to a server that is not there', { from: 5, to: 9, leader: 0 }],
    ['the leadership to a server without a replica', { from: 0, to: 0, leader: 8 }],
  ] as const) {
    test(`nothing moves ${why}`, async () => {
      const { engine } = await openShard();
      const call = engine.moveShard({ ...named, ...wrong }, CALL);
      expect(await statusOf(call)).toBe('INVALID_ARGUMENT');
    });
  }

  test('what a shard keeps is set when it is made, and changed', async () => {
    const { engine } = await open();
    const bounds = { ageMsMax: 3, bytesMax: 4 };
    const retention = { ...bounds, whenFull: 'DropOldest' } as const;
    const { shard } = await engine.createShard({ ...create, replica: 1, retention }, CALL);
    expect(shard?.retention).toEqual(retention);
    const less = { ...retention, ageMsMax: 0, whenFull: 'Refuse' } as const;
    const changed = await engine.retainShard({ ...named, retention: less }, CALL);
    expect(changed.shard?.retention).toEqual(less);
    const missing = engine.retainShard({ ...named, shardName: 'x', retention: less }, CALL);
    expect(await statusOf(missing)).toBe('NOT_FOUND');
  });
});
