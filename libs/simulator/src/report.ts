/** The figures of simulations as text. */
import type { Figures } from './campaign.ts';
import type { SimulationResult } from './simulation.ts';

/** @param elapsedMs  on the wall; more than one process makes it less than the sum of their work */
export function describeFigures(figures: Figures, elapsedMs: number): string {
  const { seeds, violations, simulatedMs, cpuMs } = figures;
  const { committedEntries, operations, revisions, records, replayed } = figures;
  return [
    ...violations.map(
      ({ seed, message }) => `seed ${seed}: ${message}\n  replay: make sim SEED=${seed}`,
    ),
    'faults:',
    ...faultLines(figures),
    `${committedEntries} entries committed, ${operations} client operations, ${revisions} watched revisions, ${records} records appended`,
    `${replayed} seeds simulated twice, with the same trace`,
    `${seeds} seeds, ${violations.length} violations, ${seconds(simulatedMs)} simulated s in ` +
      `${seconds(elapsedMs)} s (${speed(simulatedMs, elapsedMs)} x real time, ` +
      `${speed(simulatedMs, cpuMs)} x on one core)`,
  ].join('\n');
}

export function describeProgress(figures: Figures, seedsWanted: number): string {
  const { seeds, violations, simulatedMs, cpuMs } = figures;
  return (
    `  ${seeds} of ${seedsWanted} seeds, ${violations.length} violations, ` +
    `${speed(simulatedMs, cpuMs)} x real time on one core`
  );
}

export function describeResult(result: SimulationResult): string {
  const { seed, violation, traceHash, simulatedMs, operations, committedEntries, nodes } = result;
  const verdict = violation === null ? 'ok' : violation.message;
  return (
    `seed ${seed}: ${verdict}; trace ${traceHash}, ${simulatedMs} ms, ${nodes} nodes, ` +
    `${committedEntries} entries, ${operations} operations, ${result.revisions} revisions, ${result.records} records`
  );
}

/** One row of the table of planted bugs. */
export function describeHunt(bug: string, { violations, seeds }: Figures): string {
  const [found] = violations;
  const verdict = found === undefined ? `NOT FOUND in ${seeds}` : `${found.invariant}`;
  return `| ${bug.padEnd(38)} | ${String(found === undefined ? '-' : seeds).padStart(5)} | ${verdict.padEnd(30)} |`;
}

export const HUNT_HEADING: string = [
  `| ${'planted bug'.padEnd(38)} | seeds | ${'noticed as'.padEnd(30)} |`,
  `| ${'-'.repeat(38)} | ----: | ${'-'.repeat(30)} |`,
].join('\n');

function faultLines({ faults }: Figures): readonly string[] {
  return Object.entries(faults)
    .toSorted(([, left], [, right]) => right - left)
    .map(([kind, count]) => `  ${kind.padEnd(24)} ${String(count).padStart(10)}`);
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(ms < 100_000 ? 1 : 0);
}

function speed(simulatedMs: number, cpuMs: number): string {
  return (simulatedMs / Math.max(cpuMs, 1)).toFixed(0);
}
