/** The table for the terminal, and the page docs/benchmarks.md. */

import { isBehind, isLoss, type Row, rowOf } from './judgement.ts';
import { KNOWN_LOSSES, NO_REASON } from './known-losses.ts';
import { faultsOf, isGeneratorBound, type Measurement } from './load-result.ts';
import type { MachineFacts } from './machine.ts';
import { type Bound, SCENARIOS, type Unit } from './yardstick.ts';

/** All that a page is made of; kept as JSON, so that a page can be written again. */
export interface BenchRun {
  /** ISO 8601, day only. */
  readonly date: string;
  readonly command: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly machine: MachineFacts;
  readonly measurements: readonly Measurement[];
}

const HEADINGS = [
  ...['Scenario', 'Figure', 'RobustMQ', 'Mosquitto', 'Ratio', 'CPU s/M', 'CPU s/M Mosquitto'],
  ...['Lost/dup/reordered', 'Floor', 'Goal', 'Verdict'],
];
const NOTHING = '–';

/** One row per yardstick of every scenario that ran. */
export function rowsOf({ measurements }: BenchRun): readonly Row[] {
  const ran = new Set(measurements.map((each) => each.scenario));
  return SCENARIOS.filter((each) => ran.has(each.name)).flatMap((each) =>
    each.yardsticks.map((yardstick) => rowOf(yardstick, measurements)),
  );
}

/** Columns aligned with spaces. */
export function tableText(rows: readonly Row[]): string {
  const lines = [HEADINGS, ...rows.map(cellsOf)];
  const widths = HEADINGS.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function pageText(run: BenchRun): string {
  const rows = rowsOf(run);
  const table = [HEADINGS, HEADINGS.map(() => '---'), ...rows.map(cellsOf)];
  return (
    [
      '# Benchmarks',
      `Written by \`make bench\`; edit \`scripts/bench/\`, not this page.`,
      summaryOf(rows),
      ...leftOut(run),
      '## Table',
      table.map((cells) => `| ${cells.join(' | ')} |`).join('\n'),
      ...remarksOf(run),
      '## Where we lose, and why',
      lossesText(rows),
      '## What it was measured on',
      [
        ...run.machine.map(([name, text]) => `- ${name}: ${text}`),
        `- Date: ${run.date}`,
        `- Command: \`${run.command}\` (${run.rounds} × Mosquitto, RobustMQ in turn; ${run.seconds} s each)`,
      ].join('\n'),
      '## How to read it',
      HOW_TO_READ,
    ].join('\n\n') + '\n'
  );
}

function cellsOf(row: Row): readonly string[] {
  const { yardstick, losses } = row;
  const { unit } = yardstick;
  return [
    ...[yardstick.scenario, yardstick.what],
    ...[figureText(row.ours, unit), figureText(row.theirs, unit), ratioText(row.ratio)],
    ...[figureText(row.ourCpu, 'CPU s/M'), figureText(row.theirCpu, 'CPU s/M')],
    losses.join('/'),
    ...[boundText(row, yardstick.floor), boundText(row, yardstick.goal)],
    row.verdict,
  ];
}

function boundText({ yardstick }: Row, bound: Bound | null): string {
  if (bound === null) return NOTHING;
  const sign = yardstick.better === 'more' ? '≥' : '≤';
  const limit = bound.of === 'ratio' ? `${bound.limit}×` : figureText(bound.limit, yardstick.unit);
  return `${sign} ${limit}`;
}

/** Three digits that count: `1.27 M/s`, `96.1 K/s`, `0.35`, `3.9 KiB`. */
export function figureText(figure: number | null, unit: Unit): string {
  if (figure === null) return NOTHING;
  if (unit === '/s') {
    if (figure >= 999_500) return `${digits(figure / 1e6)} M/s`;
    return figure >= 1000 ? `${digits(figure / 1000)} K/s` : `${digits(figure)}/s`;
  }
  if (unit === 'CPU s/M') return digits(figure);
  if (unit === '%') return `${figure.toFixed(1)} %`;
  return unit === 'B' ? `${figure.toFixed(0)} B` : `${digits(figure)} ms`;
}

export function ratioText(ratio: number | null): string {
  return ratio === null ? NOTHING : `${digits(ratio)}×`;
}

function digits(figure: number): string {
  const size = Math.abs(figure);
  return figure.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3);
}

function summaryOf(rows: readonly Row[]): string {
  const judged = rows.filter((row) => row.verdict !== 'no goal set');
  const count = (test: (row: Row) => boolean): number => judged.filter(test).length;
  const goals = count((row) => row.yardstick.goal !== null);
  const met = count((row) => row.verdict === 'goal met');
  const below = count((row) => row.verdict === 'below floor');
  const unknown = count((row) => row.verdict === 'invalid' || row.verdict === 'not comparable');
  const doubt = unknown === 0 ? '' : `; ${unknown} without a valid comparison`;
  return `${met} of ${goals} goals met; ${below} figures below their floor${doubt}.`;
}

/** A part of the scenarios must not pass for the whole. */
function leftOut({ measurements }: BenchRun): readonly string[] {
  const ran = new Set(measurements.map((each) => each.scenario));
  const missing = SCENARIOS.map((each) => each.name).filter((name) => !ran.has(name));
  return missing.length === 0 ? [] : [`**A partial run.** Not measured: ${missing.join(', ')}.`];
}

/** Invalid runs and runs that the generator limited, one line each. */
function remarksOf({ measurements }: BenchRun): readonly string[] {
  const lines = measurements.flatMap((each) => {
    const faults = faultsOf(each);
    const which = `${each.scenario}, ${each.broker}, round ${each.round + 1}`;
    if (faults !== '') return [`- ${which}: invalid (${faults})`];
    return isGeneratorBound(each) ? [`- ${which}: the generator's core was the limit`] : [];
  });
  return lines.length === 0 ? [] : [lines.join('\n')];
}

function lossesText(rows: readonly Row[]): string {
  const lines = rows.filter(isLoss).map((row) => {
    const { id } = row.yardstick;
    return `- **${id}**: ${shortfallOf(row)}. ${KNOWN_LOSSES[id] ?? NO_REASON}`;
  });
  return lines.length === 0 ? 'Nowhere in this run.' : lines.join('\n');
}

function shortfallOf(row: Row): string {
  const { yardstick, verdict } = row;
  const figures = [figureText(row.ours, yardstick.unit)];
  if (row.ratio !== null) figures.push(`${ratioText(row.ratio)} of Mosquitto's`);
  if (verdict === 'goal met' || verdict === 'no goal set') {
    return `${figures.join(', ')}: ${verdict}, and Mosquitto is ahead`;
  }
  const behind = isBehind(row) ? ', and Mosquitto is ahead' : '';
  if (yardstick.goal === null) {
    return `${figures.join(', ')}: ${verdict} (${boundText(row, yardstick.floor)})${behind}`;
  }
  return `${figures.join(', ')}: ${verdict}; the goal is ${boundText(row, yardstick.goal)}${behind}`;
}

const HOW_TO_READ = `Absolute figures move by tens of per cent between machines and hours; the **ratio** to a peer measured
a minute earlier on the same core moves little. Each broker runs on core 0, the generator on core 1.
Every run starts a fresh process: the generator's first second is not counted, and neither is the start
of the broker, of which RobustMQ spends a second on running its own code (\`warm_up_ms\`).
Figures are medians of the runs, ratios medians over the pairs of a round.

RobustMQ is the whole product as \`robustctl standalone start\` runs it: sessions, limits, metrics, logs
and the segment journal, where a durable message is acknowledged after the fdatasync. Mosquitto is
Debian's, with everything in memory and its queue limits raised; its figures for persistent sessions
are memory figures.

- **CPU s/M** is seconds of processor time per million delivered messages: the fair figure when
  something else uses the machine, and the only one for lockstep, where both sides pay for every
  message with system calls.
- **Lost/dup/reordered** sums up all our runs. A run with any of them, a refused connection or a stall
  is invalid and counts for nothing; one such run of ours makes the row invalid.
- **Floor** must hold in every release; **goal** is what we publish. \`×\` is a multiple of Mosquitto's
  figure, anything else is our own figure.
- *delivered* counts what subscribers receive; with 500 subscribers one publish is delivered 500 times.
  *memory* is growth of the process's resident memory; kernel sockets are not in it.`;
