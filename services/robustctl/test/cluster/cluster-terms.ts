/** How often leaders changed and registrations were lost, as the placement center has it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import type { Placement } from '@robustmq/placement';
import { connectPlacement } from '@robustmq/placement-client';
import { openRegistries, type Registries } from '@robustmq/placement-registry';
import { TestCluster } from './test-cluster.ts';

const CALL = { deadlineMs: 10_000, signal: null };
const CLUSTER_TYPES = ['mqtt-broker', 'journal-server'] as const;

/** Sums that only rise. */
export interface TermsSeen {
  /** Of the members of the placement center: the highest. */
  readonly placement: number;
  /** Of all shards together. */
  readonly shards: number;
  /** Of all brokers and journal servers together: how often they registered. */
  readonly lives: number;
}

export class ClusterTerms {
  readonly #cluster: TestCluster;
  readonly #placement: Placement;
  readonly #registries: Registries;

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
    this.#placement = connectPlacement({
      ...{ clock: systemClock, timers: systemTimers, random: systemRandom },
      ...{ servers: cluster.placementServers, tls: null, token: cluster.token, limits: null },
    });
    const random = systemRandom;
    this.#registries = openRegistries(this.#placement, { clusterName: 'campaign', random });
  }

  async look(): Promise<TermsSeen> {
    const { nodes, shardStates } = this.#registries;
    const states = await shardStates.list(null, { after: null, limit: 500 }, CALL);
    const lives = await Promise.all(CLUSTER_TYPES.map((type) => nodes.listLives(type, CALL)));
    return {
      placement: await this.#placementTerm(),
      shards: sum(states.items.map(({ value }) => value.term)),
      lives: sum(lives.flat().map(({ incarnation }) => incarnation)),
    };
  }

  async close(): Promise<void> {
    await this.#placement.close();
  }

  async #placementTerm(): Promise<number> {
    const servers = this.#cluster.placementServers.join(',');
    const words = ['place', 'status', '--server', servers, '--output', 'json'];
    const program = [TestCluster.presentProgram, ...words];
    const env = { ...process.env, ROBUSTMQ_CLUSTER_TOKEN: this.#cluster.token };
    const { stdout } = await promisify(execFile)(process.execPath, program, { env });
    const { members } = JSON.parse(stdout) as { readonly members: readonly { term: number }[] };
    return Math.max(...members.map(({ term }) => term));
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
