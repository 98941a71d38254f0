/**
 * Runs the campaigns of the placement center and prints their figures; exit code 1 when one is missed.
 *
 * usage: node --conditions=source main.ts CAMPAIGN... [--seed N] [--seconds N] [--faults A,B] [--short]
 *
 * `linearizability` is ten minutes of all faults, `storm` each kind of fault by itself, `leader` kills
 * the leader again and again, `powercut` takes away what was not flushed, `bitflip` damages files, `clocks` makes them
 * jump, `size` fills the store with a million keys, `crowd` brings ten thousand watches and leases.
 */
import { parseArgs } from 'node:util';
import {
  type CampaignResult,
  FAULT_KINDS,
  type FaultKind,
  runCampaigns,
  tableOf,
} from '@robustmq/campaign';
import { runBitFlipCampaign } from './bit-flip-campaign.ts';
import { runClockCampaign } from './clock-campaign.ts';
import { runCrowdCampaign } from './crowd-campaign.ts';
import { runLeaderCampaign } from './leader-campaign.ts';
import { runPowercutCampaign } from './powercut-campaign.ts';
import { runSizeCampaign } from './size-campaign.ts';
import { runStormCampaign } from './storm-campaign.ts';

interface Wishes {
  readonly seed: number;
  readonly seconds: number | null;
  readonly short: boolean;
  readonly faults: readonly FaultKind[] | null;
}

/** To the error output, so that the figures can be kept by themselves. */
function tell(progress: string): void {
  console.error(`  ${new Date().toISOString().slice(11, 19)} ${progress}`);
}

const CAMPAIGNS: Readonly<Record<string, (wishes: Wishes) => Promise<CampaignResult>>> = {
  linearizability: ({ seed, seconds, short, faults }) =>
    runStormCampaign({
      ...{ seed, kinds: faults ?? FAULT_KINDS, load: 'many', tell },
      seconds: seconds ?? (short ? 30 : 600),
    }),
  storm: runEachFault,
  leader: ({ seed, short }) => runLeaderCampaign({ seed, kills: short ? 3 : 60, tell }),
  powercut: ({ seed, short }) => runPowercutCampaign({ seed, rounds: short ? 3 : 20, tell }),
  bitflip: ({ seed, short }) => runBitFlipCampaign({ seed, flipsPerKind: short ? 2 : 8, tell }),
  size: ({ short }) => runSizeCampaign({ keys: short ? 20_000 : 1_000_000, valueBytes: 100 }),
  crowd: ({ short }) =>
    runCrowdCampaign({
      ...{ watches: short ? 500 : 10_000, leases: short ? 500 : 10_000 },
      seconds: short ? 5 : 60,
    }),
  clocks: ({ seed, short }) => runClockCampaign({ seed, jumps: short ? 4 : 30 }),
};

/** Each kind of fault by itself: its figures stand one below the other. */
async function runEachFault({ seed, seconds, short, faults }: Wishes): Promise<CampaignResult> {
  const results: CampaignResult[] = [];
  for (const kind of faults ?? FAULT_KINDS) {
    const spent = seconds ?? (short ? 20 : 120);
    const result = await runStormCampaign({
      seed,
      seconds: spent,
      kinds: [kind],
      load: 'few',
      tell,
    });
    console.log(tableOf(kind, result.figures));
    results.push(result);
  }
  return { figures: [], examples: results.flatMap((result) => result.examples) };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    seconds: { type: 'string' },
    faults: { type: 'string' },
    short: { type: 'boolean', default: false },
  },
});
const wishes: Wishes = {
  seed: Number(values.seed),
  seconds: values.seconds === undefined ? null : Number(values.seconds),
  short: values.short,
  faults: (values.faults?.split(',') as readonly FaultKind[] | undefined) ?? null,
};
const chosen = Object.entries(CAMPAIGNS).map(([name, run]) => [name, () => run(wishes)] as const);
process.exit(await runCampaigns(positionals, Object.fromEntries(chosen)));
