/** Journal servers as processes of their own, with one member of the placement center. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import type { SharedJournal } from '@robustmq/journal';
import { connectJournal, registryPlaces } from '@robustmq/journal-client';
import {
  KEEP_UNTIL_RELEASED,
  openRegistries,
  type Registries,
  type ShardKind,
} from '@robustmq/placement-registry';
import { ProcessCluster, SOON, until } from '../../placement-center/test/cluster.fixture.ts';

const ROBUSTCTL = fileURLToPath(new URL('../../robustctl/src/main.ts', import.meta.url));
const CENTER = 1;
const EDGES = { clock: systemClock, timers: systemTimers, random: systemRandom };

/** What a test has started. */
export class JournalCluster {
  readonly registries: Registries;
  readonly #center: ProcessCluster;
  readonly #servers = new Map<number, ChildProcess>();
  readonly #journals: SharedJournal[] = [];

  private constructor(center: ProcessCluster, registries: Registries) {
    this.#center = center;
    this.registries = registries;
  }

  static async start(servers: readonly number[]): Promise<JournalCluster> {
    const center = new ProcessCluster();
    await center.start(CENTER, [CENTER], []);
    const placement = await center.connect([CENTER]);
    const naming = { clusterName: 'test', random: systemRandom };
    const cluster = new JournalCluster(center, openRegistries(placement, naming));
    await Promise.all(servers.map((node) => cluster.launch(node)));
    return cluster;
  }

  /** Starts a server on what its directory holds, and waits until it serves. */
  async launch(node: number): Promise<void> {
    const file = join(this.#center.directory, `journal-${node}.toml`);
    const lines = [
      'cluster_name = "test"',
      `node_id = ${node}`,
      'grpc_port = 0',
      'prometheus_port = "off"',
      `placement_center = ["${await this.#center.addressOf(CENTER)}"]`,
      `data_path = ["journal-${node}"]`,
      'disk_free_bytes_min = "1 MiB"',
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const child = spawn(
      process.execPath,
      ['--conditions=source', ROBUSTCTL, 'journal-server', 'start', file],
      {
        cwd: this.#center.directory,
        env: { PATH: process.env['PATH'] },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
    }
    this.#servers.set(node, child);
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`ended: ${text}`);
      return text.includes('is ready') ? true : null;
    });
  }

  /** As the operating system kills it: nothing is flushed, nothing is told. */
  async kill(node: number): Promise<void> {
    await this.#end(node, 'SIGKILL');
  }

  /** @returns the exit code */
  async stop(node: number): Promise<number | null> {
    return this.#end(node, 'SIGTERM');
  }

  async createShard(shard: string, kind: ShardKind): Promise<void> {
    const replicas = this.#servers.size;
    const plan = { kind, replicas, retention: KEEP_UNTIL_RELEASED, nowMs: systemClock.nowMs() };
    await this.registries.shards.create({ namespace: 'test', shard }, plan, SOON);
  }

  /** The node that leads, as it told the registry; of those that run. */
  leaderOf(shard: string): Promise<number> {
    return until(async () => {
      const name = { namespace: 'test', shard };
      const state = await this.registries.shardStates.read(name, SOON);
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
    await this.#center.close();
  }

  async #end(node: number, signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#servers.get(node);
    if (child === undefined) return null;
    this.#servers.delete(node);
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    child.kill(signal);
    return ended;
  }
}
