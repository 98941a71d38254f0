/** Measures appends to three journal servers beside three NATS servers with JetStream, and writes a section of docs/benchmarks.md. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { whyNoNatsCluster } from '@robustmq/store-servers';
import { machineFacts } from '../machine.ts';
import { replaceSection } from '../page-section.ts';
import { cpuSecondsOf } from '../placement/store-group.ts';
import { type AppendTarget, measureAppends, WARM_UP_SECONDS } from './append-load.ts';
import { flushesEachWrite, natsVersion, startJetStream } from './jetstream.ts';
import { startJournalServers } from './journal-servers.ts';
import {
  type AppendRun,
  type JournalBench,
  sectionText,
  type StoreName,
  tableOf,
} from './report.ts';

const USAGE = `usage: node scripts/bench-journal.ts [options]     make bench-journal ARGS='--seconds 2'

  --rounds N        runs of each per number of producers, in turn (3)
  --seconds S       the measured window of each run (5)
  --producers A,B   numbers of producers (64,512)
  --only NAME       robustmq or jetstream; implies --no-page
  --no-page         only print the table

Producers append records of 1 KiB one after the other to one shard, or stream, of three replicas on
this machine; each record of RobustMQ is on disk on a majority before it is acknowledged, each of NATS from 2.10 on.
Without nats-server only RobustMQ is measured, and the page stays as it is.`;

const BODY_BYTES = 1024;
const root = new URL('../../..', import.meta.url).pathname;
const page = join(root, 'docs/benchmarks.md');

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    producers: { type: 'string', default: '64,512' },
    only: { type: 'string' },
    'no-page': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  if (options.help) return console.log(USAGE);
  const missing = whyNoNatsCluster();
  if (missing !== null) console.log(missing);
  const cache = join(root, '.cache/bench');
  mkdirSync(cache, { recursive: true });
  const data = mkdtempSync(join(cache, 'journal-'));
  try {
    const machine = machineFacts(root, data).filter(([name]) => name !== 'Mosquitto');
    const stores = (['jetstream', 'robustmq'] as const).filter(
      (store) => options.only === undefined || options.only === store,
    );
    const measured = missing === null ? stores : (['robustmq'] as const);
    const bench: JournalBench = {
      runs: await measureAll(data, measured),
      ...{ machine, seconds: Number(options.seconds), bodyBytes: BODY_BYTES },
      date: new Date().toISOString().slice(0, 10),
      natsVersion: missing === null ? natsVersion() : '',
      natsFlushes: missing === null && flushesEachWrite(),
    };
    console.log(`\n${tableOf(bench)}`);
    if (options['no-page'] || measured.length < 2) return;
    const text = sectionText(bench);
    writeFileSync(page, replaceSection(readFileSync(page, 'utf8'), { name: 'journal', text }));
    console.log(`\nwritten: ${page}`);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

/** One store, then the other: a pair shares the machine's mood. */
async function measureAll(
  data: string,
  stores: readonly StoreName[],
): Promise<readonly AppendRun[]> {
  const runs: AppendRun[] = [];
  for (const producers of options.producers.split(',').map(Number)) {
    for (let round = 0; round < Number(options.rounds); round += 1) {
      for (const store of stores) runs.push(await measure(store, producers, data));
    }
  }
  return runs;
}

async function measure(store: StoreName, producers: number, data: string): Promise<AppendRun> {
  const folder = mkdtempSync(join(data, `${store}-`));
  const target = await (store === 'robustmq' ? startJournalServers : startJetStream)(folder);
  try {
    const run = { store, producers, ...(await measuredRun(target, producers)) };
    const { recordsPerSecond, p99Ms } = run;
    console.log(
      `${producers} producers ${store}: ${recordsPerSecond.toFixed(0)} records/s, p99 ${p99Ms.toFixed(1)} ms`,
    );
    return run;
  } finally {
    await target.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measuredRun(
  target: AppendTarget,
  producers: number,
): Promise<Omit<AppendRun, 'store' | 'producers'>> {
  const seconds = Number(options.seconds);
  const cpuBefore = cpuSecondsOf(target.pids);
  const figures = await measureAppends(target, { producers, bodyBytes: BODY_BYTES, seconds });
  const cpu = cpuSecondsOf(target.pids) - cpuBefore;
  // The processor time includes the warm-up, in which the same load runs uncounted.
  const records = figures.recordsPerSecond * (seconds + WARM_UP_SECONDS);
  return { ...figures, cpuPerThousand: (cpu / records) * 1000 };
}

await main();
