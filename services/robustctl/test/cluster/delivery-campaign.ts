/**
 * Rung R3 for the whole cluster: publishers and durable subscribers over all brokers, faults beside them,
 * and a ledger of what was promised and what came.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  atMost,
  type CampaignResult,
  DurableLoad,
  type FaultKind,
  Hosts,
  ledgerFigures,
  runFaultStorm,
  told,
  whyNoHosts,
} from '@robustmq/campaign';
import { SeededRandom } from '@robustmq/environment';
import { hostsOf, type Layout, TestCluster } from './test-cluster.ts';

const SERVING_LIMIT_MS = 90_000;
const BACK_LIMIT_MS = 60_000;
const SETTLE_LIMIT_MS = 120_000;
/** Silences from this length on are told as they last. */
const TOLD_SILENCE_MS = 2000;
const WORDS_KEPT = 64 * 1024;

/** The longest time without an acknowledgement that each kind of fault may cause a publisher. */
const SILENCE_MS_MAX: Readonly<Record<FaultKind, number>> = {
  kill: 3000,
  stop: 10_000,
  cut: 8000,
  isolate: 8000,
  roll: 3000,
  all: 15_000,
};

export interface DeliveryCampaignOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly kinds: readonly FaultKind[];
  readonly layout: Layout;
  readonly messagesPerSecond: number;
  readonly group: 'with' | 'without';
  readonly tell: (progress: string) => void;
}

export async function runDeliveryCampaign(
  options: DeliveryCampaignOptions,
): Promise<CampaignResult> {
  const { kinds, layout } = options;
  const needsHosts = kinds.some((kind) => kind === 'cut' || kind === 'isolate');
  const impossible = needsHosts ? whyNoHosts() : null;
  if (impossible !== null) return { figures: [told('SKIPPED', impossible)], examples: [] };
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-delivery-'));
  const hosts = needsHosts ? Hosts.open(hostsOf(layout)) : null;
  const cluster = await TestCluster.open({ folder, layout, hosts, environmentOf: () => ({}) });
  try {
    return await deliveryOver(cluster, hosts, options);
  } finally {
    await cluster.killAll();
    hosts?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function deliveryOver(
  cluster: TestCluster,
  hosts: Hosts | null,
  options: DeliveryCampaignOptions,
): Promise<CampaignResult> {
  const { seed, seconds, kinds, messagesPerSecond, group, tell } = options;
  cluster.startAll();
  const servedMs = await cluster.serving(SERVING_LIMIT_MS);
  tell(`serving after ${Math.round(servedMs)} ms`);
  const load = new DurableLoad({
    place: cluster,
    seed,
    messagesPerSecond,
    group,
    fillerBytesMax: 400,
  });
  const silence = setInterval(() => {
    const silent = load.silentFor(TOLD_SILENCE_MS);
    if (silent.length > 0) tell(`silent: ${silent.join(', ')}`);
  }, TOLD_SILENCE_MS);
  try {
    await load.start();
    const faults = await runFaultStorm(
      { units: cluster.units, hosts, random: new SeededRandom(seed) },
      {
        ...{ kinds, seconds, faultMs: [3000, 9000], calmMs: [4000, 8000], tell },
        isBack: (unit) => cluster.isBack(unit, BACK_LIMIT_MS),
      },
    );
    // From here on nobody publishes.
    clearInterval(silence);
    const floors = load.ledger.retainedFloors();
    const settled = await load.settle(SETTLE_LIMIT_MS);
    await load.checkRetained(floors);
    const ledger = ledgerFigures(load.ledger.figures());
    // With what the figures have found.
    const examples = [...load.ledger.examples];
    if (cluster.crashes > 0 || !settled) examples.push(cluster.lastWords());
    const gapMsMax = Math.max(...kinds.map((kind) => SILENCE_MS_MAX[kind]));
    if (load.gapMsMax > gapMsMax || !settled)
      tell(`what the processes said is in ${wordsKept(cluster, seed)}`);
    return {
      figures: [
        told('seed', seed),
        told('layout', layout(options)),
        told('serving after start, ms', Math.round(servedMs)),
        told('faults', faults.length),
        atMost('longest silence of a publisher, ms', Math.round(load.gapMsMax), gapMsMax),
        atMost('unasked exits', cluster.crashes, 0),
        ...ledger,
        told('drained before the deadline', settled ? 'yes' : 'no'),
      ],
      examples,
    };
  } finally {
    clearInterval(silence);
    await load.end();
  }
}

function layout({ layout: name }: DeliveryCampaignOptions): string {
  return name === 'together' ? 'three hosts with every role' : 'nine hosts, one role each';
}

/** For whoever looks for the cause of a silence. @returns the file */
function wordsKept(cluster: TestCluster, seed: number): string {
  const file = join(tmpdir(), `robustmq-delivery-${process.pid}-${seed}.log`);
  writeFileSync(file, cluster.lastWords(WORDS_KEPT));
  return file;
}
