/** Rung R3 for the journal: appends, keyed writes, tails and readers over three hosts, and faults. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  atMost,
  type CampaignResult,
  type FaultKind,
  Hosts,
  runFaultStorm,
  told,
  whyNoHosts,
} from '@robustmq/campaign';
import { SeededRandom } from '@robustmq/environment';
import { hostsOf, JOURNAL_ROLES, TestCluster } from '../test-cluster.ts';
import { JournalScene } from './journal-scene.ts';

const SERVING_LIMIT_MS = 90_000;
const BACK_LIMIT_MS = 60_000;
const LAYOUT = 'together';
/** Silences from this length on are told as they last. */
const TOLD_SILENCE_MS = 2000;

/** The longest time without an acknowledgement that each kind of fault may cause a producer. */
const SILENCE_MS_MAX: Readonly<Record<FaultKind, number>> = {
  kill: 3000,
  stop: 10_000,
  cut: 8000,
  isolate: 8000,
  roll: 3000,
  all: 15_000,
};

export interface JournalStormOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly kinds: readonly FaultKind[];
  readonly appendsPerSecond: number;
  readonly tell: (progress: string) => void;
}

export async function runJournalStorm(options: JournalStormOptions): Promise<CampaignResult> {
  const needsHosts = options.kinds.some((kind) => kind === 'cut' || kind === 'isolate');
  const impossible = needsHosts ? whyNoHosts() : null;
  if (impossible !== null) return { figures: [told('SKIPPED', impossible)], examples: [] };
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-journal-storm-'));
  const hosts = needsHosts ? Hosts.open(hostsOf(LAYOUT, JOURNAL_ROLES)) : null;
  const cluster = await TestCluster.open({
    ...{ folder, layout: LAYOUT, roles: JOURNAL_ROLES, hosts },
    environmentOf: () => ({}),
  });
  const scene = new JournalScene(cluster, options);
  try {
    return await stormOver({ cluster, hosts, scene }, options);
  } finally {
    await scene.close();
    await cluster.killAll();
    hosts?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface World {
  readonly cluster: TestCluster;
  readonly hosts: Hosts | null;
  readonly scene: JournalScene;
}

async function stormOver(
  { cluster, hosts, scene }: World,
  { seed, seconds, kinds, tell }: JournalStormOptions,
): Promise<CampaignResult> {
  cluster.startAll();
  const servedMs = await scene.begin(SERVING_LIMIT_MS);
  tell(`serving after ${Math.round(servedMs)} ms`);
  const silence = setInterval(() => {
    const silent = scene.messages.silentFor(TOLD_SILENCE_MS);
    if (silent.length > 0) tell(`silent: ${silent.join(', ')}`);
  }, TOLD_SILENCE_MS);
  const faults = await runFaultStorm(
    { units: cluster.units, hosts, random: new SeededRandom(seed) },
    {
      ...{ kinds, seconds, faultMs: [3000, 9000], calmMs: [4000, 8000], tell },
      isBack: async (unit) => {
        await scene.place.isBack(unit, BACK_LIMIT_MS);
        tell(`${unit.name} is back`);
      },
    },
  ).finally(() => clearInterval(silence));
  await scene.place.serving(SERVING_LIMIT_MS);
  const { figures, examples } = await scene.verdict();
  const silenceMs = Math.round(scene.messages.gapMsMax);
  const silenceMsMax = Math.max(...kinds.map((kind) => SILENCE_MS_MAX[kind]));
  return {
    figures: [
      told('seed', seed),
      told('serving after start, ms', Math.round(servedMs)),
      told('faults', faults.length),
      atMost('longest silence of a producer, ms', silenceMs, silenceMsMax),
      atMost('unasked exits', cluster.crashes, 0),
      ...figures,
    ],
    examples: cluster.crashes > 0 ? [...examples, cluster.lastWords()] : examples,
  };
}
