/**
 * Loops that keep the records in order: watch, compare, one transaction.
 *
 *     run ──▶ fails ──▶ pause, longer each time ──▶ run ──▶ …          until the signal is aborted
 *
 * A controller may end between any two of its steps and begin anew, on another node too: what it does
 * is in transactions that compare what it decided about, so nothing is done twice.
 */

import type { RandomSource, Timers } from '@robustmq/environment';

/** One loop. */
export interface Controller {
  /** For logs, such as `orphan-sessions`. */
  readonly name: string;
  /** Works until `signal` is aborted, then returns soon. May throw: it is run again then. */
  run(signal: AbortSignal): Promise<void>;
}

/** What the loops run on. */
export interface ControllerEdges {
  readonly timers: Timers;
  readonly random: RandomSource;
  /** Called for each failure, with the pause that follows. Must not throw. */
  reportFailure(failure: ControllerFailure): void;
}

/** That a run ended with an error. */
export interface ControllerFailure {
  readonly controller: string;
  readonly error: unknown;
  /** How many runs failed one after the other. */
  readonly failures: number;
  readonly pauseMs: number;
}

/** LIMIT: controllerPauseMsMax (no failing controller rests longer, or runs more often than that). */
const controllerPauseMsMax = 30_000;
const PAUSE_MS_MIN = 100;

/** Runs all of them side by side until `signal` is aborted and each has returned. Never rejects. */
export async function runControllers(
  controllers: readonly Controller[],
  edges: ControllerEdges,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(controllers.map((each) => keepRunning(each, edges, signal)));
}

async function keepRunning(
  controller: Controller,
  edges: ControllerEdges,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await controller.run(signal);
      failures = 0;
      if (!signal.aborted) await pause(edges.timers, PAUSE_MS_MIN, signal);
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      const pauseMs = pauseAfter(failures, edges.random);
      edges.reportFailure({ controller: controller.name, error, failures, pauseMs });
      await pause(edges.timers, pauseMs, signal);
    }
  }
}

/** Doubles with each failure, and is between half and all of that by chance. */
function pauseAfter(failures: number, random: RandomSource): number {
  const longest = Math.min(controllerPauseMsMax, PAUSE_MS_MIN * 2 ** Math.min(failures - 1, 20));
  return Math.round(longest * (0.5 + random.uint32() / 0x2_0000_0000));
}

/** Resolves after a time, or at once when the signal is aborted. */
export function pause(timers: Timers, milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const handle = timers.after(milliseconds, end);
    signal.addEventListener('abort', end, { once: true });
    function end(): void {
      handle.cancel();
      signal.removeEventListener('abort', end);
      resolve();
    }
  });
}
