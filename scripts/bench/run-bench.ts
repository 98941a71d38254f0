/**
 * Measures this broker beside Debian's Mosquitto, and writes the table to docs/benchmarks.md.
 */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { type BrokerPlaces, startBroker } from './broker-under-test.ts';
import { isInstalled } from './command.ts';
import { buildLoadGenerator, type LoadGenerator, runLoad } from './load-generator.ts';
import { type BrokerName, faultsOf, type LoadFigures, type Measurement } from './load-result.ts';
import { loadBefore, machineFacts } from './machine.ts';
import { keepSections } from './page-section.ts';
import { type BenchRun, pageText, rowsOf, tableText } from './report-text.ts';
import { EXIT_UNAVAILABLE, Unavailable } from './unavailable.ts';
import { QUICK_SCENARIOS, type Scenario, SCENARIOS } from './yardstick.ts';

const USAGE = `usage: node scripts/bench.ts [options]     after make build; make bench ARGS='--quick' does both

  --rounds N      runs of each broker per scenario, in turn (2)
  --seconds S     the measured window of each run (5)
  --only A,B      these scenarios only
  --quick         one round of 2 s of the main scenarios
  --output FILE   the page; docs/benchmarks.md, or none with --only and --quick
  --render        write the page of the last run again, after an edit of known-losses.ts
  --list          print the scenarios

Needs two cores, a C compiler, Debian's mosquitto and the load generator, a folder named by
ROBUSTMQ_BENCH_DIR (default: ../shared/bench beside the repository); exit code 69 without one of them.`;

interface Plan {
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
  readonly seconds: number;
  /** null: the table is only printed. */
  readonly page: string | null;
}

interface Bench extends Plan {
  readonly generator: LoadGenerator;
  readonly places: BrokerPlaces;
}

const LOAD_QUIET = 0.5;
const root = new URL('../..', import.meta.url).pathname;
const cache = join(root, '.cache/bench');
const lastRun = join(cache, 'last-run.json');
const interrupted = new AbortController();
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    only: { type: 'string' },
    output: { type: 'string' },
    quick: { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  if (options.help) return console.log(USAGE);
  if (options.list) return console.log(SCENARIOS.map((each) => each.name).join('\n'));
  const plan = planOf();
  if (options.render) {
    return report(JSON.parse(readFileSync(lastRun, 'utf8')) as BenchRun, plan.page);
  }
  // Debian keeps servers where the path of an ordinary user does not lead.
  process.env['PATH'] = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`;
  assertMachine();
  const generator = await buildLoadGenerator(root);
  const data = mkdtempSync(join(cache, 'data-'));
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  try {
    const machine = machineFacts(root, data);
    const places = { root, generator: generator.folder, data };
    const measurements = await measure({ ...plan, generator, places });
    if (interrupted.signal.aborted) throw new Error('interrupted: no result');
    const run = { ...runHead(plan), machine, measurements };
    writeFileSync(lastRun, `${JSON.stringify(run)}\n`);
    report(run, plan.page);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

/** Applies the defaults. */
function planOf(): Plan {
  const names = options.only?.split(',') ?? (options.quick ? QUICK_SCENARIOS : null);
  const unknown = names?.filter((name) => !SCENARIOS.some((each) => each.name === name)) ?? [];
  if (unknown.length > 0) throw new Error(`no such scenario: ${unknown.join(', ')} (see --list)`);
  const isPartial = names !== null && !options.render;
  return {
    scenarios: SCENARIOS.filter((each) => names === null || names.includes(each.name)),
    rounds: positive('--rounds', options.rounds, options.quick ? 1 : 2),
    seconds: positive('--seconds', options.seconds, options.quick ? 2 : 5),
    page: options.output ?? (isPartial ? null : join(root, 'docs/benchmarks.md')),
  };
}

function positive(name: string, text: string | undefined, otherwise: number): number {
  const number = text === undefined ? otherwise : Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`${name} takes a whole number from 1, not ${String(text)}`);
}

function assertMachine(): void {
  if (availableParallelism() < 2) {
    throw new Unavailable('two cores are needed: one for the broker, one for the generator');
  }
  if (!isInstalled('mosquitto')) {
    throw new Unavailable("Debian's mosquitto is not on the path: apt-get install mosquitto");
  }
  if (loadBefore() > LOAD_QUIET) {
    const load = loadBefore().toFixed(1);
    console.error(`bench: the machine is busy (load ${load}): latencies will mean nothing`);
  }
}

function runHead({
  rounds,
  seconds,
}: Plan): Pick<BenchRun, 'date' | 'command' | 'rounds' | 'seconds'> {
  const words = process.argv.slice(2).join(' ');
  const command = words === '' ? 'make bench' : `make bench ARGS='${words}'`;
  return { date: new Date().toISOString().slice(0, 10), command, rounds, seconds };
}

/** Mosquitto, RobustMQ, Mosquitto, RobustMQ: a pair shares the machine's mood. */
async function measure(bench: Bench): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = [];
  for (const scenario of bench.scenarios) {
    for (let round = 0; round < bench.rounds; round += 1) {
      for (const broker of ['mosquitto', 'robustmq'] as const) {
        if (interrupted.signal.aborted) return measurements;
        const measurement = await measureOnce(bench, { scenario, broker, round });
        console.log(progressOf(measurement));
        measurements.push(measurement);
      }
    }
  }
  return measurements;
}

interface Turn {
  readonly scenario: Scenario;
  readonly broker: BrokerName;
  readonly round: number;
}

async function measureOnce(bench: Bench, { scenario, broker, round }: Turn): Promise<Measurement> {
  const head = { scenario: scenario.name, broker, round };
  try {
    const { reference } = scenario;
    const before =
      reference === null ? {} : await loadFresh(bench, broker, { name: reference, options: null });
    const figures = await loadFresh(bench, broker, scenario);
    const referred = Object.entries(before).map(([name, each]) => [`reference.${name}`, each]);
    return { ...head, figures: { ...Object.fromEntries(referred), ...figures }, failure: null };
  } catch (error) {
    return {
      ...head,
      figures: {},
      failure: error instanceof Error ? error.message : String(error),
    };
  }
}

/** One load on a broker that has just been started. */
async function loadFresh(
  { generator, places, seconds }: Bench,
  broker: BrokerName,
  load: Pick<Scenario, 'name' | 'options'>,
): Promise<LoadFigures> {
  const { port, pid, stop } = await startBroker(broker, places);
  try {
    const target = { label: broker, port, pid };
    return await runLoad(generator, load, { target, seconds, signal: interrupted.signal });
  } finally {
    await stop();
  }
}

function progressOf(measurement: Measurement): string {
  const { scenario, broker, round, figures } = measurement;
  const yardstick = SCENARIOS.find((each) => each.name === scenario)?.yardsticks[0];
  const value = yardstick?.read(figures) ?? null;
  const text = value === null ? '–' : `${value.toPrecision(4)} ${yardstick?.unit ?? ''}`;
  const faults = faultsOf(measurement);
  return `${scenario} ${broker} ${round + 1}: ${text}${faults === '' ? '' : `  INVALID: ${faults}`}`;
}

function report(run: BenchRun, page: string | null): void {
  console.log(`\n${tableText(rowsOf(run))}`);
  if (page === null) return;
  mkdirSync(dirname(page), { recursive: true });
  const former = existsSync(page) ? readFileSync(page, 'utf8') : '';
  writeFileSync(page, keepSections(pageText(run), former));
  console.log(`\nwritten: ${page}`);
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = error instanceof Unavailable ? EXIT_UNAVAILABLE : 1;
}
