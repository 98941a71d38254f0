/**
 * Runs campaigns against a whole cluster and prints their figures; exit code 1 when one is missed.
 *
 * usage: node --conditions=source main.ts [delivery] [--seed N] [--seconds N] [--faults A,B]
 *                                          [--layout together|apart] [--rate N] [--short]
 *                                          [--without-group]
 *
 * `delivery` is each kind of fault by itself, 120 s each, beside a delivery ledger; `rotation` is all of
 * them in turn for ten minutes over nine hosts.
 */
import { parseArgs } from 'node:util';
import {
  type CampaignResult,
  FAULT_KINDS,
  type FaultKind,
  runCampaigns,
  tableOf,
} from '@robustmq/campaign';
import { runDeliveryCampaign } from './delivery-campaign.ts';
import type { Layout } from './test-cluster.ts';

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
    short: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const messagesPerSecond = Number(values.rate);
const group = values['without-group'] ? 'without' : 'with';
const kinds = (values.faults?.split(',') as readonly FaultKind[] | undefined) ?? FAULT_KINDS;
const secondsOf = (whole: number): number =>
  values.seconds === undefined ? (values.short ? 30 : whole) : Number(values.seconds);

/** Each kind of fault by itself: its figures stand one below the other. */
async function runEachFault(): Promise<CampaignResult> {
  const layout = (values.layout ?? 'together') as Layout;
  const results: CampaignResult[] = [];
  for (const kind of kinds) {
    const result = await runDeliveryCampaign({
      ...{ seed, messagesPerSecond, group, layout, tell },
      seconds: secondsOf(120),
      kinds: [kind],
    });
    console.log(tableOf(kind, result.figures));
    results.push(result);
  }
  return {
    figures: results.flatMap((result) => result.figures),
    examples: results.flatMap((result) => result.examples),
  };
}

const CAMPAIGNS: Readonly<Record<string, () => Promise<CampaignResult>>> = {
  delivery: runEachFault,
  rotation: () =>
    runDeliveryCampaign({
      ...{ seed, messagesPerSecond, group, tell, kinds },
      seconds: secondsOf(600),
      layout: (values.layout ?? 'apart') as Layout,
    }),
};

process.exit(await runCampaigns(positionals, CAMPAIGNS));
