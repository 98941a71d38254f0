/** QoS 1 for persistent sessions on another broker than the publisher's, beside NATS and RabbitMQ. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { medianOf } from '../judgement.ts';
import type { LoadFigures } from '../load-result.ts';
import type { BrokerGroup, ProductName } from './broker-group.ts';
import type { PartFigures, PartTerms } from './live-part.ts';
import { runMessages } from './message-load.ts';
import { startNatsBrokers, whyNoNats } from './nats-brokers.ts';
import { digits } from '../digits.ts';
import type { ClusterRow } from './part-result.ts';
import { startRabbitmqBrokers, whyNoRabbitmq } from './rabbitmq-brokers.ts';
import { startRobustmqCluster } from './robustmq-cluster.ts';

interface DurableRun {
  readonly product: ProductName;
  readonly perSecond: number;
  readonly cpuPerMillion: number;
  /** At the fixed rate; null when the product fell behind it. */
  readonly p99Ms: number | null;
  /** What went wrong; empty for ours, or there is no figure. */
  readonly faults: string;
}

const PAIRS = 64;
const RATE = 1000;
/** NATS makes three replicas for each session: not all of them at once. */
const FULL = `p2p -q 1 -p ${PAIRS} -s 100 --persist --shift 1 --parallel 4`;
/** What a product that falls behind still has to send after the window counts against it. */
const FIXED = `${FULL} -r ${RATE}`;

/** Those that are installed. */
function products(): readonly ProductName[] {
  const missing: Readonly<Record<ProductName, string | null>> = {
    ...{ robustmq: null, nats: whyNoNats(), rabbitmq: whyNoRabbitmq() },
  };
  return (['nats', 'rabbitmq', 'robustmq'] as const).filter((name) => {
    if (missing[name] !== null) console.log(missing[name]);
    return missing[name] === null;
  });
}

function start(product: ProductName, folder: string): Promise<BrokerGroup> {
  if (product === 'nats') return startNatsBrokers(folder);
  if (product === 'rabbitmq') return startRabbitmqBrokers(folder);
  return startRobustmqCluster(folder, { brokers: 3, workers: 1, brokerCores: null });
}

/** NATS, RabbitMQ, RobustMQ, NATS, …: neighbours share the machine's mood. */
export async function measureDurable(terms: PartTerms): Promise<PartFigures> {
  const runs: DurableRun[] = [];
  for (let round = 0; round < terms.rounds; round += 1) {
    for (const product of products()) {
      const run = await measureOnce(product, terms);
      const { perSecond, p99Ms, cpuPerMillion, faults } = run;
      const p99 = p99Ms === null ? 'behind' : digits(p99Ms);
      const rates = `${digits(perSecond)}/s, p99 ${p99} ms, ${digits(cpuPerMillion)} CPU s/M`;
      terms.say(`${product}: ${rates}${faults === '' ? '' : ` (${faults})`}`);
      runs.push(run);
    }
  }
  return { rows: rowsOf(runs), notes: notesOf(runs) };
}

async function measureOnce(product: ProductName, terms: PartTerms): Promise<DurableRun> {
  const folder = mkdtempSync(join(terms.folder, `${product}-`));
  const group = await start(product, folder);
  const faults: string[] = [];
  const run = (options: string): Promise<LoadFigures> =>
    runMessages(terms.generator, {
      ...{ options, publishTo: group.brokers, subscribeTo: group.brokers },
      ...{ pids: group.pids, seconds: terms.seconds },
      ...(product === 'robustmq' ? {} : { faulty: (text: string) => faults.push(text) }),
    });
  try {
    const full = await run(FULL);
    const fixed = await run(FIXED);
    const kept = (fixed['out_per_s'] ?? 0) >= RATE * 0.95;
    return {
      product,
      perSecond: full['out_per_s'] ?? Number.NaN,
      cpuPerMillion: full['srv_cpu_s_per_M_out'] ?? Number.NaN,
      p99Ms: kept ? (fixed['lat_us.p99'] ?? Number.NaN) / 1000 : null,
      faults: faults.join('; '),
    };
  } finally {
    await group.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function rowsOf(runs: readonly DurableRun[]): readonly ClusterRow[] {
  const scenario = `durable QoS 1 to another broker, ${PAIRS} pairs, 100 B`;
  const figure = (product: ProductName, of: (run: DurableRun) => number | null): number | null =>
    medianOf(runs.filter((run) => run.product === product).map((run) => of(run) ?? Infinity));
  const text = (value: number | null): string => {
    if (value === null) return '';
    return value === Infinity ? 'behind' : digits(value);
  };
  const row = (
    name: string,
    of: (run: DurableRun) => number | null,
    better: 'more' | 'less' | null,
  ): ClusterRow => {
    const [ours, nats, rabbitmq] = (['robustmq', 'nats', 'rabbitmq'] as const).map((product) =>
      figure(product, of),
    );
    const others = [nats, rabbitmq].filter((value) => typeof value === 'number');
    const isAhead = others.every((value) =>
      better === 'more' ? (ours ?? 0) > value : (ours ?? Infinity) < value,
    );
    return {
      ...{ scenario, figure: name, value: text(ours ?? null) },
      ...{ nats: text(nats ?? null), rabbitmq: text(rabbitmq ?? null) },
      goal: better === null ? '–' : 'ahead of both',
      isMet: better === null || others.length < 2 ? null : isAhead,
    };
  };
  return [
    row('messages/s', ({ perSecond }) => perSecond, 'more'),
    row(`p99 at ${digits(RATE)}/s, ms`, ({ p99Ms }) => p99Ms, 'less'),
    row('CPU s/M, all processes', ({ cpuPerMillion }) => cpuPerMillion, null),
  ];
}

function notesOf(runs: readonly DurableRun[]): readonly string[] {
  const measured = new Set(runs.map(({ product }) => product));
  const notes = [
    'Durable: each product has three brokers and both cores, shared with the generator. RobustMQ acknowledges ' +
      'when a majority of three journal servers has the message on disk (fdatasync).',
  ];
  if (measured.has('nats')) {
    notes.push(
      `NATS ${versionOf('/usr/sbin/nats-server', /v(\d\S*)/)}: streams of three replicas. Before 2.10 there is ` +
        'no sync before the acknowledgement: files are synced every two minutes, so a loss of power loses ' +
        'what was acknowledged. Its guarantee is weaker than ours.',
    );
  }
  if (measured.has('rabbitmq')) {
    notes.push(
      'RabbitMQ of Debian: a quorum queue of three replicas for each session, each synced before it confirms.',
    );
  }
  for (const { product, faults } of runs) {
    if (faults !== '') notes.push(`A run of ${product} had faults: ${faults}.`);
  }
  return notes;
}

function versionOf(program: string, pattern: RegExp): string {
  return pattern.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[1] ?? '';
}
