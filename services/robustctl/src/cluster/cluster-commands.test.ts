import { systemClock, systemRandom } from '@robustmq/environment';
import { placementHandlers } from '@robustmq/placement-client';
import { CALL, MemoryPlacement } from '@robustmq/placement-conformance';
import { openRegistries, type Registries } from '@robustmq/placement-registry';
import { defaultServerLimits, openRpcServer, type RpcServer, silentObserver } from '@robustmq/rpc';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createProgram } from '../program.ts';

let memory: MemoryPlacement;
let server: RpcServer;
let registries: Registries;
let printed = '';

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
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await server.close(0);
  await memory.close();
});

async function robustctl(...words: readonly string[]): Promise<string> {
  printed = '';
  const server_ = ['--server', `127.0.0.1:${server.port}`];
  await createProgram().parseAsync(['node', 'robustctl', ...words, ...server_]);
  return printed;
}

async function registerBroker(nodeId: number): Promise<void> {
  await registries.nodes.register(
    {
      ...{ clusterType: 'mqtt-broker', nodeId, nodeIp: '127.0.0.1' },
      ...{ innerAddress: `127.0.0.1:${9980 + nodeId}`, extendInfo: '' },
    },
    { ttlSeconds: 60, nowMs: 0 },
    CALL,
  );
}

describe('the commands about a whole cluster', () => {
  test('tell who is registered, and what is missing', async () => {
    await registerBroker(2);
    const [node] = (await robustctl('cluster', 'nodes', '--output', 'json')).split('\n');
    expect(JSON.parse(node ?? '')).toMatchObject({ nodeId: 2, innerAddress: '127.0.0.1:9982' });
    const status = JSON.parse(await robustctl('cluster', 'status', '--output', 'json'));
    expect(status).toMatchObject({ brokers: [2], journalServers: [], shards: 0 });
    await expect(robustctl('cluster', 'health')).rejects.toThrow('not healthy: 1 problem');
    expect(printed).toBe('no journal server is registered\n');
  });

  test('list sessions page by page, and show one', async () => {
    for (const clientId of ['a', 'b', 'c']) {
      await registries.sessions.claim(
        { clientId, owner: null, sessionExpirySeconds: 60, willDelaySeconds: 0, nowMs: 0 },
        CALL,
      );
    }
    const page = await robustctl('session', 'list', '--limit', '2', '--output', 'json');
    expect(
      page
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).clientId),
    ).toEqual(['a', 'b']);
    const after = /--after ("[^"]+")/.exec(String(vi.mocked(process.stderr.write).mock.calls))?.[1];
    const rest = ['--after', JSON.parse(after ?? '""') as string, '--output', 'json'];
    expect(JSON.parse(await robustctl('session', 'list', ...rest))).toMatchObject({
      clientId: 'c',
    });
    const stored = await registries.sessions.read('b', CALL);
    const owner = { clientId: 'b', epoch: stored?.value.epoch ?? 0 };
    const options = { noLocal: false, retainAsPublished: false, retainHandling: 0 };
    await registries.subscriptions.subscribe(
      owner,
      [{ topicFilter: 'x/#', qos: 1, subscriptionIdentifier: null, ...options }],
      CALL,
    );
    const shown = JSON.parse(await robustctl('session', 'show', 'b', '--output', 'json'));
    expect(shown).toMatchObject({ clientId: 'b', subscriptions: [{ topicFilter: 'x/#' }] });
    await expect(robustctl('session', 'show', 'nobody')).rejects.toThrow('there is no session');
    expect(await robustctl('subscription', 'list', 'b')).toContain('x/#');
  });

  test('set what holds for all brokers, and refuse what none of them understands', async () => {
    await robustctl('cluster', 'config', 'set', 'mqtt.maximum_qos', '1');
    expect(await robustctl('cluster', 'config', 'get', 'mqtt/maximum_qos')).toBe('1\n');
    expect(await robustctl('cluster', 'config', 'get')).toBe('mqtt.maximum_qos\t1\n');
    await expect(robustctl('cluster', 'config', 'set', 'mqtt.maximum_qos', '3')).rejects.toThrow(
      'mqtt.maximum_qos = "3": expected an integer from 0 to 2',
    );
    await expect(robustctl('cluster', 'config', 'set', 'mqtt.maximum_qo', '1')).rejects.toThrow(
      'did you mean mqtt.maximum_qos?',
    );
    await robustctl('cluster', 'config', 'unset', 'mqtt.maximum_qos');
    await expect(robustctl('cluster', 'config', 'get', 'mqtt.maximum_qos')).rejects.toThrow(
      'mqtt.maximum_qos is not set',
    );
    expect(await robustctl('cluster', 'config', 'list')).toContain('limits.sessions_max');
  });
});
