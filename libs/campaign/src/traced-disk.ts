/** The disk of one process: what the process has not flushed can be taken from it. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import type { SeededRandom } from '@robustmq/environment';
import { readDiskTrace } from './disk-trace.ts';
import { DiskState, type PowerLoss } from './power-loss.ts';

/** Where everything of one disk lies. */
export interface TracedDiskOptions {
  /** What the process keeps there is followed; made if it is missing. */
  readonly directory: string;
  /** A file that is no one else's. */
  readonly trace: string;
  readonly random: SeededRandom;
  /** Whether the process may die before it wrote anything; else a missing trace is a mistake, and `cut` throws. */
  readonly mayBeUnused: boolean;
}

/** Needs `whyNoDiskTrace() === null`. */
export class TracedDisk {
  readonly #options: TracedDiskOptions;
  #state: DiskState;
  /** Writes that were under way in all cuts. */
  writes = 0;
  /** Names that were under way in all cuts. */
  names = 0;

  constructor(options: TracedDiskOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true });
    this.#state = new DiskState(options.directory);
  }

  /** Leaves on disk what a loss of power would. The process is dead. */
  cut(): void {
    const { directory, trace, random, mayBeUnused } = this.#options;
    if (!mayBeUnused || existsSync(trace))
      this.#count(this.#state.cut(readDiskTrace(trace), random));
    rmSync(trace, { force: true });
    this.#state = new DiskState(directory);
  }

  #count({ writesUnderWay, namesUnderWay }: PowerLoss): void {
    this.writes += writesUnderWay;
    this.names += namesUnderWay;
  }
}

/**
 * With it a process is traced.
 *
 * @param library  from `buildDiskTrace`
 */
export function tracedBy(
  library: string,
  { directory, trace }: Pick<TracedDiskOptions, 'directory' | 'trace'>,
): Readonly<Record<string, string>> {
  return {
    LD_PRELOAD: library,
    DISK_TRACE_DIRECTORY: directory,
    DISK_TRACE_FILE: trace,
    UV_USE_IO_URING: '0',
  };
}
