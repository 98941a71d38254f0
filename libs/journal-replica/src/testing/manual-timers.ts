import { ManualClock, type TimerHandle, type Timers } from '@robustmq/environment';

interface Scheduled {
  dueMs: number;
  readonly everyMs: number | null;
  readonly action: () => void;
}

/** Time stands still until a test moves it; `soon` runs in a later turn of the event loop. */
export class ManualTimers implements Timers {
  readonly clock: ManualClock = new ManualClock(1_700_000_000_000);
  readonly #scheduled = new Set<Scheduled>();

  after(milliseconds: number, action: () => void): TimerHandle {
    return this.#add({ dueMs: this.#nowMs + milliseconds, everyMs: null, action });
  }

  every(milliseconds: number, action: () => void): TimerHandle {
    return this.#add({ dueMs: this.#nowMs + milliseconds, everyMs: milliseconds, action });
  }

  soon(action: () => void): void {
    setImmediate(action);
  }

  /** Lets time pass, then runs what is due, each once. */
  advance(milliseconds: number): void {
    this.clock.advance(milliseconds);
    for (const each of [...this.#scheduled]) {
      if (each.dueMs > this.#nowMs || !this.#scheduled.has(each)) continue;
      if (each.everyMs === null) this.#scheduled.delete(each);
      else each.dueMs = this.#nowMs + each.everyMs;
      each.action();
    }
  }

  get #nowMs(): number {
    return this.clock.monotonicMs();
  }

  #add(scheduled: Scheduled): TimerHandle {
    this.#scheduled.add(scheduled);
    return { cancel: () => void this.#scheduled.delete(scheduled) };
  }
}

/** Lets everything that is under way without the passing of time come to its end. */
export async function settle(turns: number = 40): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
