/** Measures the placement center beside Debian's etcd, and writes a section of docs/benchmarks.md. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isInstalled, runCommand } from '../command.ts';
import { machineFacts } from '../machine.ts';
import { replaceSection } from '../page-section.ts';
import { EXIT_UNAVAILABLE, Unavailable } from '../unavailable.ts';
import { startEtcd } from './etcd-group.ts';
import { startPlacementCenter } from './placement-group.ts';
import type { PutFigures, PutLoad } from './put-load.ts';
import { type PlacementBench, type PutRun, sectionText, tableOf } from './report.ts';
import { cpuSecondsOf, residentMegabytesOf, type StoreName } from './store-group.ts';

const USAGE = `usage: node scripts/bench-placement.ts [options]     make bench-placement ARGS='--seconds 2'

  --rounds N      runs of each store per number of clients, in turn (3)
  --seconds S     the measured window of each run (5)
  --clients A,B   numbers of clients (64,512)
  --no-page       only print the table

Needs Debian's etcd-server; exit code 69 without it.`;

const root = new URL('../../..', import.meta.url).pathname;
const page = join(root, 'docs/benchmarks.md');
const VALUE_BYTES = 256;
const KEYS = 100_000;
const RUN_LIMIT_MS = 120_000;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    clients: { type: 'string', default: '64,512' },
    'no-page': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  if (options.help) return console.log(USAGE);
  if (!isInstalled('etcd')) {
    throw new Unavailable("Debian's etcd is not on the path: apt-get install etcd-server");
  }
  const cache = join(root, '.cache/bench');
  mkdirSync(cache, { recursive: true });
  const data = mkdtempSync(join(cache, 'placement-'));
  try {
    const machine = machineFacts(root, data).filter(([name]) => name !== 'Mosquitto');
    const bench: PlacementBench = {
      ...{ runs: await measure(data), machine, seconds: Number(options.seconds) },
      ...{ date: new Date().toISOString().slice(0, 10), valueBytes: VALUE_BYTES },
      etcdVersion: /etcd Version: (\S+)/.exec(output('etcd', '--version'))?.[1] ?? 'unknown',
    };
    console.log(`\n${tableOf(bench)}`);
    if (options['no-page']) return;
    const text = replaceSection(readFileSync(page, 'utf8'), {
      name: 'placement',
      text: sectionText(bench),
    });
    writeFileSync(page, text);
    console.log(`\nwritten: ${page}`);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

/** etcd, RobustMQ, etcd, RobustMQ: a pair shares the machine's mood. */
async function measure(data: string): Promise<readonly PutRun[]> {
  const runs: PutRun[] = [];
  for (const clients of options.clients.split(',').map(Number)) {
    for (let round = 0; round < Number(options.rounds); round += 1) {
      for (const store of ['etcd', 'robustmq'] as const) {
        const load = {
          clients,
          seconds: Number(options.seconds),
          valueBytes: VALUE_BYTES,
          keys: KEYS,
        };
        const run = { ...(await measureOnce(store, load, data)), round };
        const { putsPerSecond, p99Ms } = run;
        console.log(
          `${clients} clients ${store} ${round + 1}: ` +
            `${putsPerSecond.toFixed(0)} puts/s, p99 ${p99Ms.toFixed(1)} ms`,
        );
        runs.push(run);
      }
    }
  }
  return runs;
}

/** One load on a group that has just been founded. */
async function measureOnce(
  store: StoreName,
  load: PutLoad,
  data: string,
): Promise<Omit<PutRun, 'round'>> {
  const folder = mkdtempSync(join(data, `${store}-`));
  const group = await (store === 'etcd' ? startEtcd(folder) : startPlacementCenter(folder, root));
  try {
    const cpuBefore = cpuSecondsOf(group.pids);
    const figures = await generate(store, group.endpoints, load);
    const cpu = cpuSecondsOf(group.pids) - cpuBefore;
    // The processor time includes the warm-up, in which the same load runs uncounted.
    const puts = figures.putsPerSecond * (load.seconds + 2);
    return {
      ...{ ...figures, store, clients: load.clients },
      cpuPerThousand: (cpu / puts) * 1000,
      residentMegabytes: residentMegabytesOf(group.pids),
    };
  } finally {
    await group.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function generate(
  store: StoreName,
  endpoints: readonly string[],
  load: PutLoad,
): Promise<PutFigures> {
  const program = new URL('generator.ts', import.meta.url).pathname;
  const words = [store, endpoints.join(','), JSON.stringify(load)];
  const result = await runCommand([process.execPath, '--conditions=source', program, ...words], {
    environment: {},
    limitMs: RUN_LIMIT_MS,
    signal: null,
  });
  if (result.exitCode === 0) return JSON.parse(result.output) as PutFigures;
  throw new Error(`the generator failed: ${result.errors.trim()}`);
}

function output(command: string, ...words: readonly string[]): string {
  return execFileSync(command, words, { encoding: 'utf8' });
}

try {
  await main();
} catch (error) {
  console.error(`bench-placement: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = error instanceof Unavailable ? EXIT_UNAVAILABLE : 1;
}
