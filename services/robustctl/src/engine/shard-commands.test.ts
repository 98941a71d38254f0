import { systemClock, systemRandom } from '@robustmq/environment';
import { placementHandlers } from '@robustmq/placement-client';
import { CALL, MemoryPlacement } from '@robustmq/placement-conformance';
import { openRegistries, type Registries, type ShardRecord } from '@robustmq/placement-registry';
import { defaultServerLimits, openRpcServer, type RpcServer, silentObserver } from '@robustmq/rpc';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { robustctl as run } from './engine.fixture.ts';

let memory: MemoryPlacement;
let server: RpcServer;
let registries: Registries;

beforeEach(async () => {
  memory = new MemoryPlacement();
  server = await openRpcServer({
    ...{ host: '127.0.0.1', port: 0, tls: null, clusterToken: null },
    services: placementHandlers({
      ...{ placement: memory, clusterName: 'robustmq', clock: systemClock, random: systemRandom },
      ...{ heartbeatTimeoutMs: 10_000, idempotenceKeepMs: 60_000 },
      ...{ listLeases: null, clusterStatus: null },
      hashPassword: async () => 'hash',
      reportMistake: (error) => {
        throw error;
      },
    }),
    ...{ limits: defaultServerLimits, observer: silentObserver },
  });
  registries = openRegistries(memory, { clusterName: 'robustmq', random: systemRandom });
});

afterEach(async () => {
  await server.close(0);
  await memory.close();
});

function robustctl(...words: readonly string[]): ReturnType<typeof run> {
  return run('engine', ...words, '--server', `127.0.0.1:${server.port}`);
}

async function register(nodeId: number): Promise<number> {
  const { node } = await registries.nodes.register(
    {
      ...{ clusterType: 'journal-server', nodeId, nodeIp: '127.0.0.1' },
      ...{ innerAddress: `127.0.0.1:${nodeId}`, extendInfo: '' },
    },
    { ttlSeconds: 60, nowMs: 0 },
    CALL,
  );
  return node.incarnation;
}

/** A shard on 1, 2 and 3, whose leader told that it is settled there. */
async function placed(shard: string): Promise<ShardRecord> {
  await robustctl('shard', 'create', shard);
  const stored = await registries.shards.read({ namespace: 'mqtt', shard }, CALL);
  const place = { replicas: [1, 2, 3], preferredLeader: 1 };
  const record = await registries.shards.assign(stored?.value as ShardRecord, place, CALL);
  await tell(record, await register(1), 1);
  return record;
}

function tell(record: ShardRecord, incarnation: number, term: number): Promise<void> {
  const { namespace, shard, groupId, epoch, replicas } = record;
  const name = { namespace, shard, groupId, epoch };
  const members = { term, leader: 1, incarnation, voters: replicas, learners: [] };
  const amounts = { committed: 12, oldest: 2, bytes: 3_000, toldAtMs: 0 };
  return registries.shardStates.tell({ ...name, ...members, ...amounts }, CALL);
}

describe('the commands about shards', () => {
  test('create one with what it keeps, list it, and change what it keeps', async () => {
    const bounds = ['--max-bytes', '10 GiB', '--max-age-seconds', '60'];
    const words = ['--kind', 'keyed', '--replicas', '1', '--when-full', 'drop-oldest', ...bounds];
    const created = await robustctl('shard', 'create', 'app/orders', ...words);
    expect(created.output).toBe('app/orders created: group 1, keyed\n');
    const again = await robustctl('shard', 'create', 'app/orders');
    expect(again.failure?.message).toContain('exists already');
    const listed = await robustctl('shard', 'list', '--output', 'json');
    expect(JSON.parse(listed.output)).toMatchObject({
      ...{ namespace: 'app', shard: 'orders', kind: 'keyed', replicasWanted: 1, state: null },
      retention: { bytesMax: 10 * 2 ** 30, ageMsMax: 60_000, whenFull: 'drop-oldest' },
    });
    await robustctl('shard', 'retain', 'app/orders', '--max-age-seconds', '5');
    const { output } = await robustctl('shard', 'list', 'app', '--output', 'json');
    expect(JSON.parse(output).retention).toMatchObject({ ageMsMax: 5_000, bytesMax: null });
    expect((await robustctl('shard', 'list', 'other', '--output', 'json')).output).toBe('');
  });

  test('show where it is, and how it stands', async () => {
    await robustctl('shard', 'create', 'mqtt-1');
    await placed('mqtt-0');
    const { output } = await robustctl('shard', 'list');
    const rows = output
      .trim()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(rows.slice(1)).toEqual([
      ['mqtt/mqtt-0', 'messages', '1,2,3', '1,2,3', '1', '2', '12', '3000', 'settled'],
      ['mqtt/mqtt-1', 'messages', '-', '-', '-', '-', '-', '-', 'waits for servers'],
    ]);
  });

  test('move a replica, and wait until its leader has told that it is there', async () => {
    const record = await placed('mqtt-0');
    await register(4);
    const missing = await robustctl('shard', 'move', 'mqtt-0', '--from', '1');
    expect(missing.failure?.message).toContain('--from and --to');
    const watch = registries.shards.watch({ within: ['mqtt'], call: CALL });
    const moving = robustctl('shard', 'move', 'mqtt-0', '--from', '2', '--to', '4', '--wait');
    for await (const { changes } of watch) {
      const [change] = changes;
      if (change?.kind !== 'put' || change.stored.value.epoch === record.epoch) continue;
      await tell(change.stored.value, 1, 2);
      break;
    }
    watch.cancel();
    const moved = await moving;
    expect(moved.failure).toBeNull();
    expect(moved.output).toContain('mqtt/mqtt-0 moved');
    const stored = await registries.shards.read(record, CALL);
    expect(stored?.value.replicas).toEqual([1, 3, 4]);
  });

  test('tell of a move that is under way when the time to wait for it is over', async () => {
    await placed('mqtt-0');
    const waiting = ['--wait', '--timeout', '1'];
    const led = await robustctl('shard', 'move', 'mqtt-0', '--leader', '2', ...waiting);
    expect(led.failure?.message).toContain('is still moving');
  });

  test('rebuild a replica: its server gives it up, and gets another', async () => {
    await placed('mqtt-0');
    const { output } = await robustctl('shard', 'rebuild', 'mqtt-0', '--on', '1');
    expect(output).toContain('mqtt/mqtt-0 is rebuilt on 1');
    const stored = await registries.shards.read({ namespace: 'mqtt', shard: 'mqtt-0' }, CALL);
    expect(stored?.value).toMatchObject({
      ...{ replicas: [2, 3], replicasWanted: 3, preferredLeader: null },
    });
    const again = await robustctl('shard', 'rebuild', 'mqtt-0', '--on', '2');
    expect(again.failure?.message).toContain('wait until that is done');
  });

  test('delete one only when asked twice', async () => {
    await placed('mqtt-0');
    const asked = await robustctl('shard', 'delete', 'mqtt-0');
    expect(asked.failure?.message).toContain('add --yes');
    const deleted = await robustctl('shard', 'delete', 'mqtt-0', '--yes');
    expect(deleted.output).toBe('deleted mqtt/mqtt-0\n');
    expect(await registries.deletedShards.has(1, CALL)).toBe(true);
    const again = await robustctl('shard', 'delete', 'mqtt-0', '--yes', '--output', 'json');
    expect(JSON.parse(again.output)).toMatchObject({ shard: 'mqtt-0', deleted: false });
  });

  for (const [why, words] of [
    ['a name of three parts', ['shard', 'create', 'a/b/c']],
    ['no shard and no directory', ['verify']],
    ['a time that is none', ['offset', 'by-timestamp', 'mqtt-0', 'yesterday']],
  ] as const) {
    test(`refuse ${why}`, async () => {
      const { failure } = await robustctl(...words);
      expect(failure).toMatchObject({ name: 'CommandError', exitCode: 64 });
    });
  }

  test('tell that there is no such shard', async () => {
    for (const words of [
      ['dump', 'x'],
      ['verify', 'x'],
      ['offset', 'commit', 'g', 'x', '1'],
    ]) {
      const { failure } = await robustctl(...words);
      expect(failure).toMatchObject({ exitCode: 69, message: 'there is no shard mqtt/x' });
    }
  });
});
