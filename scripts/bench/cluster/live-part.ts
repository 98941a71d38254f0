/** Live messages from one broker to another beside messages that stay on one. */

import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { medianOf } from '../judgement.ts';
import type { LoadFigures } from '../load-result.ts';
import type { BrokerGroup } from './broker-group.ts';
import { runMessages } from './message-load.ts';
import { digits } from '../digits.ts';
import { type ClusterRow, ownRow } from './part-result.ts';
import { startRobustmqCluster } from './robustmq-cluster.ts';

export interface PartTerms {
  /** An empty folder of the part's own. */
  readonly folder: string;
  /** Where the load generator was built. */
  readonly generator: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly say: (line: string) => void;
}

export interface PartFigures {
  readonly rows: readonly ClusterRow[];
  readonly notes: readonly string[];
}

const LOADS = [
  ['p2p, 64 pairs, 100 B, QoS 0', 'p2p -q 0 -p 64 -s 100'],
  ['p2p, 64 pairs, 100 B, QoS 1', 'p2p -q 1 -p 64 -s 100'],
  ['fan-out, 1 to 100, 100 B, QoS 0', 'fanout -q 0 -p 1 -c 100 -s 100'],
] as const;
const SHARE_GOAL = 0.6;
const WORKERS_GOAL = 1.7;

/** Publishers on one broker: subscribers on the same, then on another; both brokers share one core. */
export async function measureLive(terms: PartTerms): Promise<PartFigures> {
  const folder = mkdtempSync(join(terms.folder, 'live-'));
  const group = await startRobustmqCluster(folder, { brokers: 3, workers: 1, brokerCores: '0' });
  const rows: ClusterRow[] = [];
  try {
    const [first = '', second = ''] = group.brokers;
    for (const [scenario, options] of LOADS) {
      const single: LoadFigures[] = [];
      const cross: LoadFigures[] = [];
      for (let round = 0; round < terms.rounds; round += 1) {
        single.push(await load(terms, { group, options, from: first, to: first }));
        cross.push(await load(terms, { group, options, from: first, to: second }));
      }
      rows.push(...liveRows(scenario, single, cross));
      for (const row of rows.slice(-3)) terms.say(`${row.scenario}: ${row.figure} ${row.value}`);
    }
  } finally {
    await group.stop();
  }
  const notes = [
    'Live messages: the brokers share one core, the generator has the other. So messages/s on one broker ' +
      'and across two are both those of one core, and their ratio is the share that is left per broker core; ' +
      'CPU s/M is the processor time of all brokers per million delivered. Both brokers decode and route ' +
      'each message, which is most of what one costs on one broker: what the link itself adds is the smaller part.',
  ];
  return { rows, notes };
}

interface Between {
  readonly group: BrokerGroup;
  readonly options: string;
  readonly from: string;
  readonly to: string;
}

function load(terms: PartTerms, { group, options, from, to }: Between): Promise<LoadFigures> {
  return runMessages(terms.generator, {
    ...{ options, publishTo: [from], subscribeTo: [to] },
    ...{ pids: group.brokerPids.flat(), seconds: terms.seconds },
  });
}

function liveRows(
  scenario: string,
  single: readonly LoadFigures[],
  cross: readonly LoadFigures[],
): readonly ClusterRow[] {
  const cpu = { one: cpuOf(single), two: cpuOf(cross) };
  const pace = { one: middle(single, 'out_per_s'), two: middle(cross, 'out_per_s') };
  const share = cpu.one / cpu.two;
  return [
    ownRow({
      ...{ scenario, figure: 'messages/s: one broker, across two' },
      value: `${digits(pace.one)}, ${digits(pace.two)}`,
    }),
    ownRow({
      ...{ scenario, figure: 'CPU s/M: one broker, across two' },
      value: `${digits(cpu.one)}, ${digits(cpu.two)}`,
    }),
    ownRow({
      ...{ scenario, figure: 'across two, per broker core' },
      value: `${(share * 100).toFixed(0)} %`,
      ...{ goal: '≥ 60 %', isMet: share >= SHARE_GOAL },
    }),
  ];
}

/** The same load on a broker of one process and on one of two. */
export async function measureWorkers(terms: PartTerms): Promise<PartFigures> {
  const options = 'p2p -q 0 -p 200 -s 100';
  const one: number[] = [];
  const two: number[] = [];
  for (let round = 0; round < terms.rounds; round += 1) {
    for (const workers of [1, 2]) {
      const folder = mkdtempSync(join(terms.folder, 'workers-'));
      const shape = { brokers: 1, workers, brokerCores: '0' };
      const group = await startRobustmqCluster(folder, shape);
      try {
        const [broker = ''] = group.brokers;
        const figures = await load(terms, { group, options, from: broker, to: broker });
        const cpu = figures['srv_cpu_s_per_M_out'] ?? Number.NaN;
        (workers === 1 ? one : two).push(cpu);
        terms.say(`workers = ${workers}: ${digits(cpu)} CPU s/M`);
      } finally {
        await group.stop();
      }
    }
  }
  const cpu = { one: medianOf(one) ?? Number.NaN, two: medianOf(two) ?? Number.NaN };
  const room = (2 * cpu.one) / cpu.two;
  const scenario = 'workers, p2p, 200 pairs, 100 B, QoS 0';
  const rows = [
    ownRow({
      ...{ scenario, figure: 'CPU s/M: one process, two' },
      value: `${digits(cpu.one)}, ${digits(cpu.two)}`,
    }),
    ownRow({
      ...{ scenario, figure: 'load of two with a core each' },
      value: `${digits(room)}×`,
      ...{ goal: '≥ 1.7×', isMet: room >= WORKERS_GOAL },
    }),
  ];
  const notes = [
    'Workers: half of the pairs have their ends with different workers. The generator needs a core, so two ' +
      'workers share the other one, and what they would do with a core each is reckoned from the processor time ' +
      'of both: twice that of one process, divided by it. It supposes that the load splits evenly.',
  ];
  return { rows, notes };
}

function cpuOf(runs: readonly LoadFigures[]): number {
  return middle(runs, 'srv_cpu_s_per_M_out');
}

function middle(runs: readonly LoadFigures[], name: string): number {
  return medianOf(runs.map((run) => run[name] ?? Number.NaN)) ?? Number.NaN;
}
