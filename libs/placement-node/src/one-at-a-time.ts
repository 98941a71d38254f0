/** Runs asynchronous steps one after the other, in the order in which they were asked for. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  run<Value>(step: () => Promise<Value>): Promise<Value> {
    const run = this.#last.then(step, step);
    this.#last = run;
    return run;
  }
}
