/** One node's clock: fast or slow by a share, and moved by jumps. Ticks are counted on it. */
export class NodeClock {
  #rate: number;
  #offsetMs = 0;
  #lastTickMs = 0;
  /** What the jumps have added: a monotonic clock does not know of them. */
  #jumpsMs = 0;

  /** @param rate  simulated milliseconds of this clock per millisecond of the simulation */
  constructor(rate: number) {
    this.#rate = rate;
  }

  get rate(): number {
    return this.#rate;
  }

  jump(byMs: number): void {
    this.#offsetMs += byMs;
    this.#jumpsMs += byMs;
  }

  /** Runs at the true rate from now on, without a jump. */
  becomeTrue(nowMs: number): void {
    this.#offsetMs = this.#localMs(nowMs) - nowMs;
    this.#rate = 1;
  }

  /** Fast or slow like the other one, but never set. */
  monotonicMs(nowMs: number): number {
    return this.#localMs(nowMs) - this.#jumpsMs;
  }

  restartTicks(nowMs: number): void {
    this.#lastTickMs = this.#localMs(nowMs);
  }

  /** Takes the ticks that are due. A clock that went back owes none: it starts counting anew. */
  takeTicks(nowMs: number, tickMs: number): number {
    const due = Math.floor((this.#localMs(nowMs) - this.#lastTickMs) / tickMs + 1e-6);
    if (due < 0) this.restartTicks(nowMs);
    if (due <= 0) return 0;
    this.#lastTickMs += due * tickMs;
    return due;
  }

  #localMs(nowMs: number): number {
    return nowMs * this.#rate + this.#offsetMs;
  }
}
