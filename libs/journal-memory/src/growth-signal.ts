/** Wakes those who wait for more: each once, in the order in which they came. */
export class GrowthSignal {
  #waiting: (() => void)[] = [];

  /** Calls `wake` at the next growth. The waiter goes on waiting by itself when that was not enough. */
  wait(wake: () => void): void {
    this.#waiting.push(wake);
  }

  /** For a waiter that has ended: it holds nothing any more. */
  forget(wake: () => void): void {
    const at = this.#waiting.indexOf(wake);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  grown(): void {
    const woken = this.#waiting;
    this.#waiting = [];
    for (const wake of woken) wake();
  }
}
