/** The fuzz campaign as part of `make fuzz`; `test/fuzz.ts` runs it with any length and seed. */
import { expect, test } from 'vitest';
import { runCampaign } from './fuzz-campaign.fixture.ts';

const INPUTS = 1_000_000;

for (const version of [3, 4, 5] as const) {
  test(`${INPUTS} packets of version ${version}, half of them damaged, break no promise`, () => {
    const figures = runCampaign(version, INPUTS, 1);
    expect(figures.failures).toEqual([]);
    expect(figures.inputs).toBeGreaterThanOrEqual(INPUTS);
  });
}
