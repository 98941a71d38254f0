/** Measures appends to three journal servers beside three NATS servers with JetStream. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { whyNoNatsCluster } from '@robustmq/store-servers';
import { type AppendTarget, measureAppends } from './append-load.ts';
import { startJetStream } from './jetstream.ts';
import { startJournalServers } from './journal-servers.ts';

const USAGE = `usage: node scripts/bench-journal.ts [options]     make bench-journal ARGS='--seconds 2'

  --rounds N        runs of each per number of producers, in turn (1)
  --seconds S       the measured window of each run (5)
  --producers A,B   numbers of producers (64,512)
  --only NAME       robustmq or jetstream

Producers append records of 1 KiB one after the other to one shard, or stream, of three replicas on
this machine; each record of RobustMQ is on disk on a majority before it is acknowledged, each of NATS from 2.10 on.
Without nats-server only RobustMQ is measured.`;

const BODY_BYTES = 1024;
const root = new URL('../../..', import.meta.url).pathname;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '5' },
    producers: { type: 'string', default: '64,512' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  if (options.help) return console.log(USAGE);
  const cache = join(root, '.cache/bench');
  mkdirSync(cache, { recursive: true });
  const data = mkdtempSync(join(cache, 'journal-'));
  try {
    let run = 0;
    const folder = (): string => join(data, String((run += 1)));
    const starts: (() => Promise<AppendTarget>)[] = [];
    if (options.only !== 'jetstream') starts.push(() => startJournalServers(folder()));
    const missing = whyNoNatsCluster();
    if (missing !== null) console.log(missing);
    else if (options.only !== 'robustmq') starts.push(() => startJetStream(folder()));
    console.log('| store | producers | records/s | p50 ms | p99 ms |\n|---|---|---|---|---|');
    for (let round = 0; round < Number(options.rounds); round += 1) {
      for (const producers of options.producers.split(',').map(Number)) {
        for (const start of starts) await measure(start, producers);
      }
    }
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

async function measure(start: () => Promise<AppendTarget>, producers: number): Promise<void> {
  const target = await start();
  try {
    const load = { producers, bodyBytes: BODY_BYTES, seconds: Number(options.seconds) };
    const { recordsPerSecond, p50Ms, p99Ms } = await measureAppends(target, load);
    const figures = [recordsPerSecond.toFixed(0), p50Ms.toFixed(1), p99Ms.toFixed(1)];
    console.log(`| ${[target.name, producers, ...figures].join(' | ')} |`);
  } finally {
    await target.close();
  }
}

await main();
