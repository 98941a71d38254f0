/**
 * Rung R6 for the placement center: one member an hour ahead, one an hour back, and jumps while
 * running, as libfaketime shows them. The time since a start is left alone, as a real clock's jump does.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { atMost, type CampaignResult, holds, told } from '@robustmq/campaign';
import { SeededRandom } from '@robustmq/environment';
import { auditPromises } from './campaign-result.ts';
import { statusOf } from './leader.ts';
import { PlacementCluster } from './placement-cluster.ts';
import { WatchAudit } from './watch-audit.ts';
import { Workload } from './workload.ts';

export interface ClockCampaignOptions {
  readonly seed: number;
  readonly jumps: number;
}

const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';
const SERVING_LIMIT_MS = 60_000;
const LEASE_SECONDS = 10;
const OFFSETS = ['+1h', '-1h', '+0'] as const;
const CALM_MS = 3000;

export async function runClockCampaign({
  seed,
  jumps,
}: ClockCampaignOptions): Promise<CampaignResult> {
  if (spawnSync('test', ['-f', LIBRARY]).status !== 0) {
    const reason = `${LIBRARY} is missing (Debian: libfaketime)`;
    return { figures: [told('SKIPPED', reason)], examples: [] };
  }
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-clock-'));
  const clockOf = (nodeId: number): string => join(folder, `clock-${nodeId}`);
  for (const [index, offset] of OFFSETS.entries()) writeFileSync(clockOf(index + 1), offset);
  const cluster = await PlacementCluster.open({
    ...{ folder, hosts: null, members: 3, sections: [] },
    environmentOf: (nodeId) => ({
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: clockOf(nodeId),
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    }),
  });
  try {
    return await jumpRepeatedly({ cluster, clockOf }, { seed, jumps });
  } finally {
    await cluster.killAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface World {
  readonly cluster: PlacementCluster;
  clockOf(nodeId: number): string;
}

async function jumpRepeatedly(
  { cluster, clockOf }: World,
  { seed, jumps }: ClockCampaignOptions,
): Promise<CampaignResult> {
  const random = new SeededRandom(seed);
  cluster.startAll();
  await cluster.serving(SERVING_LIMIT_MS);
  const connect = (): ReturnType<PlacementCluster['connect']> => cluster.connect();
  const workload = new Workload({ seed, clients: 8, keys: 10, pauseMs: 10, connect });
  const watcher = connect();
  const watch = new WatchAudit(watcher);
  const lease = await keepLease(connect());
  workload.start();
  const before = await statusOf(cluster);
  const beganMs = performance.now();
  for (let jump = 0; jump < jumps; jump += 1) {
    await pause(CALM_MS);
    const nodeId = 1 + random.below(cluster.members.length);
    writeFileSync(clockOf(nodeId), OFFSETS[random.below(OFFSETS.length)] ?? '+0');
  }
  await pause(CALM_MS);
  const after = await statusOf(cluster);
  const silence = workload.longestGapMs(beganMs, performance.now());
  const leaseLived = await lease.end();
  await workload.end();
  const audit = await auditPromises(cluster, workload, watch);
  await watcher.close();
  return {
    figures: [
      told('seed', seed),
      told('jumps of an hour', jumps),
      atMost('elections', after.term - before.term, 0),
      atMost('longest silence, ms', Math.round(silence), 3000),
      holds('a lease that was kept alive lived', leaseLived),
      ...audit.figures,
    ],
    examples: audit.examples,
  };
}

/** Keeps a lease of a few seconds alive, with a key under it. */
async function keepLease(
  placement: ReturnType<PlacementCluster['connect']>,
): Promise<{ end(): Promise<boolean> }> {
  const options = { deadlineMs: 5000, signal: null };
  const { id } = await placement.grantLease(LEASE_SECONDS, options);
  let lived = true;
  const timer = setInterval(() => {
    placement.keepLease(id, options).catch(() => {
      lived = false;
    });
  }, 1000);
  return {
    end: async () => {
      clearInterval(timer);
      await placement.close();
      return lived;
    },
  };
}
