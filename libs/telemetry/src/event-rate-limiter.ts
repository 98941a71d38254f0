/** How many lines of one event one second may have, and how many were left out. */
interface Window {
  startedAtMs: number;
  written: number;
  suppressed: number;
}

/** The verdict on one line: `write` says how many lines before it were left out. */
export type RateVerdict =
  | { readonly verdict: 'write'; readonly suppressed: number }
  | { readonly verdict: 'suppress' };

const WINDOW_MS = 1_000;

/**
 * At most so many lines a second for each event name, so that a flood of bad clients cannot fill the
 * disk. What is left out is counted and told, by the next line that passes or by `takeSuppressed`.
 *
 * Time is an argument: a clock that jumps back begins a new window. Memory: one entry per event of
 * the catalogue, never per client.
 */
export class EventRateLimiter {
  readonly #windows = new Map<string, Window>();

  admit(event: string, perSecondMax: number, nowMs: number): RateVerdict {
    const window = this.#windows.get(event);
    if (window === undefined) {
      this.#windows.set(event, { startedAtMs: nowMs, written: 1, suppressed: 0 });
      return { verdict: 'write', suppressed: 0 };
    }
    const age = nowMs - window.startedAtMs;
    if (age >= WINDOW_MS || age < 0) {
      const { suppressed } = window;
      window.startedAtMs = nowMs;
      window.written = 1;
      window.suppressed = 0;
      return { verdict: 'write', suppressed };
    }
    if (window.written < perSecondMax) {
      window.written += 1;
      return { verdict: 'write', suppressed: 0 };
    }
    window.suppressed += 1;
    return { verdict: 'suppress' };
  }

  /** What was left out and not yet told, by event; told with this. */
  takeSuppressed(): readonly { readonly event: string; readonly lines: number }[] {
    const told: { event: string; lines: number }[] = [];
    for (const [event, window] of this.#windows) {
      if (window.suppressed === 0) continue;
      told.push({ event, lines: window.suppressed });
      window.suppressed = 0;
    }
    return told;
  }
}
