/**
 * Runs campaigns against a whole cluster and prints their figures; exit code 1 when one is missed.
 *
 * usage: node --conditions=source main.ts CAMPAIGN... [--seed N] [--seconds N] [--faults A,B]
 *                                          [--layout together|apart] [--rate N] [--short]
 *                                          [--rounds N] [--before COMMIT|FOLDER] [--suites FOLDER]
 *                                          [--without-group]
 *
 * `delivery` is each kind of fault by itself, 120 s each, beside a delivery ledger; `rotation` is all of
 * them in turn for ten minutes over nine hosts. `journal-storm` is each kind of fault and all in turn
 * beside appends to journal servers without brokers; `journal-powercut` takes away what these have not
 * flushed, `journal-fulldisk` fills their disks. Against all nine processes: `powercut` and `bitflip` are
 * for power and disks, `clocks` lets the time of hosts jump, `overload` is more than the brokers can do,
 * `upgrade` goes from another release to this one and back, `conformance` runs the suites of Eclipse Paho.
 */
import { parseArgs } from 'node:util';
import {
  type CampaignResult,
  FAULT_KINDS,
  type FaultKind,
  runCampaigns,
  tableOf,
} from '@robustmq/campaign';
import { runClusterBitFlips } from './bit-flip-campaign.ts';
import { runClusterClocks } from './clock-campaign.ts';
import { runConformance } from './conformance-campaign.ts';
import { runDeliveryCampaign } from './delivery-campaign.ts';
import { runJournalFullDisk } from './journal/fulldisk-campaign.ts';
import { runJournalPowercut } from './journal/powercut-campaign.ts';
import { runJournalStorm } from './journal/storm-campaign.ts';
import { runClusterOverload } from './overload-campaign.ts';
import { runClusterPowercut } from './powercut-campaign.ts';
import type { Layout } from './test-cluster.ts';
import { runUpgrade } from './upgrade-campaign.ts';

/** To the error output, so that the figures can be kept by themselves. */
function tell(progress: string): void {
  console.error(`  ${new Date().toISOString().slice(11, 19)} ${progress}`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    seconds: { type: 'string' },
    faults: { type: 'string' },
    layout: { type: 'string' },
    rate: { type: 'string', default: '400' },
    'without-group': { type: 'boolean', default: false },
    suites: { type: 'string' },
    rounds: { type: 'string' },
    before: { type: 'string', default: 'HEAD~1' },
    short: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const messagesPerSecond = Number(values.rate);
const group = values['without-group'] ? 'without' : 'with';
const kinds = (values.faults?.split(',') as readonly FaultKind[] | undefined) ?? FAULT_KINDS;
const oneByOne = kinds.map((kind) => [kind]);
const secondsOf = (whole: number): number =>
  values.seconds === undefined ? (values.short ? 30 : whole) : Number(values.seconds);

const roundsOf = (whole: number, short: number): number =>
  values.rounds === undefined ? (values.short ? short : whole) : Number(values.rounds);

/** One run after the other: the figures stand one below the other. */
async function runEach(
  runs: readonly (readonly FaultKind[])[],
  run: (kinds: readonly FaultKind[]) => Promise<CampaignResult>,
): Promise<CampaignResult> {
  const results: CampaignResult[] = [];
  for (const each of runs) {
    const result = await run(each);
    console.log(tableOf(each.join(', '), result.figures));
    for (const example of result.examples) console.log(`  ! ${example}`);
    results.push(result);
  }
  return {
    figures: results.flatMap((result) => result.figures),
    examples: results.flatMap((result) => result.examples),
  };
}

const CAMPAIGNS: Readonly<Record<string, () => Promise<CampaignResult>>> = {
  conformance: () => runConformance({ suites: values.suites ?? null, tell }),
  powercut: () => runClusterPowercut({ seed, messagesPerSecond, tell, rounds: roundsOf(20, 3) }),
  bitflip: () =>
    runClusterBitFlips({ seed, messagesPerSecond, tell, flipsPerKind: roundsOf(3, 1) }),
  clocks: () =>
    runClusterClocks({
      ...{ seed, messagesPerSecond, tell, jumps: roundsOf(20, 5) },
      killSeconds: secondsOf(120),
    }),
  overload: () =>
    runClusterOverload({
      ...{ stalledSeconds: values.short ? 4 : 20, overloadSeconds: values.short ? 15 : 300 },
      ...{ connects: 10_000, tell },
    }),
  upgrade: () =>
    runUpgrade({
      ...{ seed, messagesPerSecond, tell, rounds: roundsOf(3, 1), before: values.before },
    }),
  delivery: () =>
    runEach(oneByOne, (each) =>
      runDeliveryCampaign({
        ...{ seed, messagesPerSecond, group, tell, kinds: each },
        seconds: secondsOf(120),
        layout: (values.layout ?? 'together') as Layout,
      }),
    ),
  rotation: () =>
    runDeliveryCampaign({
      ...{ seed, messagesPerSecond, group, tell, kinds },
      seconds: secondsOf(600),
      layout: (values.layout ?? 'apart') as Layout,
    }),
  'journal-storm': () =>
    runEach(kinds.length > 1 ? [...oneByOne, kinds] : oneByOne, (each) =>
      runJournalStorm({
        ...{ seed, tell, kinds: each, appendsPerSecond: messagesPerSecond },
        seconds: secondsOf(120),
      }),
    ),
  'journal-powercut': () =>
    runJournalPowercut({
      ...{ seed, tell, appendsPerSecond: messagesPerSecond },
      rounds: values.short ? 3 : 20,
    }),
  'journal-fulldisk': () =>
    runJournalFullDisk({
      ...{ seed, tell, appendsPerSecond: 4 * messagesPerSecond },
      fullMs: values.short ? 3000 : 10_000,
    }),
};

process.exit(await runCampaigns(positionals, CAMPAIGNS));
