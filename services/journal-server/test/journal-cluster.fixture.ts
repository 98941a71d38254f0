/** Journal servers as processes of their own, with one member of the placement center. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts, ServiceProcess } from '@robustmq/campaign';
import { systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import type { SharedJournal } from '@robustmq/journal';
import { connectJournal, registryPlaces } from '@robustmq/journal-client';
import type { Placement } from '@robustmq/placement';
import { connectPlacement } from '@robustmq/placement-client';
import {
  KEEP_UNTIL_RELEASED,
  openRegistries,
  type Registries,
  type ShardKind,
} from '@robustmq/placement-registry';

const ROBUSTCTL = fileURLToPath(new URL('../../robustctl/src/main.ts', import.meta.url));
const EDGES = { clock: systemClock, timers: systemTimers, random: systemRandom };
const CALL = { deadlineMs: 20_000, signal: null };

/** What a test has started. */
export class JournalCluster {
  readonly registries: Registries;
  readonly #folder: string;
  readonly #center: ServiceProcess;
  readonly #address: string;
  readonly #placement: Placement;
  readonly #servers = new Map<number, ServiceProcess>();
  readonly #journals: SharedJournal[] = [];
  #files = 0;

  private constructor(port: number) {
    this.#folder = mkdtempSync(join(tmpdir(), 'journal-cluster-'));
    this.#address = `127.0.0.1:${port}`;
    this.#center = this.#processOf('placement-center', [
      `grpc_port = ${port}`,
      'http_port = "off"',
      `nodes = { 1 = "${this.#address}" }`,
      'data_path = "center"',
    ]);
    this.#placement = connectPlacement({
      ...EDGES,
      servers: [this.#address],
      tls: null,
      token: null,
      limits: null,
    });
    const naming = { clusterName: 'test', random: systemRandom };
    this.registries = openRegistries(this.#placement, naming);
  }

  static async start(servers: readonly number[]): Promise<JournalCluster> {
    const [port = 0] = await freePorts(1);
    const cluster = new JournalCluster(port);
    await serving(cluster.#center);
    await Promise.all(servers.map((node) => cluster.launch(node)));
    return cluster;
  }

  /** Starts a server on what its directory holds, and waits until it serves. */
  async launch(node: number): Promise<void> {
    const server = this.#processOf('journal-server', [
      `node_id = ${node}`,
      'grpc_port = 0',
      'prometheus_port = "off"',
      `placement_center = ["${this.#address}"]`,
      `data_path = ["journal-${node}"]`,
      'disk_free_bytes_min = "1 MiB"',
    ]);
    this.#servers.set(node, server);
    await serving(server);
  }

  /** As the operating system kills it: nothing is flushed, nothing is told. */
  async kill(node: number): Promise<void> {
    const server = this.#servers.get(node);
    this.#servers.delete(node);
    await server?.kill();
  }

  async createShard(shard: string, kind: ShardKind): Promise<void> {
    const replicas = this.#servers.size;
    const plan = { kind, replicas, retention: KEEP_UNTIL_RELEASED, nowMs: systemClock.nowMs() };
    await this.registries.shards.create({ namespace: 'test', shard }, plan, CALL);
  }

  /** The node that leads, as it told the registry; of those that run. */
  leaderOf(shard: string): Promise<number> {
    return until(async () => {
      const name = { namespace: 'test', shard };
      const state = await this.registries.shardStates.read(name, CALL);
      const leader = state?.value.leader ?? null;
      return leader !== null && this.#servers.has(leader) ? leader : null;
    });
  }

  connect(): SharedJournal {
    const { registries } = this;
    const journal = connectJournal({
      ...EDGES,
      places: registryPlaces({ ...EDGES, registries, fallback: [], onServers: null }),
      namespace: 'test',
      tls: null,
      token: null,
      limits: null,
    });
    this.#journals.push(journal);
    return journal;
  }

  async close(): Promise<void> {
    for (const journal of this.#journals.splice(0)) await journal.close();
    await Promise.all([...this.#servers.keys()].map((node) => this.kill(node)));
    await this.#placement.close();
    await this.#center.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #processOf(component: string, lines: readonly string[]): ServiceProcess {
    this.#files += 1;
    const file = join(this.#folder, `${component}-${this.#files}.toml`);
    writeFileSync(file, ['cluster_name = "test"', ...lines, ''].join('\n'));
    const words = [process.execPath, '--conditions=source', ROBUSTCTL, component, 'start', file];
    return new ServiceProcess({ words, folder: this.#folder, environment: {} });
  }
}

async function serving(started: ServiceProcess): Promise<void> {
  started.start();
  await until(async () => {
    if (!started.isRunning) throw new Error(`ended: ${started.output}`);
    return started.output.includes('is ready') ? true : null;
  });
}

/** Looks again until there is a value; the test's own timeout is the limit. */
async function until<Value>(look: () => Promise<Value | null>): Promise<Value> {
  for (;;) {
    const value = await look();
    if (value !== null) return value;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
