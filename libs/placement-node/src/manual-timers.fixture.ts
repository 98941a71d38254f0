import { ManualClock, type TimerHandle, type Timers } from '@robustmq/environment';

/** Timers that fire when the test moves the time; `soon` is the event loop's own. */
export class ManualTimers implements Timers {
  readonly clock: ManualClock = new ManualClock(0);
  readonly #pending = new Set<{ atMs: number; readonly everyMs: number | null; run: () => void }>();

  after(milliseconds: number, action: () => void): TimerHandle {
    return this.#add(milliseconds, null, action);
  }

  every(milliseconds: number, action: () => void): TimerHandle {
    return this.#add(milliseconds, milliseconds, action);
  }

  soon(action: () => void): void {
    setImmediate(action);
  }

  /** Moves the time in small steps and lets promises settle after each. */
  async advance(milliseconds: number): Promise<void> {
    const endMs = this.clock.monotonicMs() + milliseconds;
    await turn();
    for (;;) {
      const [next] = [...this.#pending].toSorted((left, right) => left.atMs - right.atMs);
      if (next === undefined || next.atMs > endMs) break;
      this.clock.advance(next.atMs - this.clock.monotonicMs());
      if (next.everyMs === null) this.#pending.delete(next);
      else next.atMs += next.everyMs;
      next.run();
      await turn();
    }
    this.clock.advance(endMs - this.clock.monotonicMs());
  }

  #add(milliseconds: number, everyMs: number | null, run: () => void): TimerHandle {
    const timer = { atMs: this.clock.monotonicMs() + milliseconds, everyMs, run };
    this.#pending.add(timer);
    return { cancel: () => this.#pending.delete(timer) };
  }
}

/** Lets everything that is ready run. */
export async function turn(): Promise<void> {
  for (let round = 0; round < 3; round += 1) await new Promise((resolve) => setImmediate(resolve));
}
