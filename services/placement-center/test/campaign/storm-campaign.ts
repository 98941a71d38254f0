/** Rungs R2 and R3 for the placement center: linearizable, nothing lost, and short silences under faults. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  atLeast,
  atMost,
  type CampaignResult,
  type FaultKind,
  type FaultRecord,
  Hosts,
  runFaultStorm,
  told,
  whyNoHosts,
} from '@robustmq/campaign';
import { SeededRandom } from '@robustmq/environment';
import { auditPromises, type Tell } from './campaign-result.ts';
import { PlacementCluster } from './placement-cluster.ts';
import { WatchAudit } from './watch-audit.ts';
import { Workload } from './workload.ts';

/**
 * `few`: eight clients that hardly rest. `many`: a hundred that each begin an operation every 200 ms at
 * most: 150,000 on registers in ten minutes if nothing stood still (rung R2 wants 100,000 with faults), and
 * no more than the checker can judge.
 */
export type StormLoad = 'few' | 'many';

export interface StormCampaignOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly kinds: readonly FaultKind[];
  readonly load: StormLoad;
  readonly tell: Tell;
}

/** The longest time without an acknowledged write that each kind of fault may cause (R3). */
const SILENCE_MS_MAX: Readonly<Record<FaultKind, number>> = {
  kill: 3000,
  stop: 10_000,
  cut: 8000,
  isolate: 8000,
  roll: 3000,
  all: 15_000,
};
const SERVING_LIMIT_MS = 60_000;
/** A member must be back before the next one is stopped. */
const ROLL_LIMIT_MS = 60_000;
const KEYS = 10;
const LOADS = {
  few: { clients: 8, pauseMs: 20 },
  many: { clients: 100, pauseMs: 0, everyMs: 200 },
} as const;
const OPERATIONS_MIN = 100_000;
/** Shorter runs are a look. */
const OPERATIONS_SECONDS = 600;

export async function runStormCampaign(options: StormCampaignOptions): Promise<CampaignResult> {
  const needsHosts = options.kinds.some((kind) => kind === 'cut' || kind === 'isolate');
  const impossible = needsHosts ? whyNoHosts() : null;
  if (impossible !== null) return { figures: [told('SKIPPED', impossible)], examples: [] };
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-storm-'));
  const hosts = needsHosts ? Hosts.open(3) : null;
  const cluster = await PlacementCluster.open({
    ...{ folder, hosts, members: 3 },
    // Small logs, so that members that were away also catch up by snapshot.
    sections: ['[raft]', 'log_entries_max = 2000', 'log_entries_kept = 500'],
    environmentOf: () => ({}),
  });
  try {
    return await stormOver(cluster, hosts, options);
  } finally {
    await cluster.killAll();
    hosts?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function stormOver(
  cluster: PlacementCluster,
  hosts: Hosts | null,
  { seed, seconds, kinds, load, tell }: StormCampaignOptions,
): Promise<CampaignResult> {
  cluster.startAll();
  await cluster.serving(SERVING_LIMIT_MS);
  const connect = (): ReturnType<PlacementCluster['connect']> => cluster.connect();
  const workload = new Workload({ ...LOADS[load], seed, keys: KEYS, connect });
  const watcher = connect();
  const watch = new WatchAudit(watcher);
  workload.start();
  const random = new SeededRandom(seed);
  const faults = await runFaultStorm(
    { units: cluster.units, hosts, random },
    {
      ...{ kinds, seconds, faultMs: [2000, 8000], calmMs: [2000, 5000], tell },
      isBack: ({ host }) => cluster.inStep(cluster.member(host), ROLL_LIMIT_MS),
    },
  );
  await cluster.serving(SERVING_LIMIT_MS);
  await workload.end();
  const audit = await auditPromises(cluster, workload, watch);
  await watcher.close();
  const operations = workload.history.length;
  return {
    figures: [
      ...[told('seed', seed), ...silences(faults, workload)],
      ...(load === 'many' && seconds >= OPERATIONS_SECONDS
        ? [atLeast('register operations', operations, OPERATIONS_MIN)]
        : []),
      ...audit.figures,
    ],
    examples: audit.examples,
  };
}

/** Per kind of fault: how often, and the longest silence from its beginning to some time after its end. */
function silences(faults: readonly FaultRecord[], workload: Workload): CampaignResult['figures'] {
  return [...new Set(faults.map(({ kind }) => kind))].flatMap((kind) => {
    const ofKind = faults.filter((fault) => fault.kind === kind);
    const gaps = ofKind.map(({ beganAtMs, endedAtMs }) =>
      workload.longestGapMs(beganAtMs, endedAtMs + 1000),
    );
    return [
      told(`${kind}: faults`, ofKind.length),
      atMost(`${kind}: longest silence, ms`, Math.round(Math.max(...gaps)), SILENCE_MS_MAX[kind]),
    ];
  });
}
