/**
 * Runs reliability campaigns and prints their figures; exit code 1 when one of them is missed.
 *
 * usage: node --conditions=source main.ts CAMPAIGN... [--seed N] [--kills N] [--short]
 *
 * `crash` kills, `powercut` takes away what was not flushed, `bitflip` damages files, `fulldisk`
 * fills a small disk (as root, on Linux), `overload` is more than the broker can do, `fuzz-sockets`
 * sends damaged packets. `--short` is for trying them out.
 */
import { parseArgs } from 'node:util';
import { type CampaignResult, runCampaigns } from '@robustmq/campaign';
import { runBitFlipCampaign } from './bit-flip-campaign.ts';
import { runCrashCampaign } from './crash-campaign.ts';
import { runFullDiskCampaign } from './fulldisk-campaign.ts';
import { runFuzzSocketsCampaign } from './fuzz-sockets-campaign.ts';
import { runOverloadCampaign } from './overload-campaign.ts';
import { runPowercutCampaign } from './powercut-campaign.ts';

interface Wishes {
  readonly seed: number;
  readonly kills: number;
  readonly short: boolean;
}

const CAMPAIGNS: Readonly<Record<string, (wishes: Wishes) => Promise<CampaignResult>>> = {
  crash: ({ seed, kills }) =>
    runCrashCampaign({ seed, kills, messagesPerSecond: 1000, aliveMsMax: 2000 }),
  powercut: ({ seed }) =>
    runPowercutCampaign({
      ...{ seed, rounds: 20, messagesPerSecond: 500, aliveMsMax: 2000 },
      acknowledge: 'sync',
    }),
  bitflip: ({ seed, short }) => runBitFlipCampaign({ seed, flipsPerKind: short ? 2 : 6 }),
  fulldisk: ({ seed }) =>
    runFullDiskCampaign({ seed, messagesPerSecond: 500, fillerBytesMax: 16_000 }),
  'fuzz-sockets': ({ seed, short }) =>
    runFuzzSocketsCampaign({ seed, packets: short ? 5000 : 200_000 }),
  overload: ({ short }) =>
    runOverloadCampaign({
      stalledSeconds: short ? 5 : 20,
      overloadSeconds: short ? 20 : 300,
      connects: 10_000,
      tell: (progress) => console.error(`  ${progress}`),
    }),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    kills: { type: 'string', default: '40' },
    short: { type: 'boolean', default: false },
  },
});
const wishes = {
  seed: Number(values.seed),
  kills: Number(values.kills),
  short: values.short,
};
const chosen = Object.entries(CAMPAIGNS).map(([name, run]) => [name, () => run(wishes)] as const);
process.exit(await runCampaigns(positionals, Object.fromEntries(chosen)));
