/** The section of docs/benchmarks.md about appends to journal servers. */

import { digits } from '../digits.ts';
import { medianOf } from '../judgement.ts';
import type { MachineFacts } from '../machine.ts';
import type { AppendFigures } from './append-load.ts';

export type StoreName = 'robustmq' | 'jetstream';

export interface AppendRun extends AppendFigures {
  readonly store: StoreName;
  readonly producers: number;
  /** Seconds of processor time of all servers per thousand records. */
  readonly cpuPerThousand: number;
}

export interface JournalBench {
  readonly runs: readonly AppendRun[];
  readonly machine: MachineFacts;
  readonly date: string;
  readonly seconds: number;
  readonly bodyBytes: number;
  readonly natsVersion: string;
  /** Whether NATS has an acknowledged record on disk. */
  readonly natsFlushes: boolean;
}

type Column = 'recordsPerSecond' | 'p50Ms' | 'p99Ms' | 'cpuPerThousand';

const COLUMNS: readonly (readonly [Column, string])[] = [
  ['recordsPerSecond', 'records/s'],
  ['p50Ms', 'p50, ms'],
  ['p99Ms', 'p99, ms'],
  ['cpuPerThousand', 'CPU of the servers, s per 1,000 records'],
];

export function tableOf({ runs, natsFlushes }: JournalBench): string {
  const theirs = natsFlushes ? 'JetStream' : 'JetStream, not flushed';
  const lines = [`| Producers | Figure | RobustMQ | ${theirs} | Ratio | Goal | Verdict |`];
  lines.push('| --- | --- | --- | --- | --- | --- | --- |');
  for (const producers of new Set(runs.map((run) => run.producers))) {
    for (const [column, name] of COLUMNS) {
      const figures = (['robustmq', 'jetstream'] as const).map((store) =>
        figureOf(runs, { store, producers, column }),
      );
      const [ours = Number.NaN, peers = Number.NaN] = figures;
      const cells = [producers, name, digits(ours), digits(peers), `${digits(ours / peers)}×`];
      lines.push(`| ${[...cells, ...verdictOf(column, ours / peers)].join(' | ')} |`);
    }
  }
  return lines.join('\n');
}

export function sectionText(bench: JournalBench): string {
  const { seconds, bodyBytes, natsVersion, natsFlushes, date } = bench;
  const unlike = natsFlushes
    ? 'Both have an acknowledged record on the disks of a majority.'
    : 'RobustMQ has an acknowledged record on the disks of a majority; this NATS, whose file store ' +
      'cannot flush with every write yet, has it in the memory of the system, where a loss of power takes it.';
  return [
    '## Journal servers beside NATS JetStream',
    `Written by \`make bench-journal\` on ${date}: three servers each on one machine, one shard or stream of ` +
      `three replicas in files, records of ${bodyBytes} bytes from producers that wait for each answer, ` +
      `${seconds} s a run after 2 s of warm-up, NATS ${natsVersion} and RobustMQ in turn. Medians of the runs.`,
    unlike,
    tableOf(bench),
    'The producers are in one Node.js process for both, which shares the two cores with the servers. Each ' +
      'record is an append of its own, with a producer of its own.',
    bench.machine.map(([name, text]) => `- ${name}: ${text}`).join('\n'),
  ].join('\n\n');
}

interface Wanted {
  readonly store: StoreName;
  readonly producers: number;
  readonly column: Column;
}

function figureOf(runs: readonly AppendRun[], { store, producers, column }: Wanted): number {
  const values = runs.filter((run) => run.store === store && run.producers === producers);
  return medianOf(values.map((run) => run[column])) ?? Number.NaN;
}

function verdictOf(column: Column, ratio: number): readonly string[] {
  if (column === 'recordsPerSecond') return ['≥ 1×', ratio >= 1 ? 'goal met' : 'missed'];
  if (column === 'p99Ms') return ['≤ 1×', ratio <= 1 ? 'goal met' : 'missed'];
  return ['–', ratio <= 1 ? 'ahead' : 'JetStream is ahead'];
}
