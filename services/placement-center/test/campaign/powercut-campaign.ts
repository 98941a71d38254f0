/** Rung R4 for the placement center: all members lose power at once, with torn writes, under load. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type CampaignResult,
  atLeast,
  atMost,
  buildDiskTrace,
  told,
  TracedDisk,
  tracedBy,
  whyNoDiskTrace,
} from '@robustmq/campaign';
import { SeededRandom } from '@robustmq/environment';
import { auditPromises, type Tell } from './campaign-result.ts';
import { PlacementCluster } from './placement-cluster.ts';
import { WatchAudit } from './watch-audit.ts';
import { Workload } from './workload.ts';

export interface PowercutOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly tell: Tell;
}

const SERVING_MS_MAX = 10_000;
const SERVING_LIMIT_MS = 60_000;
const FIRST_CUT_MS = 900;
const ALIVE_MS_MAX = 3000;

export async function runPowercutCampaign(options: PowercutOptions): Promise<CampaignResult> {
  const impossible = whyNoDiskTrace();
  if (impossible !== null) return { figures: [told('SKIPPED', impossible)], examples: [] };
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-powercut-'));
  const library = buildDiskTrace(folder);
  const placeOf = (nodeId: number): { readonly directory: string; readonly trace: string } => ({
    directory: join(folder, `m${nodeId}`, 'data'),
    trace: join(folder, `m${nodeId}.trace`),
  });
  const cluster = await PlacementCluster.open({
    ...{ folder, hosts: null, members: 3 },
    sections: ['[raft]', 'log_entries_max = 1000', 'log_entries_kept = 200'],
    environmentOf: (nodeId) => tracedBy(library, placeOf(nodeId)),
  });
  const disks = cluster.members.map(({ options: { nodeId } }) => {
    const random = new SeededRandom(options.seed * 7 + nodeId);
    return new TracedDisk({ ...placeOf(nodeId), random, mayBeUnused: false });
  });
  try {
    return await cutRepeatedly(cluster, disks, options);
  } finally {
    await cluster.killAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function cutRepeatedly(
  cluster: PlacementCluster,
  disks: readonly TracedDisk[],
  { seed, rounds, tell }: PowercutOptions,
): Promise<CampaignResult> {
  const random = new SeededRandom(seed);
  const connect = (): ReturnType<PlacementCluster['connect']> => cluster.connect();
  const workload = new Workload({ seed, clients: 8, keys: 10, pauseMs: 10, connect });
  const watcher = connect();
  const watch = new WatchAudit(watcher);
  const servingMs: number[] = [];
  const cutAll = async (): Promise<void> => {
    await cluster.killAll();
    for (const disk of disks) disk.cut();
  };
  workload.start();
  // The first cut falls into the first second of the first start.
  cluster.startAll();
  await pause(FIRST_CUT_MS);
  for (let round = 1; round <= rounds; round += 1) {
    await cutAll();
    cluster.startAll();
    servingMs.push(await cluster.serving(SERVING_LIMIT_MS));
    tell(`power cut ${round} of ${rounds}: serving after ${Math.round(servingMs.at(-1) ?? 0)} ms`);
    if (round < rounds) await pause(random.below(ALIVE_MS_MAX));
  }
  await workload.end();
  const audit = await auditPromises(cluster, workload, watch);
  await watcher.close();
  return {
    figures: [
      told('seed', seed),
      atLeast('power cuts of all three members', servingMs.length, rounds),
      told(
        'writes under way when cut',
        disks.reduce((sum, disk) => sum + disk.writes, 0),
      ),
      atMost('serving after ms, longest', Math.round(Math.max(...servingMs)), SERVING_MS_MAX),
      ...audit.figures,
    ],
    examples: audit.examples,
  };
}
