/** The section of docs/benchmarks.md about the placement center. */

import { digits } from '../digits.ts';
import { medianOf } from '../judgement.ts';
import type { MachineFacts } from '../machine.ts';
import type { PutFigures } from './put-load.ts';
import type { StoreName } from './store-group.ts';

export interface PutRun extends PutFigures {
  readonly store: StoreName;
  readonly clients: number;
  readonly round: number;
  /** Seconds of processor time of all three members per thousand puts. */
  readonly cpuPerThousand: number;
  /** Of the largest member. */
  readonly residentMegabytes: number;
}

export interface PlacementBench {
  readonly runs: readonly PutRun[];
  readonly machine: MachineFacts;
  readonly date: string;
  readonly seconds: number;
  readonly valueBytes: number;
  readonly etcdVersion: string;
}

type Column = 'putsPerSecond' | 'p50Ms' | 'p99Ms' | 'cpuPerThousand' | 'residentMegabytes';

/** What is printed, and whether more of it is better. */
const COLUMNS: readonly (readonly [Column, string, 'more' | 'less'])[] = [
  ['putsPerSecond', 'puts/s', 'more'],
  ['p50Ms', 'p50, ms', 'less'],
  ['p99Ms', 'p99, ms', 'less'],
  ['cpuPerThousand', 'CPU of the group, s per 1,000 puts', 'less'],
  ['residentMegabytes', 'memory of the largest member, MB', 'less'],
];

export function tableOf({ runs }: PlacementBench): string {
  const lines = ['| Clients | Figure | RobustMQ | etcd | Ratio | Goal | Verdict |'];
  lines.push('| --- | --- | --- | --- | --- | --- | --- |');
  for (const clients of new Set(runs.map((run) => run.clients))) {
    for (const [column, name, better] of COLUMNS) {
      const ours = figureOf(runs, { store: 'robustmq', clients, column });
      const theirs = figureOf(runs, { store: 'etcd', clients, column });
      const ratio = ours / theirs;
      const cells = [clients, name, digits(ours), digits(theirs), `${digits(ratio)}×`];
      lines.push(`| ${[...cells, ...verdictOf(column, better, ratio)].join(' | ')} |`);
    }
  }
  return lines.join('\n');
}

export function sectionText(bench: PlacementBench): string {
  const failures = bench.runs.reduce((sum, run) => sum + run.failures, 0);
  const bound = bench.runs.filter((run) => run.generatorCpu > 0.9);
  return [
    '## Placement center beside etcd',
    `Written by \`make bench-placement\` on ${bench.date}: three members each on one machine, fsync on, ` +
      `puts of ${bench.valueBytes} bytes by clients that wait for each answer, ${bench.seconds} s a run, ` +
      `etcd ${bench.etcdVersion} and RobustMQ in turn. Medians of the runs; failed puts: ${failures}.`,
    tableOf(bench),
    'The generator is one Node.js process for both and shares the two cores with the three members. For ' +
      'etcd it speaks bare HTTP/2 with one call per put, the cheapest that etcd offers; for RobustMQ it ' +
      'is the client library, whose puts share a stream. ' +
      (bound.length === 0
        ? 'It was never short of processor time.'
        : `It used a whole core in ${bound.length} of ${bench.runs.length} runs, so these are lower bounds: ` +
          `${[...new Set(bound.map((run) => `${run.store} with ${run.clients} clients`))].join(', ')}.`),
    bench.machine.map(([name, text]) => `- ${name}: ${text}`).join('\n'),
  ].join('\n\n');
}

interface Wanted {
  readonly store: StoreName;
  readonly clients: number;
  readonly column: Column;
}

function figureOf(runs: readonly PutRun[], { store, clients, column }: Wanted): number {
  const values = runs.filter((run) => run.store === store && run.clients === clients);
  return medianOf(values.map((run) => run[column])) ?? Number.NaN;
}

function verdictOf(column: Column, better: 'more' | 'less', ratio: number): readonly string[] {
  if (column === 'putsPerSecond') {
    if (ratio >= 2) return ['≥ 1×, wish 2×', 'wish met'];
    return ['≥ 1×, wish 2×', ratio >= 1 ? 'goal met' : 'missed'];
  }
  if (column === 'p99Ms') return ['≤ 1×', ratio <= 1 ? 'goal met' : 'missed'];
  const isBehind = better === 'more' ? ratio < 1 : ratio > 1;
  return ['–', isBehind ? 'etcd is ahead' : 'ahead'];
}
