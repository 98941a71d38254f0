import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunParagraph, runScenario } from './scenario.ts';

/** Names of the scenario files in a directory, without `.txt`, ascending. */
export function scenarioFilesIn(directory: string): readonly string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.txt'))
    .map((name) => name.slice(0, -'.txt'.length))
    .toSorted();
}

/**
 * Runs one scenario file; with the environment variable `GOLDEN=1` rewrites it instead of failing.
 *
 * @returns what differs, one text per paragraph; empty when all is as expected
 */
export function checkScenarioFile(
  directory: string,
  name: string,
  run: RunParagraph,
): readonly string[] {
  const path = join(directory, `${name}.txt`);
  const text = readFileSync(path, 'utf8');
  const { rewritten, mismatches } = runScenario(text, run);
  if (process.env['GOLDEN'] !== '1') return mismatches;
  if (rewritten !== text) writeFileSync(path, rewritten);
  return [];
}
