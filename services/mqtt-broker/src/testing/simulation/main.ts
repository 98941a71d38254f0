/**
 * Simulates whole clusters of brokers; see `USAGE`.
 */
import { parseArgs } from 'node:util';
import { PLANTED_BUGS, plantedBugNamed } from './planted-bugs.ts';
import { type ClusterResult, simulateCluster } from './simulate-cluster.ts';

const USAGE = `Simulates whole clusters: real brokers, one seed per history.

usage: main.ts --seed N                      one seed, with its story
       main.ts --seeds 500 [--from 1]        many; ends with figures
       main.ts --mutants                     plants every known bug and looks for it

  --bug NAME        with a planted bug
  --help            this text

Exit code: 0 all promises hold (with --mutants: every bug was found), 1 not, 2 wrong usage.`;

const REPLAYED_EVERY = 50;
const PROGRESS_EVERY = 25;
const STORY_LINE_MAX = 400;

interface Sums {
  seeds: number;
  violations: number;
  replayed: number;
  simulatedMs: number;
  events: number;
  acknowledged: number;
  delivered: number;
  readonly faults: Map<string, number>;
}

async function runOne(seed: number): Promise<boolean> {
  const result = await simulateCluster(seed, (line) => console.log(line.slice(0, STORY_LINE_MAX)));
  const { violation, traceHash, simulatedMs, events, acknowledged, delivered } = result;
  console.log(
    `seed ${seed}: ${violation ?? 'ok'}; trace ${traceHash}, ${Math.round(simulatedMs)} ms, ` +
      `${events} events, ${acknowledged} messages acknowledged, ${delivered} delivered`,
  );
  return violation === null;
}

async function runMany(from: number, seeds: number): Promise<boolean> {
  const sums: Sums = {
    ...{ seeds: 0, violations: 0, replayed: 0, simulatedMs: 0, events: 0 },
    ...{ acknowledged: 0, delivered: 0, faults: new Map<string, number>() },
  };
  const before = process.cpuUsage();
  for (let seed = from; seed < from + seeds; seed += 1) {
    const result = await simulateCluster(seed);
    add(sums, result);
    if (result.violation !== null) report(sums, seed, result.violation);
    if (seed % REPLAYED_EVERY === 0) {
      const again = await simulateCluster(seed);
      sums.replayed += 1;
      if (again.traceHash !== result.traceHash) report(sums, seed, 'the trace differs on replay');
    }
    if (sums.seeds % PROGRESS_EVERY === 0) {
      console.error(`  ${sums.seeds} of ${seeds} seeds, ${sums.violations} violations`);
    }
  }
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = (user + system) / 1e6;
  for (const [kind, count] of [...sums.faults].sort(([, left], [, right]) => right - left)) {
    console.log(`  ${kind.padEnd(24)} ${String(count).padStart(8)}`);
  }
  console.log(
    `${sums.acknowledged} messages acknowledged, ${sums.delivered} delivered, ` +
      `${sums.events} events, ${sums.replayed} seeds simulated twice`,
  );
  console.log(
    `${sums.seeds} seeds, ${sums.violations} violations, ${Math.round(sums.simulatedMs / 1000)} ` +
      `simulated s in ${cpuSeconds.toFixed(1)} s of processor`,
  );
  return sums.violations === 0;
}

function add(sums: Sums, result: ClusterResult): void {
  sums.seeds += 1;
  sums.simulatedMs += result.simulatedMs;
  sums.events += result.events;
  sums.acknowledged += result.acknowledged;
  sums.delivered += result.delivered;
  for (const [kind, count] of Object.entries(result.faults)) {
    sums.faults.set(kind, (sums.faults.get(kind) ?? 0) + count);
  }
}

function report(sums: Sums, seed: number, violation: string): void {
  sums.violations += 1;
  console.log(`seed ${seed}: ${violation}\n  replay: make sim-cluster SEED=${seed}`);
}

async function hunt(from: number, seeds: number): Promise<boolean> {
  let found = 0;
  for (const { name, plant } of PLANTED_BUGS) {
    const remove = plant();
    let noticed: string | null = null;
    let seed = from;
    for (; seed < from + seeds && noticed === null; seed += 1) {
      noticed = (await simulateCluster(seed)).violation;
    }
    remove();
    if (noticed !== null) found += 1;
    const verdict = noticed === null ? 'NOT FOUND' : (noticed.split('\n')[0] ?? '');
    console.log(`| ${name.padEnd(42)} | ${String(seed - from).padStart(5)} | ${verdict}`);
  }
  console.log(`${found} of ${PLANTED_BUGS.length} planted bugs found`);
  return found === PLANTED_BUGS.length;
}

function countIn(text: string, name: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new TypeError(`--${name} wants a whole number above 0, not ${text}`);
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string', default: '500' },
      from: { type: 'string', default: '1' },
      bug: { type: 'string' },
      mutants: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return true;
  }
  const from = countIn(values.from, 'from');
  const seeds = countIn(values.seeds, 'seeds');
  if (values.mutants) return hunt(from, seeds);
  if (values.bug !== undefined) plantedBugNamed(values.bug).plant();
  return values.seed === undefined ? runMany(from, seeds) : runOne(countIn(values.seed, 'seed'));
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
