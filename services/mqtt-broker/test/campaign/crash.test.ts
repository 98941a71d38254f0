import { expect, test } from 'vitest';
import { allHold, tableOf } from '@robustmq/campaign';
import { runCrashCampaign } from './crash-campaign.ts';

test('nothing acknowledged is lost, doubled or reordered when the broker is killed 20 times', async () => {
  const { figures, examples } = await runCrashCampaign({
    seed: 1,
    kills: 20,
    messagesPerSecond: 600,
    aliveMsMax: 1200,
  });
  console.log(tableOf('crash, the short form', figures));
  expect(examples).toEqual([]);
  expect(allHold(figures), tableOf('crash', figures)).toBe(true);
});
