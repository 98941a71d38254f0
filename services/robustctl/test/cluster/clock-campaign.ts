/**
 * Rung R6 for the whole cluster: one host an hour ahead, one an hour back, and jumps while running, as
 * libfaketime shows them. What counts time must not count those hours: sessions, wills, leases, elections.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  atMost,
  type CampaignResult,
  DurableLoad,
  type Figure,
  ledgerFigures,
  runFaultStorm,
  told,
} from '@robustmq/campaign';
import { SeededRandom } from '@robustmq/environment';
import { ClusterTerms } from './cluster-terms.ts';
import { TestCluster } from './test-cluster.ts';
import { TimedSessions } from './timed-sessions.ts';

const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';
const OFFSETS = ['+1h', '-1h', '+0'] as const;
const SERVING_LIMIT_MS = 90_000;
const BACK_LIMIT_MS = 60_000;
const SETTLE_LIMIT_MS = 120_000;
const JUMP_EVERY_MS = 3000;
/** As for a kill without jumps. */
const SILENCE_MS_MAX = 3000;

export interface ClusterClockOptions {
  readonly seed: number;
  /** Before anything is killed. */
  readonly jumps: number;
  /** Kills, and jumps beside them. */
  readonly killSeconds: number;
  readonly messagesPerSecond: number;
  readonly tell: (progress: string) => void;
}

export async function runClusterClocks(options: ClusterClockOptions): Promise<CampaignResult> {
  if (!existsSync(LIBRARY)) {
    const reason = `${LIBRARY} is missing (Debian: libfaketime)`;
    return { figures: [told('SKIPPED', reason)], examples: [] };
  }
  const { seed, messagesPerSecond } = options;
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-cluster-clocks-'));
  const clocks = new HostClocks(folder, new SeededRandom(seed ^ 0xc10c));
  const cluster = await TestCluster.open({
    ...{ folder, layout: 'together', hosts: null },
    environmentOf: (_, nodeId) => clocks.environmentOf(nodeId),
  });
  const load = new DurableLoad({
    ...{ place: cluster, seed, messagesPerSecond, group: 'with', fillerBytesMax: 400 },
  });
  const terms = new ClusterTerms(cluster);
  try {
    return await jumpAndKill({ cluster, clocks, load, terms }, options);
  } finally {
    clocks.stop();
    await load.end();
    await terms.close();
    await cluster.killAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface World {
  readonly cluster: TestCluster;
  readonly clocks: HostClocks;
  readonly load: DurableLoad;
  readonly terms: ClusterTerms;
}

async function jumpAndKill(world: World, options: ClusterClockOptions): Promise<CampaignResult> {
  const { cluster, clocks, load, terms } = world;
  const { seed, jumps, killSeconds, tell } = options;
  cluster.startAll();
  tell(`serving after ${Math.round(await cluster.serving(SERVING_LIMIT_MS))} ms`);
  await load.start();
  const sessions = await TimedSessions.leave(cluster);
  const before = await terms.look();
  tell(`${jumps} jumps`);
  clocks.jumpEvery(JUMP_EVERY_MS);
  await pause((jumps + 1) * JUMP_EVERY_MS);
  const after = await terms.look();
  const calmGapMs = Math.round(load.gapMsMax);
  tell(`kills for ${killSeconds} s`);
  const faults = await runFaultStorm(
    { units: cluster.units, hosts: null, random: new SeededRandom(seed) },
    {
      ...{ kinds: ['kill'], seconds: killSeconds, faultMs: [3000, 9000], calmMs: [4000, 8000] },
      ...{ tell, isBack: (unit) => cluster.isBack(unit, BACK_LIMIT_MS) },
    },
  );
  clocks.stop();
  const figures: readonly Figure[] = [
    told('seed', seed),
    told('jumps of an hour', clocks.jumps),
    atMost('elections of the placement center', after.placement - before.placement, 0),
    atMost('elections of shards', after.shards - before.shards, 0),
    atMost('leases of brokers and servers lost', after.lives - before.lives, 0),
    told('longest silence of a publisher before the kills, ms', calmGapMs),
    told('kills', faults.length),
    atMost('longest silence of a publisher, ms', Math.round(load.gapMsMax), SILENCE_MS_MAX),
    ...(await sessions.figures(tell)),
    atMost('unasked exits', cluster.crashes, 0),
  ];
  const floors = load.ledger.retainedFloors();
  const settled = await load.settle(SETTLE_LIMIT_MS);
  await load.checkRetained(floors);
  const ledger = ledgerFigures(load.ledger.figures());
  const examples = [...load.ledger.examples, ...sessions.examples];
  if (cluster.crashes > 0 || !settled) examples.push(cluster.lastWords());
  return { figures: [...figures, ...ledger], examples };
}

/** What time each host has. */
class HostClocks {
  readonly #folder: string;
  readonly #random: SeededRandom;
  #timer: NodeJS.Timeout | undefined;
  jumps = 0;

  constructor(folder: string, random: SeededRandom) {
    this.#folder = folder;
    this.#random = random;
    for (const [index, offset] of OFFSETS.entries()) this.#set(index + 1, offset);
  }

  /** The time since a start is left alone, as a real clock's jump does. */
  environmentOf(nodeId: number): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: this.#fileOf(nodeId),
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    };
  }

  jumpEvery(periodMs: number): void {
    this.#timer = setInterval(() => {
      this.#set(1 + this.#random.below(OFFSETS.length), OFFSETS[this.#random.below(3)] ?? '+0');
      this.jumps += 1;
    }, periodMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #fileOf(nodeId: number): string {
    return join(this.#folder, `clock-${nodeId}`);
  }

  #set(nodeId: number, offset: string): void {
    writeFileSync(this.#fileOf(nodeId), offset);
  }
}
