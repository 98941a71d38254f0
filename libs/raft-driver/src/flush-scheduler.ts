/**
 * One round of flushes at a time for all groups of a host: what gathers while one runs goes with
 * the next one (group commit). Files of one round are flushed in parallel.
 */

export interface Flushing {
  /** Flushes what waits, or the first part of it, and tells whoever is concerned. Never rejects. */
  flushWaiting(): Promise<void>;
}

export class FlushScheduler {
  #dirty = new Set<Flushing>();
  #isRunning = false;
  readonly #onRoundOver: () => void;
  rounds = 0;

  /** @param onRoundOver  lets what gathered meanwhile join the next round */
  constructor(onRoundOver: () => void) {
    this.#onRoundOver = onRoundOver;
  }

  mark(log: Flushing): void {
    this.#dirty.add(log);
  }

  /** Begins a round unless one is under way, which another follows by itself. */
  start(): void {
    if (this.#isRunning || this.#dirty.size === 0) return;
    this.#isRunning = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    while (this.#dirty.size > 0) {
      const round = [...this.#dirty];
      this.#dirty = new Set();
      this.rounds += 1;
      const only = round[0];
      if (round.length === 1 && only !== undefined) await only.flushWaiting();
      else await Promise.all(round.map((log) => log.flushWaiting()));
      this.#onRoundOver();
    }
    this.#isRunning = false;
  }
}
