interface Open {
  count: number;
  waiting: (() => void)[];
}

/** How many appends of each producer this replica has proposed that have no outcome yet. */
export class AppendsUnderWay {
  readonly #byProducer = new Map<number, Open>();

  begin(producer: number): void {
    const open = this.#byProducer.get(producer);
    if (open === undefined) this.#byProducer.set(producer, { count: 1, waiting: [] });
    else open.count += 1;
  }

  /** The outcome of one is known, or that it never will be. */
  end(producer: number): void {
    const open = this.#byProducer.get(producer);
    if (open === undefined) return;
    open.count -= 1;
    if (open.count > 0) return;
    this.#byProducer.delete(producer);
    for (const resolve of open.waiting) resolve();
  }

  /** Waits until the producer has none open; each has a deadline of its own. */
  async settled(producer: number): Promise<void> {
    const open = this.#byProducer.get(producer);
    if (open !== undefined) await new Promise<void>((resolve) => open.waiting.push(resolve));
  }
}
