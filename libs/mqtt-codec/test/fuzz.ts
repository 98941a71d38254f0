/**
 * Runs the fuzz campaign of the codec for each version and prints its figures.
 *
 * usage: node --conditions=source libs/mqtt-codec/test/fuzz.ts [INPUTS [SEED]]
 *
 * INPUTS  inputs per version, 1 000 000 unless given
 * SEED    0 to 2^32 - 1, 1 unless given
 *
 * Exit code 1 when an input broke a promise; the input is printed.
 */
import { runCampaign } from '../src/fuzz-campaign.fixture.ts';
import type { Figures } from '../src/fuzz-campaign.fixture.ts';

const inputs = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? 1);
if (!Number.isSafeInteger(inputs) || !Number.isSafeInteger(seed)) {
  console.error('usage: fuzz.ts [INPUTS [SEED]]');
  process.exit(2);
}

for (const version of [3, 4, 5] as const) {
  const startedMs = performance.now();
  const figures = runCampaign(version, inputs, seed);
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(describe(figures, seconds));
  for (const failure of figures.failures) console.log(`  FAILED ${failure}`);
  if (figures.failures.length > 0) process.exitCode = 1;
}

function describe(figures: Figures, seconds: number): string {
  return [
    `version ${figures.version}: seed ${seed}, ${figures.inputs} inputs in ${seconds.toFixed(1)} s`,
    `${figures.roundTrips} round trips, ${figures.mutated} damaged`,
    `${figures.accepted} accepted, ${figures.rejected} rejected, ${figures.noFrame} without a frame`,
    `slowest ${figures.slowestMs.toFixed(1)} ms`,
    `largest ${(figures.largestBytes / 1_048_576).toFixed(2)} MiB`,
    figures.failures.length === 0 ? 'no failure' : 'FAILED',
  ].join('; ');
}
