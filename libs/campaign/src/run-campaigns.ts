import { allHold, type Figure, tableOf } from './figures.ts';

/** What a campaign has to say. */
export interface CampaignResult {
  readonly figures: readonly Figure[];
  /** What went wrong, in words; the first few in full. */
  readonly examples: readonly string[];
}

/**
 * Runs campaigns by name, one after the other, and prints their figures.
 *
 * @returns the exit code: 0; 1 when a figure was missed; 2 when there is no campaign of a name
 */
export async function runCampaigns(
  names: readonly string[],
  campaigns: Readonly<Record<string, () => Promise<CampaignResult>>>,
): Promise<number> {
  let exitCode = 0;
  for (const name of names.length === 0 ? [''] : names) {
    const campaign = campaigns[name];
    if (campaign === undefined) {
      console.error(`no campaign is called "${name}": ${Object.keys(campaigns).join(', ')}`);
      return 2;
    }
    const { figures, examples } = await campaign();
    console.log(tableOf(name, figures));
    for (const example of examples) console.log(`  ! ${example}`);
    if (!allHold(figures)) exitCode = 1;
  }
  return exitCode;
}
