/** Three journal servers and one member of the placement center as processes, and a shard on them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, ServiceProcess } from '@robustmq/campaign';
import { systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import { type Offset, RecordBatchBuilder, type SharedShard } from '@robustmq/journal';
import { connectJournal, registryPlaces } from '@robustmq/journal-client';
import { connectPlacement } from '@robustmq/placement-client';
import { KEEP_UNTIL_RELEASED, openRegistries } from '@robustmq/placement-registry';
import type { AppendTarget } from './append-load.ts';

const MAIN = new URL('../../../services/robustctl/dist/main.js', import.meta.url).pathname;
const CALL = { deadlineMs: 30_000, signal: null };
const NODES = [1, 2, 3];
const TOPIC = new TextEncoder().encode('bench');

/** @param data  an empty folder */
export async function startJournalServers(data: string): Promise<AppendTarget> {
  const [port = 0] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const center = processOf(data, 'placement-center', [
    `grpc_port = ${port}`,
    'http_port = "off"',
    `nodes = { 1 = "${address}" }`,
    'data_path = "center"',
  ]);
  const servers = NODES.map((node) =>
    processOf(data, 'journal-server', [
      `node_id = ${node}`,
      'grpc_port = 0',
      'prometheus_port = "off"',
      `placement_center = ["${address}"]`,
      `data_path = ["journal-${node}"]`,
    ]),
  );
  const edges = { clock: systemClock, timers: systemTimers, random: systemRandom };
  const outside = { tls: null, token: null, limits: null };
  const placement = connectPlacement({ ...edges, ...outside, servers: [address] });
  const registries = openRegistries(placement, { clusterName: 'bench', random: systemRandom });
  const places = registryPlaces({ ...edges, registries, fallback: [], onServers: null });
  const journal = connectJournal({ ...edges, ...outside, places, namespace: 'bench' });
  const close = async (): Promise<void> => {
    await journal.close();
    await placement.close();
    for (const each of [...servers, center]) await each.kill();
  };
  try {
    for (const each of [center, ...servers]) await serving(each);
    const plan = { kind: 'messages', replicas: 3, retention: KEEP_UNTIL_RELEASED } as const;
    const name = { namespace: 'bench', shard: 'shard' };
    await registries.shards.create(name, { ...plan, nowMs: Date.now() }, CALL);
    const shard = await journal.openShard('shard');
    return {
      pids: servers.map(({ pid }) => pid ?? 0),
      append: (id, body) => append(shard, id, body),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const builder = new RecordBatchBuilder();

async function append(shard: SharedShard, id: number, body: Uint8Array): Promise<Offset> {
  builder.add(1, TOPIC, 0, TOPIC.length, body);
  const batch = builder.seal(0 as Offset, Date.now());
  const producer = { id, incarnation: 1 };
  const options = { producer, acknowledgement: 'all-synced', deadlineMs: 30_000 } as const;
  const offset = await shard.append(batch, options);
  builder.recycle(batch.bytes);
  return offset;
}

let files = 0;

function processOf(data: string, component: string, lines: readonly string[]): ServiceProcess {
  mkdirSync(data, { recursive: true });
  files += 1;
  const file = join(data, `${component}-${files}.toml`);
  writeFileSync(file, ['cluster_name = "bench"', ...lines, ''].join('\n'));
  const words = [process.execPath, MAIN, component, 'start', file];
  return new ServiceProcess({ words, folder: data, environment: {} });
}

async function serving(started: ServiceProcess): Promise<void> {
  started.start();
  while (!started.output.includes('is ready')) {
    if (!started.isRunning) throw new Error(`it ended: ${started.output}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
