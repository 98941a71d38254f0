/** Bounds on work that occupies pool threads. */
export interface VerificationLimits {
  /** Derivations at once; the pool of Node.js has four threads, and the disk needs some of them. */
  readonly runningMax: number;
  /** Waiting beyond that: the next one is refused as `busy`. */
  readonly waitingMax: number;
  /** One that has waited longer is refused as `busy` when its turn comes: its client is gone. */
  readonly waitMsMax: number;
}

/** Runs tasks in the order they come, a few at a time, with a bounded number waiting. */
export class VerificationQueue {
  readonly #limits: VerificationLimits;
  readonly #waiting: { readonly start: () => void }[] = [];
  #running = 0;

  constructor(limits: VerificationLimits) {
    this.#limits = limits;
  }

  /** Settles with the task's outcome, or with `busy` when it is not run. */
  async run<Outcome>(task: () => Promise<Outcome>): Promise<Outcome | 'busy'> {
    if (this.#running >= this.#limits.runningMax) {
      if (this.#waiting.length >= this.#limits.waitingMax) return 'busy';
      const since = performance.now();
      await new Promise<void>((resolve) => this.#waiting.push({ start: resolve }));
      // The place was handed over by the one that ended, so `#running` counts this one already.
      if (performance.now() - since > this.#limits.waitMsMax) {
        this.#release();
        return 'busy';
      }
    } else {
      this.#running += 1;
    }
    try {
      return await task();
    } finally {
      this.#release();
    }
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next.start();
  }
}
