import { type CampaignResult, tableOf } from '@robustmq/campaign';
import { describe, expect, test, type TestContext } from 'vitest';
import { runBitFlipCampaign } from './bit-flip-campaign.ts';
import { runClockCampaign } from './clock-campaign.ts';
import { runLeaderCampaign } from './leader-campaign.ts';
import { runPowercutCampaign } from './powercut-campaign.ts';
import { runStormCampaign } from './storm-campaign.ts';

function tell(): void {}

/** Figures of time depend on the machine: here only what was promised must hold. */
const TIMES = /, ms$|after ms|elections/;

function expectPromisesKept(
  { figures, examples }: CampaignResult,
  { task, skip }: TestContext,
): void {
  const [first] = figures;
  if (first?.name === 'SKIPPED') {
    skip(String(first.value));
    return;
  }
  const missed = figures.filter((figure) => !figure.holds && !TIMES.test(figure.name));
  expect(missed, `${tableOf(task.name, figures)}\n${examples.join('\n')}`).toEqual([]);
}

describe('the placement center keeps its promises', () => {
  test('when its leader is killed again and again', async (context) => {
    expectPromisesKept(await runLeaderCampaign({ seed: 1, kills: 3, tell }), context);
  });

  test('when members hang and are cut off', async (context) => {
    const kinds = ['stop', 'cut', 'isolate'] as const;
    const options = { seed: 2, seconds: 25, kinds, load: 'few' as const, tell };
    expectPromisesKept(await runStormCampaign(options), context);
  });

  test('when all members lose power at once', async (context) => {
    expectPromisesKept(await runPowercutCampaign({ seed: 3, rounds: 3, tell }), context);
  });

  test('when clocks jump by an hour', async (context) => {
    expectPromisesKept(await runClockCampaign({ seed: 4, jumps: 3 }), context);
  });

  test('when a bit of one of its files is flipped', async (context) => {
    expectPromisesKept(await runBitFlipCampaign({ seed: 5, flipsPerKind: 1, tell }), context);
  });
});
