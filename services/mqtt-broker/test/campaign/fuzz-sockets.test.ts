import { expect, test } from 'vitest';
import { allHold, tableOf } from '@robustmq/campaign';
import { runFuzzSocketsCampaign } from './fuzz-sockets-campaign.ts';

test('the broker outlives damaged packets on real connections', async () => {
  const { figures, examples } = await runFuzzSocketsCampaign({ seed: 1, packets: 5000 });
  expect(examples).toEqual([]);
  expect(allHold(figures), tableOf('fuzz-sockets', figures)).toBe(true);
});
