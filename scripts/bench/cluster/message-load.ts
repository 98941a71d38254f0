/** Messages through brokers of one group, by the load generator. */

import { join } from 'node:path';
import { runCommand } from '../command.ts';
import { type LoadFigures, parseLoadFigures } from '../load-result.ts';

export interface MessageLoad {
  /** Options of the generator. */
  readonly options: string;
  readonly publishTo: readonly string[];
  readonly subscribeTo: readonly string[];
  /** Processes whose processor time is counted. */
  readonly pids: readonly number[];
  readonly seconds: number;
  /** Told what was lost, refused or reordered; absent: such a run throws. */
  readonly faulty?: (faults: string) => void;
}

/** Counts that must all be 0, or the run means nothing. */
const FAULTS = ['lost', 'reordered', 'bad', 'ack_errors', 'sub_errors', 'conn_failed', 'stalls'];
const GENERATOR_CORE = '1';
const OVERHEAD_SECONDS = 90;
const WARM_UP_SECONDS = 2;

/** @throws Error when the generator has no result, or one with a fault that nobody wants to hear of */
export async function runMessages(folder: string, load: MessageLoad): Promise<LoadFigures> {
  const { output, errors } = await runCommand(
    [
      ...['taskset', '-c', GENERATOR_CORE, join(folder, 'mqttload'), ...load.options.split(' ')],
      ...['-t', load.publishTo.join(','), '--sub-target', load.subscribeTo.join(',')],
      ...['-d', String(load.seconds), '-W', String(WARM_UP_SECONDS)],
      ...['--server-pid', load.pids.join(',')],
    ],
    { environment: {}, limitMs: (load.seconds + OVERHEAD_SECONDS) * 1000, signal: null },
  );
  const figures = parseLoadFigures(output);
  if (figures === null) throw new Error(`no result: ${errors.trim().split('\n').at(-1) ?? ''}`);
  const faults = FAULTS.filter((name) => (figures[name] ?? 0) !== 0);
  if (faults.length === 0) return figures;
  const text = faults.map((name) => `${figures[name]} ${name.replace('_', ' ')}`).join(', ');
  if (load.faulty === undefined) throw new Error(text);
  load.faulty(text);
  return figures;
}
