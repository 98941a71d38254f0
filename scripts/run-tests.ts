/**
 * Runs the suites one after the other, goes on after failures, and sums up in one closing line.
 *
 * usage: node scripts/run-tests.ts [lint] [unit] [sim] [e2e] [script] [crash]     default: all but crash
 *
 * - `lint`    scripts/lint.ts; counts only when it fails
 * - `unit`    the vitest project of that name
 * - `sim`     2,000 simulated histories of placement groups; each hundred counts as one test
 * - `e2e`     the same with real processes and sockets, one file at a time
 * - `crash`   those of `e2e` whose file name says crash
 * - `script`  every `services/<name>/test/<name>.suite.ts`, a program of its own. It writes one or more
 *             files `{ "passed": 3, "failed": 0, "skipped": 0 }` into the folder that the environment
 *             variable ROBUSTMQ_RESULTS names and ends with 0 when nothing failed
 *
 * The last line is `N passed, N failed` or `N passed, N failed, N skipped`; exit code 1 after failures.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import {
  closingLine,
  EMPTY_TALLY,
  sumOf,
  type Tally,
  tallyOfResult,
  tallyOfVitest,
  type VitestReport,
  withExitCode,
} from './test-tally.ts';

interface Suite {
  readonly name: string;
  readonly command: string;
  readonly options: readonly string[];
  readonly limitMinutes: number;
  /** Reads what the suite left in its results folder. */
  readonly tally: (folder: string) => Tally;
}

const root = new URL('..', import.meta.url).pathname;
const KILL_AFTER_MS = 5_000;
/** All suites together; the last ones get what is left. */
const TOTAL_MINUTES = 33;
const deadlineMs = Date.now() + TOTAL_MINUTES * 60_000;

process.env['PATH'] = `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`;

async function main(): Promise<void> {
  const asked = process.argv.slice(2);
  const suites = suitesNamed(asked.length === 0 ? ['lint', 'unit', 'sim', 'e2e', 'script'] : asked);
  const tallies: Tally[] = [];
  for (const suite of suites) {
    const tally = await runSuite(suite);
    if (tally.failed > 0) console.log(`\n✗ ${suite.name}: ${closingLine(tally)}`);
    tallies.push(tally);
  }
  const sum = sumOf(tallies);
  for (const name of sum.skippedNames) console.log(`SKIPPED ${name.replace(root, '')}`);
  console.log(closingLine(sum));
  process.exitCode = sum.failed > 0 ? 1 : 0;
}

function suitesNamed(names: readonly string[]): readonly Suite[] {
  return names.flatMap((name) => {
    if (name === 'lint') return [lintSuite()];
    if (name === 'unit') return [vitestSuite(name, ['--project', 'unit'], 12)];
    if (name === 'sim') return [simulationSuite()];
    if (name === 'e2e') return [vitestSuite(name, ['--project', 'e2e', '--maxWorkers=1'], 20)];
    if (name === 'crash') {
      return [vitestSuite(name, ['--project', 'e2e', '--maxWorkers=1', 'crash'], 15)];
    }
    if (name === 'script') return scriptSuites();
    throw new Error(`no suite is called ${name}: lint, unit, sim, e2e, crash, script`);
  });
}

function lintSuite(): Suite {
  const options = ['scripts/lint.ts'];
  return { name: 'lint', command: 'node', options, limitMinutes: 3, tally: () => EMPTY_TALLY };
}

function vitestSuite(name: string, filters: readonly string[], limitMinutes: number): Suite {
  const report = `${name}.json`;
  return {
    name,
    command: 'vitest',
    options: [
      ...['run', '--passWithNoTests', '--reporter=default', '--reporter=json'],
      ...[`--outputFile.json=%results%/${report}`, ...filters],
    ],
    limitMinutes,
    tally: (folder) =>
      tallyOfVitest(JSON.parse(readFileSync(join(folder, report), 'utf8')) as VitestReport),
  };
}

/** Rung R1 of the reliability ladder: docs/reference/simulation.md. */
function simulationSuite(): Suite {
  const options = ['--conditions=source', 'libs/simulator/src/main.ts', '--seeds', '2000'];
  const processes = ['--processes', String(availableParallelism())];
  const command = { name: 'sim', command: 'node', options: [...options, ...processes] };
  return { ...command, limitMinutes: 10, tally: tallyOfFolder };
}

function scriptSuites(): readonly Suite[] {
  return readdirSync(join(root, 'services'))
    .flatMap((service) => suiteFiles(join(root, 'services', service, 'test')))
    .map((path) => ({
      name: basename(path, '.suite.ts'),
      command: 'node',
      options: [path],
      limitMinutes: 8,
      tally: tallyOfFolder,
    }));
}

function tallyOfFolder(folder: string): Tally {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  return sumOf(files.map((file) => tallyOfResult(readFileSync(join(folder, file), 'utf8'))));
}

function suiteFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith('.suite.ts'))
      .map((file) => join(folder, file));
  } catch {
    return []; // a service without a test folder
  }
}

async function runSuite(suite: Suite): Promise<Tally> {
  console.log(`\n── ${suite.name} ──`);
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-results-'));
  try {
    const exitCode = await runCommand(suite, folder);
    return withExitCode(readTally(suite, folder), exitCode);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readTally(suite: Suite, folder: string): Tally {
  try {
    return suite.tally(folder);
  } catch (error) {
    console.log(`${suite.name} left no readable result: ${String(error)}`);
    return { ...EMPTY_TALLY, failed: 1 };
  }
}

/** Settles with the exit code, or with `null` when the suite had to be stopped at its limit. */
function runCommand(suite: Suite, folder: string): Promise<number | null> {
  const limitMs = Math.max(0, Math.min(suite.limitMinutes * 60_000, deadlineMs - Date.now()));
  const options = suite.options.map((option) => option.replace('%results%', folder));
  const child = spawn(suite.command, options, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ROBUSTMQ_RESULTS: folder },
  });
  const limit = setTimeout(() => {
    console.log(`${suite.name} did not end within ${Math.round(limitMs / 1000)} s: stopped`);
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref();
  }, limitMs);
  return new Promise((resolve) => {
    child.once('error', (error) => {
      clearTimeout(limit);
      console.log(`${suite.name} cannot be started: ${error.message}`);
      resolve(null);
    });
    child.once('exit', (code) => {
      clearTimeout(limit);
      resolve(code);
    });
  });
}

await main();
