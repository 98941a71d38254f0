import { expect, test } from 'vitest';
import { allHold, tableOf } from '@robustmq/campaign';
import { runBitFlipCampaign } from './bit-flip-campaign.ts';

test('a flipped bit is found in every kind of file, and never served', async () => {
  const { figures, examples } = await runBitFlipCampaign({ seed: 1, flipsPerKind: 1 });
  expect(examples).toEqual([]);
  expect(allHold(figures), tableOf('bitflip', figures)).toBe(true);
}, 600_000);
