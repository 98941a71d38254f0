/** The leader is killed again and again under load: how long until a write is acknowledged? */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type CampaignResult, atLeast, atMost, told } from '@robustmq/campaign';
import { SeededRandom } from '@robustmq/environment';
import { auditPromises, type Tell } from './campaign-result.ts';
import { statusOf } from './leader.ts';
import { PlacementCluster } from './placement-cluster.ts';
import { WatchAudit } from './watch-audit.ts';
import { Workload } from './workload.ts';

export interface LeaderCampaignOptions {
  readonly seed: number;
  readonly kills: number;
  readonly tell: Tell;
}

/** Two election timeouts of the default configuration, and the time to connect. */
const RESUME_MS_MAX = 1500;
const SERVING_LIMIT_MS = 60_000;
const CALM_MS = 1500;

export async function runLeaderCampaign({
  seed,
  kills,
  tell,
}: LeaderCampaignOptions): Promise<CampaignResult> {
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-leader-'));
  const cluster = await PlacementCluster.open({
    ...{ folder, hosts: null, members: 3, sections: [] },
    environmentOf: () => ({}),
  });
  const random = new SeededRandom(seed);
  try {
    cluster.startAll();
    await cluster.serving(SERVING_LIMIT_MS);
    const connect = (): ReturnType<PlacementCluster['connect']> => cluster.connect();
    const workload = new Workload({ seed, clients: 8, keys: 10, pauseMs: 5, connect });
    const watcher = connect();
    const watch = new WatchAudit(watcher);
    workload.start();
    const silences: number[] = [];
    for (let kill = 0; kill < kills; kill += 1) {
      // With another member away there would be no majority to resume.
      for (const member of cluster.members) await cluster.inStep(member, SERVING_LIMIT_MS);
      await pause(CALM_MS + random.below(CALM_MS));
      const leader = cluster.member((await statusOf(cluster)).leader);
      const killedAtMs = performance.now();
      await leader.process.kill();
      await cluster.serving(SERVING_LIMIT_MS);
      await pause(500);
      silences.push(workload.longestGapMs(killedAtMs, performance.now()));
      tell(
        `kill ${kill + 1} of ${kills}: writes resumed after ${Math.round(silences.at(-1) ?? 0)} ms`,
      );
      leader.process.start();
    }
    await cluster.serving(SERVING_LIMIT_MS);
    await workload.end();
    const audit = await auditPromises(cluster, workload, watch);
    await watcher.close();
    silences.sort((left, right) => left - right);
    return {
      figures: [
        told('seed', seed),
        atLeast('leaders killed', silences.length, kills),
        told('writes resume after ms, median', Math.round(silences[silences.length >> 1] ?? 0)),
        atMost('writes resume after ms, longest', Math.round(silences.at(-1) ?? 0), RESUME_MS_MAX),
        ...audit.figures,
      ],
      examples: audit.examples,
    };
  } finally {
    await cluster.killAll();
    rmSync(folder, { recursive: true, force: true });
  }
}
