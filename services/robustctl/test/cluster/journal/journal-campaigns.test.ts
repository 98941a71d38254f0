import { type CampaignResult, tableOf } from '@robustmq/campaign';
import { describe, expect, test, type TestContext } from 'vitest';
import { runJournalFullDisk } from './fulldisk-campaign.ts';
import { runJournalPowercut } from './powercut-campaign.ts';
import { runJournalStorm } from './storm-campaign.ts';

function tell(): void {}

/** Figures of time depend on the machine: here only what was promised must hold. */
const TIMES = /, ms$/;
const appendsPerSecond = 300;

function expectPromisesKept(
  { figures, examples }: CampaignResult,
  { task, skip }: TestContext,
): void {
  const [first] = figures;
  if (first?.name === 'SKIPPED') {
    console.warn(`SKIPPED: ${task.name}: ${first.value}`);
    skip(String(first.value));
    return;
  }
  const missed = figures.filter((figure) => !figure.holds && !TIMES.test(figure.name));
  expect(missed, `${tableOf(task.name, figures)}\n${examples.join('\n')}`).toEqual([]);
}

describe('the journal keeps its promises', () => {
  test('when hosts die and are cut off', async (context) => {
    const kinds = ['kill', 'isolate'] as const;
    const options = { seed: 1, seconds: 12, kinds, appendsPerSecond, tell };
    expectPromisesKept(await runJournalStorm(options), context);
  });

  test('when all hosts lose power at once', async (context) => {
    const options = { seed: 2, rounds: 2, appendsPerSecond, tell };
    expectPromisesKept(await runJournalPowercut(options), context);
  });

  test('when disks are full', async (context) => {
    const options = { seed: 3, fullMs: 2000, appendsPerSecond: 1200, tell };
    expectPromisesKept(await runJournalFullDisk(options), context);
  });
});
