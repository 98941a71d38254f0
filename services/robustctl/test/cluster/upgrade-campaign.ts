/**
 * Rung R9: host after host is brought from the release before to the present one and back, beside the
 * load of rung R3. Nothing is lost, and no publisher waits longer than in a rolling restart.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  atLeast,
  atMost,
  type CampaignResult,
  DurableLoad,
  type FaultUnit,
  holds,
  ledgerFigures,
  told,
} from '@robustmq/campaign';
import { buildRelease } from './build-release.ts';
import { TestCluster } from './test-cluster.ts';

const SERVING_LIMIT_MS = 90_000;
const BACK_LIMIT_MS = 60_000;
const SETTLE_LIMIT_MS = 120_000;
const SILENCE_MS_MAX = 3000;
const CALM_MS = 4000;

export interface UpgradeOptions {
  readonly seed: number;
  /** What runs before: a commit, which is made into a release, or the folder of an unpacked one. */
  readonly before: string;
  /** There and back so many times. */
  readonly rounds: number;
  readonly messagesPerSecond: number;
  readonly tell: (progress: string) => void;
}

export async function runUpgrade(options: UpgradeOptions): Promise<CampaignResult> {
  const { seed, before, messagesPerSecond, tell } = options;
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-upgrade-'));
  const programs: Programs = { earlier: '', nodes: new Map() };
  try {
    const isRelease = existsSync(join(before, 'lib/robustctl.mjs'));
    tell(`the release before is ${before}`);
    const release = isRelease ? before : await buildRelease(before, join(folder, 'before'));
    programs.earlier = join(release, 'lib/robustctl.mjs');
    const cluster = await TestCluster.open({
      ...{ folder, layout: 'together', hosts: null, environmentOf: () => ({}) },
      programOf: (_, nodeId) => programs.nodes.get(nodeId) ?? programs.earlier,
    });
    const load = new DurableLoad({
      ...{ place: cluster, seed, messagesPerSecond, group: 'with', fillerBytesMax: 400 },
    });
    try {
      return await thereAndBack({ cluster, load, programs }, options);
    } finally {
      await load.end();
      await cluster.killAll();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Programs {
  earlier: string;
  /** What a node runs from its next start on; absent: the earlier one. */
  readonly nodes: Map<number, string>;
}

interface World {
  readonly cluster: TestCluster;
  readonly load: DurableLoad;
  readonly programs: Programs;
}

async function thereAndBack(world: World, options: UpgradeOptions): Promise<CampaignResult> {
  const { cluster, load } = world;
  const { seed, before, rounds, tell } = options;
  cluster.startAll();
  tell(`serving after ${Math.round(await cluster.serving(SERVING_LIMIT_MS))} ms`);
  await load.start();
  await pause(CALM_MS);
  let restarts = 0;
  for (let round = 1; round <= rounds; round += 1) {
    for (const to of ['present', 'earlier'] as const) {
      tell(`round ${round}: to the ${to} release`);
      for (const [index, unit] of cluster.units.entries()) {
        await restartAs(world, { unit, nodeId: index + 1, to });
        restarts += 1;
        await pause(CALM_MS);
      }
    }
  }
  const floors = load.ledger.retainedFloors();
  const settled = await load.settle(SETTLE_LIMIT_MS);
  await load.checkRetained(floors);
  return {
    figures: [
      told('seed', seed),
      told('release before', before),
      atLeast('hosts that changed their release under load', restarts, 6 * rounds),
      atMost('longest silence of a publisher, ms', Math.round(load.gapMsMax), SILENCE_MS_MAX),
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

async function restartAs(
  { cluster, programs }: World,
  change: {
    readonly unit: FaultUnit;
    readonly nodeId: number;
    readonly to: 'present' | 'earlier';
  },
): Promise<void> {
  const { unit, nodeId, to } = change;
  await Promise.all(unit.processes.map((process) => process.end()));
  if (to === 'present') programs.nodes.set(nodeId, TestCluster.presentProgram);
  else programs.nodes.delete(nodeId);
  for (const process of unit.processes) process.start();
  await cluster.isBack(unit, BACK_LIMIT_MS);
}
