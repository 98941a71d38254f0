/** The appends of each producer that this replica has proposed and that have no outcome yet. */
export class AppendsUnderWay {
  readonly #byProducer = new Map<number, Set<Promise<unknown>>>();

  add(producer: number, outcome: Promise<unknown>): void {
    let open = this.#byProducer.get(producer);
    if (open === undefined) {
      open = new Set();
      this.#byProducer.set(producer, open);
    }
    open.add(outcome);
    const settle = (): void => this.#remove(producer, outcome);
    outcome.then(settle, settle);
  }

  /** Waits for those of the producer that are open now; each has a deadline of its own. */
  async settled(producer: number): Promise<void> {
    const open = this.#byProducer.get(producer);
    if (open !== undefined) await Promise.allSettled([...open]);
  }

  #remove(producer: number, outcome: Promise<unknown>): void {
    const open = this.#byProducer.get(producer);
    open?.delete(outcome);
    if (open?.size === 0) this.#byProducer.delete(producer);
  }
}
