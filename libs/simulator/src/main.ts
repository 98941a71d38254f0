/** The command line of the simulator; see `USAGE`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Figures, NO_FIGURES, optionsFor, sumOfFigures, type Task } from './campaign.ts';
import { HistoryFormatError } from './history-file.ts';
import { checkHistoryText } from './history-verdict.ts';
import { mutants } from './mutants.ts';
import { carryOutAll, type Finished, SERVE, serve } from './processes.ts';
import {
  describeFigures,
  describeHunt,
  describeProgress,
  describeResult,
  HUNT_HEADING,
} from './report.ts';
import { simulate } from './simulation.ts';

const USAGE = `Simulates placement groups: the real Raft core and state machine, one seed per history.

usage: main.ts --seed N                      one seed, with its story
       main.ts --seeds 2000 [--from 1]       many; ends with figures
       main.ts --mutants                     plants every known bug and looks for it
       main.ts check-history FILE            judges a recorded history (history-file.ts)

  --seconds 60      simulated seconds of faults; healing comes on top
  --bug NAME        with a planted bug; with --mutants only this one
  --processes 1     how many to spread the work over
  --help            this text

Exit code: 0 all invariants hold (with --mutants: every bug was found), 1 not, 2 wrong usage.
With ROBUSTMQ_RESULTS set, a count for scripts/run-tests.ts is left in that folder.`;

/** Seeds of one task: short enough for news every second, long enough not to be all talk. */
const SEEDS_PER_TASK = 20;
/** Seeds that the suite counts as one test. */
const SEEDS_PER_TEST = 100;
const PROGRESS_EVERY_MS = 2_000;

interface Arguments {
  readonly from: number;
  readonly seeds: number;
  readonly seconds: number;
  readonly bug: string | null;
  readonly processes: number;
}

function runOne(seed: number, { seconds, bug }: Arguments): boolean {
  const tell = (text: string): void => console.log(text);
  const result = simulate({ ...optionsFor(seed, seconds, bug), tell });
  console.log(describeResult(result));
  return result.violation === null;
}

async function runMany({ from, seeds, seconds, bug, processes }: Arguments): Promise<boolean> {
  const tasks: Task[] = [];
  for (let seed = from; seed < from + seeds; seed += SEEDS_PER_TASK) {
    const count = Math.min(SEEDS_PER_TASK, from + seeds - seed);
    tasks.push({ kind: 'run', firstSeed: seed, seeds: count, seconds, bug });
  }
  const startedMs = performance.now();
  let [figures, toldMs] = [NO_FIGURES, startedMs];
  const finished = await carryOutAll(tasks, processes, (each) => {
    figures = sumOfFigures(figures, each.figures);
    for (const { seed, message } of each.figures.violations)
      console.error(`seed ${seed}: ${message}`);
    if (performance.now() - toldMs < PROGRESS_EVERY_MS) return;
    toldMs = performance.now();
    console.error(describeProgress(figures, seeds));
  });
  console.log(describeFigures(figures, performance.now() - startedMs));
  leaveCount(blocksOf(finished));
  return figures.violations.length === 0;
}

/** Whether the seeds of each test hold. */
function blocksOf(finished: readonly Finished[]): readonly boolean[] {
  const holds: boolean[] = [];
  const tasksPerTest = SEEDS_PER_TEST / SEEDS_PER_TASK;
  for (const [at, { figures }] of finished.entries()) {
    const test = Math.floor(at / tasksPerTest);
    holds[test] = (holds[test] ?? true) && figures.violations.length === 0;
  }
  return holds;
}

async function hunt({ from, seeds, seconds, bug, processes }: Arguments): Promise<boolean> {
  const tasks = mutants
    .filter(({ name }) => bug === null || bug === name)
    .map(({ name }): Task => ({ kind: 'hunt', firstSeed: from, seeds, seconds, bug: name }));
  console.log(HUNT_HEADING);
  const startedMs = performance.now();
  let sum: Figures = NO_FIGURES;
  const finished = await carryOutAll(tasks, processes, ({ task, figures }) => {
    sum = sumOfFigures(sum, figures);
    console.log(describeHunt(task.bug ?? '', figures));
  });
  const found = finished.map(({ figures }) => figures.violations.length > 0);
  const count = found.filter(Boolean).length;
  const tookSeconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  console.log(
    `${count} of ${found.length} planted bugs found, ${sum.seeds} seeds in ${tookSeconds} s`,
  );
  leaveCount(found);
  return found.every(Boolean);
}

function judgeHistory(path: string): boolean {
  const startedMs = performance.now();
  const { linearizable, text, operations, unknown, keys } = checkHistoryText(
    readFileSync(path, 'utf8'),
  );
  const tookSeconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  console.log(text);
  console.log(
    `${operations} operations (${unknown} of unknown outcome) on ${keys} keys, ` +
      `${linearizable ? 0 : 1} violations, judged in ${tookSeconds} s`,
  );
  return linearizable;
}

function leaveCount(tests: readonly boolean[]): void {
  const folder = process.env['ROBUSTMQ_RESULTS'];
  if (folder === undefined) return;
  const passed = tests.filter(Boolean).length;
  const count = { passed, failed: tests.length - passed, skipped: 0 };
  writeFileSync(join(folder, `simulation-${process.pid}.json`), JSON.stringify(count));
}

function countIn(text: string, name: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new TypeError(`--${name} wants a whole number above 0, not ${text}`);
}

async function main(): Promise<boolean> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string', default: '2000' },
      from: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '60' },
      bug: { type: 'string' },
      mutants: { type: 'boolean', default: false },
      processes: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return true;
  }
  const [verb, file] = positionals;
  if (verb === 'check-history' && file !== undefined) return judgeHistory(file);
  if (verb !== undefined) throw new TypeError(`unknown: ${positionals.join(' ')}`);
  const known = {
    from: countIn(values.from, 'from'),
    seeds: countIn(values.seeds, 'seeds'),
    seconds: countIn(values.seconds, 'seconds'),
    bug: values.bug ?? null,
    processes: countIn(values.processes, 'processes'),
  };
  if (known.bug !== null && !mutants.some(({ name }) => name === known.bug)) {
    throw new TypeError(`no planted bug is called "${known.bug}"; --mutants lists them`);
  }
  if (values.mutants) return hunt(known);
  if (values.seed !== undefined) return runOne(countIn(values.seed, 'seed'), known);
  return runMany(known);
}

if (process.argv[2] === SERVE) serve();
else {
  try {
    process.exitCode = (await main()) ? 0 : 1;
  } catch (error) {
    const isUsage = error instanceof TypeError || error instanceof HistoryFormatError;
    if (!isUsage) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    process.exitCode = 2;
  }
}
