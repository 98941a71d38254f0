/** Rung R7 for the whole cluster: its three brokers are given more than they can do. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CampaignResult,
  type OverloadOptions,
  type OverloadTarget,
  runOverload,
} from '@robustmq/campaign';
import { TestCluster } from './test-cluster.ts';

const SERVING_LIMIT_MS = 90_000;

export function runClusterOverload(options: OverloadOptions): Promise<CampaignResult> {
  return runOverload(withCluster, options);
}

async function withCluster<Result>(
  nodeOptions: readonly string[],
  scene: (target: OverloadTarget) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-cluster-overload-'));
  const cluster = await TestCluster.open({
    ...{ folder, layout: 'together', hosts: null, nodeOptions, environmentOf: () => ({}) },
  });
  try {
    cluster.startAll();
    await cluster.serving(SERVING_LIMIT_MS);
    return await scene({
      ports: cluster.brokers.map(({ port }) => port),
      get crashes() {
        return cluster.crashes;
      },
      get residentBytes() {
        return Math.max(...cluster.brokers.map(({ process }) => process.residentBytes));
      },
    });
  } finally {
    await cluster.killAll();
    rmSync(folder, { recursive: true, force: true });
  }
}
