import type { Timers } from '@robustmq/environment';

/**
 * One reading for all who ask in the same turn. It begins when the turn is over, so it is as new as each
 * of them needs: nothing that was written before somebody asked is missing.
 */
export class SharedReading<Value> {
  readonly #timers: Timers;
  readonly #read: () => Promise<Value>;
  #next: Promise<Value> | null = null;

  constructor(timers: Timers, read: () => Promise<Value>) {
    this.#timers = timers;
    this.#read = read;
  }

  /** Rejects as the reading does. */
  ask(): Promise<Value> {
    this.#next ??= new Promise<void>((resolve) => this.#timers.soon(resolve)).then(() => {
      this.#next = null;
      return this.#read();
    });
    return this.#next;
  }
}
