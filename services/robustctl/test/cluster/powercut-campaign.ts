/**
 * Rung R4 for the whole cluster: all nine processes lose power at once, with torn writes, again and again,
 * the first time within the first second of the first start. Everything acknowledged must be there.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  atLeast,
  atMost,
  type CampaignResult,
  DurableLoad,
  holds,
  ledgerFigures,
  told,
  whyNoDiskTrace,
} from '@robustmq/campaign';
import { SeededRandom } from '@robustmq/environment';
import { ROLES, TestCluster } from './test-cluster.ts';
import { TracedDisks } from './traced-disks.ts';

const FIRST_CUT_MS = 900;
const ALIVE_MS_MAX = 3000;
const SERVING_MS_MAX = 10_000;
const SERVING_LIMIT_MS = 90_000;
const SETTLE_LIMIT_MS = 120_000;

export interface ClusterPowercutOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly messagesPerSecond: number;
  readonly tell: (progress: string) => void;
}

export async function runClusterPowercut(options: ClusterPowercutOptions): Promise<CampaignResult> {
  const impossible = whyNoDiskTrace();
  if (impossible !== null) return { figures: [told('SKIPPED', impossible)], examples: [] };
  const { seed, messagesPerSecond } = options;
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-cluster-powercut-'));
  const disks = new TracedDisks({ folder, roles: ROLES, seed });
  const cluster = await TestCluster.open({
    ...{ folder, layout: 'together', hosts: null },
    environmentOf: (role, nodeId) => disks.environmentOf(role, nodeId),
  });
  const load = new DurableLoad({
    ...{ place: cluster, seed, messagesPerSecond, group: 'with', fillerBytesMax: 400 },
  });
  try {
    return await cutRepeatedly({ cluster, disks, load }, options);
  } finally {
    await load.end();
    await cluster.killAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface World {
  readonly cluster: TestCluster;
  readonly disks: TracedDisks;
  readonly load: DurableLoad;
}

async function cutRepeatedly(
  { cluster, disks, load }: World,
  { seed, rounds, tell }: ClusterPowercutOptions,
): Promise<CampaignResult> {
  const random = new SeededRandom(seed ^ 0x707);
  const servingMs: number[] = [];
  let cuts = 0;
  const cutPower = async (): Promise<void> => {
    await cluster.killAll();
    disks.cut();
    cuts += 1;
    cluster.startAll();
  };
  const serve = async (): Promise<void> => {
    servingMs.push(await cluster.serving(SERVING_LIMIT_MS));
    tell(`power cut ${cuts}: serving after ${Math.round(servingMs.at(-1) ?? 0)} ms`);
  };
  cluster.startAll();
  const loaded = load.start();
  await pause(FIRST_CUT_MS);
  await cutPower();
  await serve();
  await loaded;
  while (servingMs.length < rounds) {
    await pause(random.below(ALIVE_MS_MAX));
    if (servingMs.length % 3 === 0) await load.addWill(`cut-${servingMs.length}`, 'published');
    const floors = load.ledger.retainedFloors();
    await cutPower();
    // Now and then the power fails again while the cluster recovers.
    if (random.below(4) === 0) {
      await pause(random.below(2000));
      await cutPower();
    }
    await serve();
    await load.checkRetained(floors);
  }
  const settled = await load.settle(SETTLE_LIMIT_MS);
  await load.checkRetained(load.ledger.retainedFloors());
  return {
    figures: [
      told('seed', seed),
      atLeast('power cuts of all nine processes', cuts, rounds),
      atLeast('starts', servingMs.length, rounds),
      told('writes under way when cut', disks.writes),
      atMost('serving after, longest, ms', Math.round(Math.max(...servingMs)), SERVING_MS_MAX),
      atMost('unasked exits', cluster.crashes, 0),
      ...ledgerFigures(load.ledger.figures()),
      holds('drained before the deadline', settled),
    ],
    examples:
      cluster.crashes > 0 || !settled
        ? [...load.ledger.examples, cluster.lastWords()]
        : load.ledger.examples,
  };
}
