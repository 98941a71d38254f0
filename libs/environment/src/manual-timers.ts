import { ManualClock } from './clock.ts';
import { nextTurn, type TimerHandle, type Timers } from './timers.ts';

interface Scheduled {
  dueMs: number;
  readonly everyMs: number | null;
  readonly action: () => void;
}

/** How many turns of the event loop let files and promises come to rest between two timers. */
const TURNS_BETWEEN_TIMERS = 3;

/** Time stands still until a test moves it; `soon` runs in a later turn of the event loop. */
export class ManualTimers implements Timers {
  readonly clock: ManualClock;
  readonly #scheduled = new Set<Scheduled>();

  /** @param nowMs  what the clock shows at first, in milliseconds since 1970 */
  constructor(nowMs: number) {
    this.clock = new ManualClock(nowMs);
  }

  /** In how many milliseconds each call that waits is due. */
  get waitsMs(): readonly number[] {
    return [...this.#scheduled].map((each) => each.dueMs - this.#nowMs);
  }

  after(milliseconds: number, action: () => void): TimerHandle {
    return this.#add({ dueMs: this.#nowMs + milliseconds, everyMs: null, action });
  }

  every(milliseconds: number, action: () => void): TimerHandle {
    return this.#add({ dueMs: this.#nowMs + milliseconds, everyMs: milliseconds, action });
  }

  soon(action: () => void): void {
    setImmediate(action);
  }

  /** Lets time pass at once, as for a process that was held up; then runs what is due, each once. */
  advance(milliseconds: number): void {
    this.clock.advance(milliseconds);
    for (const each of [...this.#scheduled]) {
      if (each.dueMs <= this.#nowMs && this.#scheduled.has(each)) this.#run(each);
    }
  }

  /** Moves the time from one timer to the next, and lets what each began come to rest. */
  async elapse(milliseconds: number): Promise<void> {
    const endMs = this.#nowMs + milliseconds;
    await settle(TURNS_BETWEEN_TIMERS);
    for (let next = this.#first(); next !== null && next.dueMs <= endMs; next = this.#first()) {
      this.clock.advance(next.dueMs - this.#nowMs);
      this.#run(next);
      await settle(TURNS_BETWEEN_TIMERS);
    }
    this.clock.advance(endMs - this.#nowMs);
  }

  get #nowMs(): number {
    return this.clock.monotonicMs();
  }

  #first(): Scheduled | null {
    let first: Scheduled | null = null;
    for (const each of this.#scheduled) {
      if (first === null || each.dueMs < first.dueMs) first = each;
    }
    return first;
  }

  #run(each: Scheduled): void {
    if (each.everyMs === null) this.#scheduled.delete(each);
    else each.dueMs = this.#nowMs + each.everyMs;
    each.action();
  }

  #add(scheduled: Scheduled): TimerHandle {
    this.#scheduled.add(scheduled);
    return { cancel: () => void this.#scheduled.delete(scheduled) };
  }
}

/** Lets everything that is under way without the passing of time come to its end. */
export async function settle(turns: number = 40): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await nextTurn();
}
