import { EventQueue, type SeededRandom } from '@robustmq/simulator';
import type { TimerHandle, Timers } from '@robustmq/environment';

/** So many events in one moment are a loop without a pause. */
const STANDSTILL_EVENTS = 100_000;

/**
 * The time of one simulation. Every timer, answer, frame and packet is an event of it; what promises make
 * of an event is done before the next one begins. So one order of events is one history.
 */
export class SimulatedTime {
  readonly #queue = new EventQueue();
  readonly random: SeededRandom;

  constructor(random: SeededRandom) {
    this.random = random;
  }

  get nowMs(): number {
    return this.#queue.nowMs;
  }

  get eventCount(): number {
    return this.#queue.processed;
  }

  after(delayMs: number, run: () => void): TimerHandle {
    let isCancelled = false;
    this.#queue.after(Math.max(0, delayMs), () => {
      if (!isCancelled) run();
    });
    return {
      cancel: () => {
        isCancelled = true;
      },
    };
  }

  /** @param check  looked at after each event; true ends the run */
  async runUntil(untilMs: number, check: () => boolean): Promise<void> {
    let sinceMs = -1;
    let count = 0;
    while (this.#queue.runNext(untilMs)) {
      if (this.nowMs > sinceMs) [sinceMs, count] = [this.nowMs, 0];
      count += 1;
      if (count > STANDSTILL_EVENTS) throw new Error(`time stands still at ${this.nowMs} ms`);
      await turnOver();
      if (check()) return;
    }
  }

  /** Of what is on nobody's machine; `soon` takes as long as `delayMs` says. */
  timers(delayMs: () => number): Timers {
    return {
      after: (milliseconds, action) => this.after(milliseconds, action),
      every: (milliseconds, action) => this.every(milliseconds, action),
      soon: (action) => {
        this.after(delayMs(), action);
      },
    };
  }

  every(milliseconds: number, action: () => void): TimerHandle {
    let next: TimerHandle | null = null;
    const arm = (): void => {
      next = this.after(milliseconds, () => {
        arm();
        action();
      });
    };
    arm();
    return { cancel: () => next?.cancel() };
  }
}

const immediately = setImmediate;

/** Everything that waits for nothing is done. */
function turnOver(): Promise<void> {
  return new Promise((resolve) => {
    immediately(resolve);
  });
}
