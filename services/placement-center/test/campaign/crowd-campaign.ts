/** Ten thousand watches and ten thousand leases on one group: does the leader keep its pace? */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type CampaignResult, atMost, told } from '@robustmq/campaign';
import type { LeaseId, Placement, Watch } from '@robustmq/placement';
import { statusOf } from './leader.ts';
import { PlacementCluster } from './placement-cluster.ts';

export interface CrowdCampaignOptions {
  readonly watches: number;
  readonly leases: number;
  readonly seconds: number;
}

const SERVING_LIMIT_MS = 60_000;
const TTL_SECONDS = 30;
const CONNECTIONS = 20;
const WRITES_PER_SECOND = 200;
const SETTLE_LIMIT_MS = 30_000;
/** So many watches and leases come at a time: the clients are one process, and it has to keep up. */
const GATHER_STEP = 100;
const OPTIONS = { deadlineMs: 30_000, signal: null };

export async function runCrowdCampaign(options: CrowdCampaignOptions): Promise<CampaignResult> {
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-crowd-'));
  const cluster = await PlacementCluster.open({
    ...{ folder, hosts: null, members: 3, sections: [] },
    environmentOf: () => ({}),
  });
  try {
    cluster.startAll();
    await cluster.serving(SERVING_LIMIT_MS);
    const before = await statusOf(cluster);
    const placements = Array.from({ length: CONNECTIONS }, () => cluster.connect());
    const crowd = new Crowd(placements, options);
    const keeping = crowd.keep();
    await crowd.gather();
    const latencies = await crowd.live();
    crowd.release();
    await keeping;
    const after = await statusOf(cluster);
    const missing = await crowd.missing();
    await Promise.all(placements.map((placement) => placement.close()));
    latencies.sort((left, right) => left - right);
    const quantile = (share: number): number =>
      latencies[Math.floor(latencies.length * share)] ?? 0;
    return {
      figures: [
        told('watches', options.watches),
        told('leases, each kept alive every 10 s', options.leases),
        told('writes', latencies.length),
        told('write p50, ms', quantile(0.5)),
        told('write p99, ms', quantile(0.99)),
        told('write longest, ms', latencies.at(-1) ?? 0),
        told('gathered within s', Math.round(crowd.gatheredMs / 1000)),
        atMost('events that a watch missed', missing, 0),
        atMost('leases lost', crowd.lost, 0),
        atMost('elections', after.term - before.term, 0),
        atMost('unasked exits', cluster.crashes, 0),
      ],
      examples: cluster.crashes > 0 ? [cluster.lastWords()] : [],
    };
  } finally {
    await cluster.killAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

class Crowd {
  readonly #placements: readonly Placement[];
  readonly #options: CrowdCampaignOptions;
  readonly #watches: Watch[] = [];
  readonly #leases: LeaseId[] = [];
  /** Events that each watch is still to see. */
  readonly #awaited: Int32Array;
  #isReleased = false;
  lost = 0;
  gatheredMs = 0;

  constructor(placements: readonly Placement[], options: CrowdCampaignOptions) {
    this.#placements = placements;
    this.#options = options;
    this.#awaited = new Int32Array(options.watches);
  }

  #placement(number: number): Placement {
    return this.#placements[number % this.#placements.length] as Placement;
  }

  async gather(): Promise<void> {
    const beganMs = performance.now();
    const { watches, leases } = this.#options;
    for (let number = 0; number < Math.max(watches, leases); number += GATHER_STEP) {
      for (let at = number; at < Math.min(number + GATHER_STEP, watches); at += 1) this.#watch(at);
      const count = Math.max(0, Math.min(GATHER_STEP, leases - number));
      const granted = Array.from({ length: count }, (_, index) =>
        this.#placement(number + index).grantLease(TTL_SECONDS, OPTIONS),
      );
      for (const { id } of await Promise.all(granted)) this.#leases.push(id);
    }
    this.gatheredMs = performance.now() - beganMs;
  }

  #watch(number: number): void {
    const key = `crowd/${number}`;
    const range = { first: key, after: `${key}\0` };
    const watch = this.#placement(number).watch({ range, from: null, progressEveryMs: null });
    this.#watches.push(watch);
    void this.#follow(watch, number);
  }

  async #follow(watch: Watch, number: number): Promise<void> {
    for await (const { events } of watch) {
      this.#awaited[number] = (this.#awaited[number] as number) - events.length;
    }
  }

  /** Writes keys that somebody watches. @returns milliseconds of each write */
  async live(): Promise<number[]> {
    const latencies: number[] = [];
    const endMs = performance.now() + this.#options.seconds * 1000;
    const writes: Promise<void>[] = [];
    for (let turn = 0; performance.now() < endMs; turn += 1) {
      writes.push(this.#write(turn, latencies));
      await pause(1000 / WRITES_PER_SECOND);
    }
    await Promise.all(writes);
    return latencies;
  }

  async #write(turn: number, latencies: number[]): Promise<void> {
    const number = (turn * 7919) % this.#options.watches;
    this.#awaited[number] = (this.#awaited[number] as number) + 1;
    const value = new Uint8Array(64);
    const put = { kind: 'put', key: `crowd/${number}`, value, lease: null } as const;
    const beganMs = performance.now();
    const transaction = { compare: [], then: [put], otherwise: [], requestId: `crowd-${turn}` };
    await this.#placement(turn).transact(transaction, OPTIONS);
    latencies.push(performance.now() - beganMs);
  }

  /** Keeps every lease that there is, in turn, until {@link release}. */
  async keep(): Promise<void> {
    const stepMs = 100;
    const steps = ((TTL_SECONDS / 3) * 1000) / stepMs;
    for (let turn = 0; !this.#isReleased; turn += 1) {
      const some = this.#leases.filter((_, index) => index % steps === turn % steps);
      await Promise.all([pause(stepMs), ...some.map((id, index) => this.#keepOne(id, index))]);
    }
  }

  release(): void {
    this.#isReleased = true;
  }

  async #keepOne(id: LeaseId, number: number): Promise<void> {
    const kept = this.#placement(number).keepLease(id, OPTIONS);
    await kept.catch(() => {
      this.lost += 1;
    });
  }

  async missing(): Promise<number> {
    const endMs = performance.now() + SETTLE_LIMIT_MS;
    const open = (): number => this.#awaited.reduce((sum, count) => sum + Math.abs(count), 0);
    while (open() > 0 && performance.now() < endMs) await pause(50);
    for (const watch of this.#watches) watch.cancel();
    return open();
  }
}
