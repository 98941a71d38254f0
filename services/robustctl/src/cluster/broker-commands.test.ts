import { systemClock, systemRandom } from '@robustmq/environment';
import { placementHandlers } from '@robustmq/placement-client';
import { CALL, MemoryPlacement } from '@robustmq/placement-conformance';
import { openRegistries, type Registries } from '@robustmq/placement-registry';
import {
  type broker,
  defaultServerLimits,
  mount,
  mqttBrokerService,
  openRpcServer,
  type RpcServer,
  silentObserver,
} from '@robustmq/rpc';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createProgram } from '../program.ts';

/** A broker as the commands see it: clients with numbers, and a drain that sends two away at each look. */
class Broker {
  readonly clients: string[];
  draining = false;
  sentAway = 0;
  readonly asked: broker.DrainRequest[] = [];
  server: RpcServer | null = null;

  constructor(clients: readonly string[]) {
    this.clients = [...clients];
  }

  async open(): Promise<string> {
    this.server = await openRpcServer({
      ...{ host: '127.0.0.1', port: 0, tls: null, clusterToken: null },
      ...{ limits: defaultServerLimits, observer: silentObserver },
      services: [
        mount(mqttBrokerService, {
          listClients: async ({ after, limit }) => {
            const page = this.clients.slice(after, after + limit);
            const end = after + page.length;
            return { clients: page.map(described), next: end < this.clients.length ? end : 0 };
          },
          kickClient: async ({ clientId }) => {
            const at = this.clients.indexOf(clientId);
            if (at >= 0) this.clients.splice(at, 1);
            return { kicked: at >= 0 };
          },
          drain: async (request) => {
            this.asked.push(request);
            this.draining = true;
            return this.#status();
          },
          undrain: async () => {
            this.draining = false;
            return this.#status();
          },
          getDrain: async () => {
            this.sentAway += this.clients.splice(0, 2).length;
            return this.#status();
          },
        }),
      ],
    });
    return `127.0.0.1:${this.server.port}`;
  }

  #status(): broker.DrainStatus {
    const { draining, sentAway } = this;
    return { draining, sentAway, clients: this.clients.length, sessions: this.clients.length };
  }
}

function described(clientId: string): broker.Client {
  return {
    ...{ clientId, userName: 'u', remoteAddress: '10.0.0.9:5000', protocolLevel: 4 },
    ...{ connectedAtMs: 0, listener: 'tcp', subscriptions: 1 },
  };
}

let memory: MemoryPlacement;
let placement: RpcServer;
let registries: Registries;
let brokers: Map<number, Broker>;
let printed = '';
let noted = '';

beforeEach(async () => {
  memory = new MemoryPlacement();
  placement = await openRpcServer({
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
  brokers = new Map([
    [1, new Broker(['a', 'b', 'c'])],
    [2, new Broker(['d', 'e'])],
  ]);
  for (const [nodeId, each] of brokers) await register(nodeId, await each.open());
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    noted += String(text);
    return true;
  });
});

afterEach(async () => {
  vi.restoreAllMocks();
  for (const { server } of brokers.values()) await server?.close(0);
  await placement.close(0);
  await memory.close();
});

async function register(nodeId: number, innerAddress: string): Promise<void> {
  await registries.nodes.register(
    { clusterType: 'mqtt-broker', nodeId, nodeIp: '127.0.0.1', innerAddress, extendInfo: '' },
    { ttlSeconds: 60, nowMs: 0 },
    CALL,
  );
}

async function robustctl(...words: readonly string[]): Promise<string> {
  printed = '';
  noted = '';
  const server = ['--server', `127.0.0.1:${placement.port}`];
  await createProgram().parseAsync(['node', 'robustctl', ...words, ...server]);
  return printed;
}

function clientsIn(text: string): readonly string[] {
  const lines = text.trim().split('\n');
  return lines.map((line) => {
    const { broker: nodeId, clientId } = JSON.parse(line) as { broker: number; clientId: string };
    return `${nodeId} ${clientId}`;
  });
}

describe('the commands about brokers and their clients', () => {
  test('list connected clients of all brokers, page by page', async () => {
    const json = ['client', 'list', '--output', 'json'];
    expect(clientsIn(await robustctl(...json))).toEqual(['1 a', '1 b', '1 c', '2 d', '2 e']);
    expect(clientsIn(await robustctl(...json, '--limit', '2'))).toEqual(['1 a', '1 b']);
    expect(noted).toContain('--after 1:2');
    const rest = await robustctl(...json, '--limit', '1', '--after', '1:2');
    expect(clientsIn(rest)).toEqual(['1 c']);
    expect(noted).toContain('--after 2:0');
    const all = await robustctl(...json, '--after', '2:0');
    expect(clientsIn(all)).toEqual(['2 d', '2 e']);
    expect(clientsIn(await robustctl(...json, '--broker', '2'))).toEqual(['2 d', '2 e']);
    expect(await robustctl('client', 'list')).toMatch(/1 +a +10\.0\.0\.9:5000 +3\.1\.1 +u +1970/);
    await expect(robustctl('client', 'list', '--after', 'x')).rejects.toThrow('--after x');
    await expect(robustctl(...json, '--broker', '7')).rejects.toThrow('7 is not registered');
  });

  test('list what the others have when one broker does not answer, and name that one', async () => {
    await brokers.get(1)?.server?.close(0);
    const failure = robustctl('client', 'list', '--output', 'json', '--timeout', '5');
    await expect(failure).rejects.toThrow('broker 1 at');
    expect(clientsIn(printed)).toEqual(['2 d', '2 e']);
  });

  test('end the connection of a client wherever it is', async () => {
    expect(await robustctl('client', 'kick', 'e')).toBe('closed on broker 2\n');
    expect(brokers.get(2)?.clients).toEqual(['d']);
    await expect(robustctl('client', 'kick', 'e')).rejects.toThrow('no client "e" is connected');
  });

  test('drain a broker until it is empty, and let clients in again', async () => {
    const said = await robustctl('node', 'drain', '1', '--rate', '50', '--to', '2');
    expect(said).toBe('broker 1 is drained: 3 clients sent away; it can be stopped\n');
    expect(noted).toContain('0 sent away, 3 clients, 3 sessions');
    expect(noted).toContain('2 sent away, 1 clients, 1 sessions');
    expect(brokers.get(1)?.asked).toEqual([
      { clientsPerSecond: 50, toBroker: 2, permanent: false },
    ]);
    expect(await robustctl('node', 'undrain', '1', '2')).toBe(
      'broker 1 lets clients in\nbroker 2 lets clients in\n',
    );
    expect(brokers.get(1)?.draining).toBe(false);
  });
});
