/** Rung R4 for the journal: all hosts lose power at once, with torn writes, while everyone appends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { atLeast, atMost, type CampaignResult, told, whyNoDiskTrace } from '@robustmq/campaign';
import { SeededRandom } from '@robustmq/environment';
import { JOURNAL_ROLES, TestCluster } from '../test-cluster.ts';
import { TracedDisks } from '../traced-disks.ts';
import { JournalScene } from './journal-scene.ts';

const SERVING_MS_MAX = 10_000;
const SERVING_LIMIT_MS = 90_000;
const FIRST_CUT_MS = 900;
const ALIVE_MS_MAX = 3000;

export interface JournalPowercutOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly appendsPerSecond: number;
  readonly tell: (progress: string) => void;
}

export async function runJournalPowercut(options: JournalPowercutOptions): Promise<CampaignResult> {
  const impossible = whyNoDiskTrace();
  if (impossible !== null) return { figures: [told('SKIPPED', impossible)], examples: [] };
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-journal-powercut-'));
  const disks = new TracedDisks({ folder, roles: JOURNAL_ROLES, seed: options.seed });
  const cluster = await TestCluster.open({
    ...{ folder, layout: 'together', roles: JOURNAL_ROLES, hosts: null },
    environmentOf: (role, nodeId) => disks.environmentOf(role, nodeId),
  });
  const scene = new JournalScene(cluster, options);
  try {
    return await cutRepeatedly({ cluster, disks, scene }, options);
  } finally {
    await scene.close();
    await cluster.killAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface World {
  readonly cluster: TestCluster;
  readonly disks: TracedDisks;
  readonly scene: JournalScene;
}

async function cutRepeatedly(
  { cluster, disks, scene }: World,
  { seed, rounds, tell }: JournalPowercutOptions,
): Promise<CampaignResult> {
  const random = new SeededRandom(seed);
  const servingMs: number[] = [];
  const readyMs: number[] = [];
  const cutAll = async (): Promise<void> => {
    await cluster.killAll();
    disks.cut();
    cluster.startAll();
  };
  cluster.startAll();
  // The first cut falls into the first second of the first start: there is no shard yet.
  await pause(FIRST_CUT_MS);
  await cutAll();
  const firstMs = await scene.begin(SERVING_LIMIT_MS);
  tell(`power cut 1 of ${rounds}: shards made and serving after ${Math.round(firstMs)} ms`);
  for (let round = 2; round <= rounds; round += 1) {
    await pause(random.below(ALIVE_MS_MAX));
    await cutAll();
    const processes = JOURNAL_ROLES.flatMap((role) => cluster.processesOf(role));
    const [ready, served] = await Promise.all([
      scene.place.ready(processes, SERVING_LIMIT_MS),
      scene.place.serving(SERVING_LIMIT_MS),
    ]);
    readyMs.push(ready);
    servingMs.push(served);
    tell(
      `power cut ${round} of ${rounds}: processes ready after ${Math.round(ready)} ms, ` +
        `serving after ${Math.round(served)} ms`,
    );
  }
  const { figures, examples } = await scene.verdict();
  const longestMs = Math.round(Math.max(...servingMs));
  return {
    figures: [
      told('seed', seed),
      atLeast('power cuts of all three hosts', servingMs.length + 1, rounds),
      told('writes under way when cut', disks.writes),
      told('shards made and serving after the first, ms', Math.round(firstMs)),
      told('processes ready after, longest, ms', Math.round(Math.max(...readyMs))),
      atMost('serving after, longest, ms', longestMs, SERVING_MS_MAX),
      atMost('unasked exits', cluster.crashes, 0),
      ...figures,
    ],
    examples: cluster.crashes > 0 ? [...examples, cluster.lastWords()] : examples,
  };
}
