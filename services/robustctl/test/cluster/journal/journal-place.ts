/** The journal of a test cluster, as its clients reach it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { FaultUnit, ServiceProcess } from '@robustmq/campaign';
import { systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import type { SharedJournal } from '@robustmq/journal';
import { connectJournal, registryPlaces } from '@robustmq/journal-client';
import type { Placement } from '@robustmq/placement';
import { connectPlacement } from '@robustmq/placement-client';
import {
  KEEP_UNTIL_RELEASED,
  openRegistries,
  RegistryError,
  type Registries,
  type ShardKind,
} from '@robustmq/placement-registry';
import type { TestCluster } from '../test-cluster.ts';

const EDGES = { clock: systemClock, timers: systemTimers, random: systemRandom };
const NAMESPACE = 'campaign';
const REPLICAS = 3;
const CALL = { deadlineMs: 5000, signal: null };
const POLL_MS = 50;

/** What is kept in the cluster. */
export interface ShardNames {
  readonly messages: readonly string[];
  readonly tables: readonly string[];
}

export class JournalPlace {
  readonly #cluster: TestCluster;
  readonly #names: ShardNames;
  readonly #placement: Placement;
  readonly #registries: Registries;
  readonly #journals: SharedJournal[] = [];
  readonly #probe: SharedJournal;

  constructor(cluster: TestCluster, names: ShardNames) {
    this.#cluster = cluster;
    this.#names = names;
    this.#placement = connectPlacement({
      ...EDGES,
      servers: cluster.placementServers,
      tls: null,
      token: cluster.token,
      limits: null,
    });
    this.#registries = openRegistries(this.#placement, {
      clusterName: 'campaign',
      random: systemRandom,
    });
    this.#probe = this.connect();
  }

  /** A client of its own, as another process would be; closed with the place. */
  connect(): SharedJournal {
    const registries = this.#registries;
    const journal = connectJournal({
      ...EDGES,
      places: registryPlaces({
        ...EDGES,
        registries,
        fallback: this.#cluster.journalServers,
        onServers: null,
      }),
      namespace: NAMESPACE,
      tls: null,
      token: this.#cluster.token,
      limits: null,
    });
    this.#journals.push(journal);
    return journal;
  }

  /** Asks for the shards, whether or not the placement center serves yet. */
  async createShards(limitMs: number): Promise<void> {
    const endMs = performance.now() + limitMs;
    for (const shard of this.#names.messages) await this.#create(shard, 'messages', endMs);
    for (const shard of this.#names.tables) await this.#create(shard, 'keyed', endMs);
  }

  /** Waits until every shard has a leader that a majority follows. @returns ms from the call on */
  async serving(limitMs: number): Promise<number> {
    const beganMs = performance.now();
    const { messages, tables } = this.#names;
    await Promise.all([
      ...messages.map(async (name) => {
        const shard = await attempt(limitMs, () => this.#probe.openShard(name));
        await shard.committed(limitMs);
      }),
      ...tables.map(async (name) => {
        const table = await attempt(limitMs, () => this.#probe.openTable(name));
        await table.revision(limitMs);
      }),
    ]);
    return performance.now() - beganMs;
  }

  /** Waits until every shard and the processes of `unit`, which were started again, serve. */
  async isBack(unit: FaultUnit, limitMs: number): Promise<void> {
    await this.ready(unit.processes, limitMs);
    await this.serving(limitMs);
  }

  /** Waits until processes that were started say that they serve. @returns ms from the call on */
  async ready(processes: readonly ServiceProcess[], limitMs: number): Promise<number> {
    const beganMs = performance.now();
    while (!processes.every((each) => each.outputSinceStart.includes('is ready'))) {
      if (performance.now() - beganMs > limitMs) throw new Error(this.#cluster.lastWords());
      await pause(POLL_MS);
    }
    return performance.now() - beganMs;
  }

  async close(): Promise<void> {
    for (const journal of this.#journals.splice(0)) await journal.close();
    await this.#placement.close();
  }

  async #create(shard: string, kind: ShardKind, endMs: number): Promise<void> {
    const retention = KEEP_UNTIL_RELEASED;
    const plan = { kind, replicas: REPLICAS, retention, nowMs: systemClock.nowMs() };
    await attempt(endMs - performance.now(), async () => {
      try {
        await this.#registries.shards.create({ namespace: NAMESPACE, shard }, plan, CALL);
      } catch (error) {
        // An attempt whose answer was lost has created it.
        if (!(error instanceof RegistryError) || error.fault.code !== 'REGISTRY_EXISTS')
          throw error;
      }
    });
  }
}

/** Until it works; the last failure once the time is over. */
async function attempt<Value>(limitMs: number, work: () => Promise<Value>): Promise<Value> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await pause(POLL_MS);
    }
  }
}
