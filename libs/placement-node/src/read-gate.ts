/**
 * One proof of leadership for all reads that wait for one (Raft thesis §6.4).
 *
 * A barrier covers a read only if it began after the read was asked for. So at most one runs, and
 * everything asked for meanwhile shares the next one.
 */
export class ReadGate {
  readonly #barrier: () => Promise<unknown>;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  /** @param barrier  resolves once the state shows everything acknowledged before the call; has its own deadline */
  constructor(barrier: () => Promise<unknown>) {
    this.#barrier = barrier;
  }

  /** Settles as a barrier that begins after this call. */
  pass(): Promise<void> {
    if (this.#next !== null) return this.#next;
    // Even an idle gate waits for the end of this turn's calls: they share the round.
    const before = this.#running ?? Promise.resolve();
    const next = before.then(
      () => this.#begin(),
      () => this.#begin(),
    );
    this.#next = next;
    return next;
  }

  #begin(): Promise<void> {
    this.#next = null;
    const running = this.#barrier().then(() => {
      if (this.#running === running) this.#running = null;
    });
    this.#running = running;
    running.catch(() => {
      if (this.#running === running) this.#running = null;
    });
    return running;
  }
}
