/** Three NATS servers that speak MQTT over JetStream streams of three replicas. */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePorts, ServiceProcess } from '@robustmq/campaign';
import { type BrokerGroup, listensOn } from './broker-group.ts';

const NATS_SERVER = '/usr/sbin/nats-server';
const NODES = [0, 1, 2];
const START_LIMIT_MS = 30_000;
const POLL_MS = 100;

/** Null when it can be started here; else the reason. */
export function whyNoNats(): string | null {
  return existsSync(NATS_SERVER) ? null : `${NATS_SERVER} is missing: apt-get install nats-server`;
}

/** @param folder  exists and is empty */
export async function startNatsBrokers(folder: string): Promise<BrokerGroup> {
  const ports = await freePorts(NODES.length * 4);
  const portOf = (kind: number, node: number): number => ports[kind * NODES.length + node] ?? 0;
  const routes = NODES.map((node) => `nats://127.0.0.1:${portOf(1, node)}`).join(', ');
  const servers = NODES.map((node) => {
    const file = join(folder, `${node}.conf`);
    const text = [
      `server_name: n${node}`,
      `listen: "127.0.0.1:${portOf(0, node)}"`,
      `http: "127.0.0.1:${portOf(2, node)}"`,
      'max_connections: 100000',
      `jetstream { store_dir: ${JSON.stringify(join(folder, `data-${node}`))}, max_file: 20GB }`,
      `cluster { name: bench, listen: "127.0.0.1:${portOf(1, node)}", routes: [${routes}] }`,
      `mqtt { host: "127.0.0.1", port: ${portOf(3, node)}, max_ack_pending: 65535, stream_replicas: 3 }`,
    ];
    writeFileSync(file, text.join('\n'));
    return new ServiceProcess({ words: [NATS_SERVER, '-c', file], folder, environment: {} });
  });
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.end()));
  };
  try {
    for (const server of servers) server.start();
    for (const node of NODES) await isHealthy(portOf(2, node));
    for (const node of NODES) await listensOn(portOf(3, node), START_LIMIT_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  const brokerPids = servers.map(({ pid }) => [pid ?? 0]);
  return {
    brokers: NODES.map((node) => `127.0.0.1:${portOf(3, node)}`),
    ...{ brokerPids, pids: brokerPids.flat(), stop },
  };
}

async function isHealthy(port: number): Promise<void> {
  const endMs = performance.now() + START_LIMIT_MS;
  while (performance.now() < endMs) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null);
    if (answer?.ok === true) return;
    await pause(POLL_MS);
  }
  throw new Error(`NATS is not healthy after ${START_LIMIT_MS} ms`);
}
