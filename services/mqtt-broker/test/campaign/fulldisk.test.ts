import { expect, test } from 'vitest';
import { allHold, tableOf } from '@robustmq/campaign';
import { runFullDiskCampaign, whyNoSmallDisk } from './fulldisk-campaign.ts';

const impossible = whyNoSmallDisk();
if (impossible !== null) console.warn(`a full disk is not tested: ${impossible}`);

test.skipIf(impossible !== null)(
  'a full disk refuses durable messages, loses none, and takes them again when there is room',
  async () => {
    const { figures, examples } = await runFullDiskCampaign({
      ...{ seed: 1, messagesPerSecond: 500, fillerBytesMax: 16_000 },
    });
    expect(examples).toEqual([]);
    expect(allHold(figures), tableOf('fulldisk', figures)).toBe(true);
  },
);
