import { describe, expect, test } from 'vitest';
import { allHold, tableOf, whyNoDiskTrace } from '@robustmq/campaign';
import { runPowercutCampaign } from './powercut-campaign.ts';

const impossible = whyNoDiskTrace();
if (impossible !== null) console.warn(`power cuts are not tested: ${impossible}`);

const SHORT = { seed: 1, messagesPerSecond: 300, aliveMsMax: 800 } as const;

describe.skipIf(impossible !== null)('a loss of power', () => {
  test('takes nothing that was acknowledged', async () => {
    const { figures, examples } = await runPowercutCampaign({
      ...SHORT,
      rounds: 6,
      acknowledge: 'sync',
    });
    expect(examples).toEqual([]);
    // The full number of rounds is for `make powercut`.
    const judged = figures.filter(({ name }) => name !== 'power cuts');
    expect(allHold(judged), tableOf('powercut', figures)).toBe(true);
  });

  test('is noticed by this campaign when a broker acknowledges before the flush', async () => {
    const { figures } = await runPowercutCampaign({ ...SHORT, rounds: 4, acknowledge: 'memory' });
    const lost = figures.find(({ name }) => name === 'lost');
    expect(lost?.holds, tableOf('powercut', figures)).toBe(false);
  });
});
