/** The load generator: a folder of its own, outside this repository, built in a copy. */

import { cpSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isInstalled, runCommand } from './command.ts';
import { type LoadFigures, parseLoadFigures } from './load-result.ts';
import { Unavailable } from './unavailable.ts';
import type { Scenario } from './yardstick.ts';

export interface LoadGenerator {
  /** The copy, with `peers.sh` and the built `mqttload`. */
  readonly folder: string;
  /** Options by scenario name, as `scenarios.sh list` prints them. */
  readonly options: ReadonlyMap<string, string>;
}

export interface LoadTarget {
  readonly label: string;
  readonly port: number;
  readonly pid: number;
}

export interface LoadTerms {
  readonly target: LoadTarget;
  /** The measured window, after a second of warm-up. */
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/** The generator's core; the brokers have core 0. */
const GENERATOR_CORE = '1';
/** Connecting, subscribing, draining and cleaning up, on top of the measured seconds. */
const OVERHEAD_SECONDS = 240;
const FILES = ['Makefile', 'mqttload.c', 'peers.sh', 'scenarios.sh'];

/** Copies and builds it. Throws `Unavailable` when the folder or a compiler is missing. */
export async function buildLoadGenerator(root: string): Promise<LoadGenerator> {
  const source = sourceFolder(root);
  const folder = join(root, '.cache/bench/generator');
  const binary = join(folder, 'mqttload');
  for (const program of ['make', 'cc', 'taskset', 'bash']) {
    if (!isInstalled(program)) throw new Unavailable(`${program} is not on the path`);
  }
  mkdirSync(folder, { recursive: true });
  for (const file of FILES) {
    const target = join(folder, file);
    rmSync(target, { force: true }); // a copy of a read-only file is read-only too
    cpSync(join(source, file), target, { preserveTimestamps: true });
  }
  if (!isNewer(binary, join(folder, 'mqttload.c'))) rmSync(binary, { force: true });
  const made = await run(['make', '-C', folder]);
  if (!existsSync(binary)) throw new Unavailable(`the load generator does not build: ${made}`);
  const list = await run(['bash', join(folder, 'scenarios.sh'), 'list']);
  return { folder, options: parseScenarioList(list) };
}

/** One tab-separated line per scenario: name, options. */
export function parseScenarioList(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\n').map((line) => line.split('\t'));
  return new Map(
    lines.flatMap(([name, options]): [string, string][] =>
      name === undefined || options === undefined ? [] : [[name, options]],
    ),
  );
}

/** Runs one scenario. A run without a result throws, with what the generator said. */
export async function runLoad(
  { folder, options }: LoadGenerator,
  scenario: Pick<Scenario, 'name' | 'options'>,
  { target, seconds, signal }: LoadTerms,
): Promise<LoadFigures> {
  const load = scenario.options ?? options.get(scenario.name);
  if (load === undefined) throw new Error(`the generator knows no scenario ${scenario.name}`);
  const words = load.split(/\s+/);
  const { output, errors } = await runCommand(
    [
      ...['taskset', '-c', GENERATOR_CORE, join(folder, 'mqttload'), ...words],
      ...(words.includes('-d') ? [] : ['-d', String(seconds)]),
      ...['-t', `127.0.0.1:${target.port}`, '--server-pid', String(target.pid)],
      ...['--label', `${target.label}/${scenario.name}`],
    ],
    { environment: {}, limitMs: (seconds + OVERHEAD_SECONDS) * 1000, signal },
  );
  const figures = parseLoadFigures(output);
  if (figures !== null) return figures;
  throw new Error(`no result: ${errors.trim().split('\n').at(-1) ?? ''}`);
}

function sourceFolder(root: string): string {
  const named = process.env['ROBUSTMQ_BENCH_DIR'];
  const folder = named === undefined ? resolve(root, '../shared/bench') : resolve(named);
  const missing = FILES.filter((file) => !existsSync(join(folder, file)));
  if (missing.length === 0) return folder;
  throw new Unavailable(
    `no load generator: ${missing.join(', ')} not found in ${folder}; name its folder in ROBUSTMQ_BENCH_DIR`,
  );
}

function isNewer(path: string, source: string): boolean {
  return existsSync(path) && statSync(path).mtimeMs >= statSync(source).mtimeMs;
}

async function run(command: readonly string[]): Promise<string> {
  const { output, errors, exitCode } = await runCommand(command, {
    environment: {},
    limitMs: 120_000,
    signal: null,
  });
  return exitCode === 0 ? output : errors.trim();
}
