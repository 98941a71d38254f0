/** Three NATS servers with JetStream, as Debian's package nats-server has them. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '@robustmq/campaign';
import { ServerProcess, temporaryFolder } from './server-process.ts';

const NATS_SERVER = '/usr/sbin/nats-server';
const SERVERS = 3;

/** Null when it can be started here; else the reason. */
export function whyNoNatsCluster(): string | null {
  return existsSync(NATS_SERVER) ? null : `${NATS_SERVER} is missing: install nats-server`;
}

export interface NatsCluster {
  /** `host:port` of each client listener. */
  readonly servers: readonly string[];
  readonly user: string;
  readonly password: string;
  readonly pids: readonly number[];
  kill(server: number): Promise<void>;
  restart(server: number): Promise<void>;
  close(): Promise<void>;
}

/** What a test leaves to the defaults. */
export interface NatsClusterOptions {
  /** Exists and is empty; removed at the end. null: a folder in memory where the system has one. */
  readonly folder: string | null;
  /** Further settings of JetStream. */
  readonly jetstream: readonly string[];
}

const FOR_TESTS: NatsClusterOptions = { folder: null, jetstream: [] };

/** @returns once the three have a leader for JetStream */
export async function openNatsCluster({
  folder: given,
  jetstream,
}: NatsClusterOptions = FOR_TESTS): Promise<NatsCluster> {
  const folder = given ?? temporaryFolder('nats-');
  const ports = await freePorts(SERVERS * 3);
  const [user, password] = ['journal', 'not-a-secret'];
  const routes = range().map((n) => `nats://127.0.0.1:${ports[n + SERVERS]}`);
  const processes = range().map((n) => {
    const file = join(folder, `${n}.conf`);
    const text = [
      `server_name: n${n}`,
      `listen: 127.0.0.1:${ports[n]}`,
      `http: 127.0.0.1:${ports[n + 2 * SERVERS]}`,
      `jetstream { ${[`store_dir: ${JSON.stringify(join(folder, String(n)))}`, ...jetstream].join(', ')} }`,
      `cluster { name: test, listen: 127.0.0.1:${ports[n + SERVERS]}, routes: [${routes.join(', ')}] }`,
      `authorization { user: ${user}, password: ${password} }`,
    ];
    writeFileSync(file, text.join('\n'));
    return new ServerProcess(NATS_SERVER, ['-c', file]);
  });
  const health = (n: number): Promise<boolean> =>
    isHealthy(`http://127.0.0.1:${ports[n + 2 * SERVERS]}/healthz`);
  const start = async (n: number): Promise<void> => {
    const server = processes[n] as ServerProcess;
    server.start();
    await server.answers('its health', () => health(n));
  };
  const close = async (): Promise<void> => {
    for (const server of processes) await server.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(range().map(start));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    servers: range().map((n) => `127.0.0.1:${ports[n]}`),
    user,
    password,
    pids: processes.map(({ pid }) => pid ?? 0),
    kill: async (n) => processes[n]?.kill(),
    restart: start,
    close,
  };
}

function range(): readonly number[] {
  return Array.from({ length: SERVERS }, (_, n) => n);
}

async function isHealthy(url: string): Promise<boolean> {
  const answer = await fetch(url).catch(() => null);
  return answer?.ok === true;
}
