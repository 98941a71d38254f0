import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import type { Placement } from '@robustmq/placement';
import { Etcd3 } from 'etcd3';
import { defaultRemoteCallLimits } from '../remote-calls.ts';
import { connectEtcd, type EtcdConnectionOptions } from './connect-etcd.ts';

const ETCD = '/usr/bin/etcd';

/** Whether etcd is installed; says so loudly if it is not. */
export function isEtcdInstalled(): boolean {
  if (existsSync(ETCD)) return true;
  console.warn(`SKIPPED: ${ETCD} is missing; install the package etcd-server to test this backend`);
  return false;
}

/** One etcd in a folder of its own. */
export interface TestEtcd {
  readonly host: string;
  /** As if the machine lost its power; the folder stays. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes the folder. */
  close(): Promise<void>;
}

export async function openEtcd(): Promise<TestEtcd> {
  const folder = await mkdtemp(join(tmpdir(), 'robustmq-etcd-'));
  const [clients, peers] = [await freePort(), await freePort()];
  const host = `http://127.0.0.1:${clients}`;
  let running: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    const peer = `http://127.0.0.1:${peers}`;
    const options = [
      ['--data-dir', folder],
      ['--listen-client-urls', host],
      ['--advertise-client-urls', host],
      ['--listen-peer-urls', peer],
      ['--initial-advertise-peer-urls', peer],
      ['--initial-cluster', `default=${peer}`],
      ['--log-level', 'error'],
    ].flat();
    running = spawn(ETCD, options, { stdio: 'ignore' });
    await answers(`${host}/health`);
  };
  const kill = async (): Promise<void> => {
    const child = running;
    running = null;
    if (child === null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  await start();
  const close = async (): Promise<void> => {
    await kill();
    await rm(folder, { recursive: true });
  };
  return { host, kill, start, close };
}

export function connectTo(
  host: string,
  credentials: EtcdConnectionOptions['credentials'] = null,
): Promise<Placement> {
  return connectEtcd({
    hosts: [host],
    credentials,
    tls: null,
    limits: { ...defaultRemoteCallLimits, pauseFirstMs: 10, pauseLongestMs: 100 },
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
  });
}

/** Ends all leases, so that none ends during the next test and makes a revision there. */
export async function revokeLeases({ host }: TestEtcd): Promise<void> {
  const client = new Etcd3({ hosts: host });
  const { leases } = await client.leaseClient.leaseLeases();
  for (const { ID } of leases) await client.leaseClient.leaseRevoke({ ID }).catch(() => null);
  client.close();
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function answers(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const reply = await fetch(url).catch(() => null);
    if (reply?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} does not answer`);
}
