import { expect, test } from 'vitest';
import { allHold, tableOf } from '@robustmq/campaign';
import { runOverloadCampaign } from './overload-campaign.ts';

test('stalled readers, too many messages and too many clients at once end nobody', async () => {
  const { figures } = await runOverloadCampaign({
    ...{ stalledSeconds: 2, overloadSeconds: 6, connects: 2000, tell: () => undefined },
  });
  // Latencies are judged by `make overload`: here other tests may have the machine.
  const judged = figures.filter(({ name }) => !/\bms\b/.test(name));
  expect(allHold(judged), tableOf('overload', figures)).toBe(true);
});
