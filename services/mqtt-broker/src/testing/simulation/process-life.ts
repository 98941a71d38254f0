import { type Clock, SeededRandom, type TimerHandle, type Timers } from '@robustmq/environment';
import type { SimulatedTime } from './simulated-time.ts';

/** When simulated time begins, in milliseconds since 1970. */
const EPOCH_MS = 1_800_000_000_000;

/**
 * One life of one process: whatever comes to it comes through here. Paused, it waits; dead, it is lost, so
 * that nothing of the process ever runs again.
 */
export class ProcessLife {
  readonly name: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: SeededRandom;
  readonly #time: SimulatedTime;
  #state: 'running' | 'paused' | 'dead' = 'running';
  #waiting: (() => void)[] = [];

  constructor(name: string, time: SimulatedTime) {
    this.name = name;
    this.#time = time;
    this.random = new SeededRandom(time.random.next());
    this.clock = { nowMs: () => Math.floor(EPOCH_MS + time.nowMs), monotonicMs: () => time.nowMs };
    this.timers = {
      after: (milliseconds, action) => this.#after(milliseconds, action),
      every: (milliseconds, action) => this.#every(milliseconds, action),
      soon: (action) => {
        this.#after(0, action);
      },
    };
  }

  get isAlive(): boolean {
    return this.#state !== 'dead';
  }

  get isPaused(): boolean {
    return this.#state === 'paused';
  }

  run(action: () => void): void {
    if (this.#state === 'running') action();
    else if (this.#state === 'paused') this.#waiting.push(action);
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const action of waiting) this.#time.after(0, () => this.run(action));
  }

  die(): void {
    this.#state = 'dead';
    this.#waiting = [];
  }

  /** What comes back from the outside settles so much later, and only while the process lives. */
  answered<Answer>(outside: Promise<Answer>, delayMs: () => number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const later = (settle: () => void): void => {
        this.#time.after(delayMs(), () => this.run(settle));
      };
      outside.then(
        (answer) => later(() => resolve(answer)),
        (error: unknown) => later(() => reject(error as Error)),
      );
    });
  }

  #after(milliseconds: number, action: () => void): TimerHandle {
    let isCancelled = false;
    const timer = this.#time.after(milliseconds, () =>
      this.run(() => {
        if (!isCancelled) action();
      }),
    );
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }

  #every(milliseconds: number, action: () => void): TimerHandle {
    let isCancelled = false;
    const arm = (): void => {
      this.#after(milliseconds, () => {
        if (isCancelled) return;
        arm();
        action();
      });
    };
    arm();
    return {
      cancel: () => {
        isCancelled = true;
      },
    };
  }
}
