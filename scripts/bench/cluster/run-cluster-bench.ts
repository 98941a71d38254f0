/** Measures clusters of brokers, and writes a section of docs/benchmarks.md. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildLoadGenerator } from '../load-generator.ts';
import { machineFacts } from '../machine.ts';
import { replaceSection } from '../page-section.ts';
import { EXIT_UNAVAILABLE, Unavailable } from '../unavailable.ts';
import { measureSubscriptions, measureTakeovers } from './clients-part.ts';
import { measureDurable } from './durable-part.ts';
import { measureLive, measureWorkers, type PartFigures, type PartTerms } from './live-part.ts';
import { keepResult, keptResults, type PartName, PARTS } from './part-result.ts';
import { sectionText, tableOf } from './report.ts';

const USAGE = `usage: node scripts/bench-cluster.ts [options]     make bench-cluster ARGS='--only live'

  --only A,B      these parts: ${PARTS.join(', ')} (all)
  --rounds N      runs of each side per scenario, in turn (2)
  --seconds S     the measured window of each run (5)
  --no-page       only print the table
  --render        write the page anew from what was measured

The page shows the newest result of each part that was measured here. Needs the load generator (see
bench.ts); NATS and RabbitMQ are left out where they are not installed.`;

const root = new URL('../../..', import.meta.url).pathname;
const page = join(root, 'docs/benchmarks.md');
const cache = join(root, '.cache/bench');

const MEASURES: Readonly<Record<PartName, (terms: PartTerms) => Promise<PartFigures>>> = {
  live: measureLive,
  workers: measureWorkers,
  durable: measureDurable,
  subscriptions: measureSubscriptions,
  takeovers: measureTakeovers,
};

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: PARTS.join(',') },
    rounds: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '5' },
    'no-page': { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  if (options.help) return console.log(USAGE);
  if (options.render) return writePage();
  const wanted = options.only.split(',');
  const unknown = wanted.filter((name) => !PARTS.some((part) => part === name));
  if (unknown.length > 0) throw new Error(`no such part: ${unknown.join(', ')}`);
  const { folder: generator } = await buildLoadGenerator(root);
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'cluster-'));
  const date = new Date().toISOString().slice(0, 10);
  const machine = machineFacts(root, folder).filter(([name]) => name !== 'Mosquitto');
  const terms: PartTerms = {
    ...{ folder, generator, rounds: Number(options.rounds), seconds: Number(options.seconds) },
    say: (line) => console.log(line),
  };
  try {
    for (const part of PARTS.filter((name) => wanted.includes(name))) {
      const figures = await MEASURES[part](terms);
      console.log(`\n${tableOf(figures.rows)}\n`);
      keepResult(cache, { part, ...figures, machine, date });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (!options['no-page']) writePage();
}

function writePage(): void {
  const section = { name: 'cluster', text: sectionText(keptResults(cache)) };
  writeFileSync(page, replaceSection(readFileSync(page, 'utf8'), section));
  console.log(`written: ${page}`);
}

try {
  await main();
} catch (error) {
  console.error(`bench-cluster: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = error instanceof Unavailable ? EXIT_UNAVAILABLE : 1;
}
