/**
 * Deadlines for whole populations of sockets: handshakes and orderly ends.
 *
 * One coarse sweep serves the process, instead of a timer per connection. It runs only while
 * something is armed and does not keep the process alive. Cost: O(armed) per sweep, and connections
 * that are neither shaking hands nor ending are not armed.
 */
export interface Expiring {
  /** Called once, not before the deadline and at most one sweep after it. */
  deadlinePassed(): void;
}

/** How late a deadline may be noticed. */
export const SWEEP_INTERVAL_MS = 100;

const dueAtMs = new Map<Expiring, number>();
let sweepTimer: NodeJS.Timeout | null = null;

/** Sets or replaces the one deadline of `target`. */
export function armDeadline(target: Expiring, afterMs: number): void {
  dueAtMs.set(target, performance.now() + afterMs);
  if (sweepTimer !== null) return;
  sweepTimer = setInterval(() => {
    sweepDeadlines(performance.now());
  }, SWEEP_INTERVAL_MS);
  sweepTimer.unref();
}

/** Idempotent. */
export function disarmDeadline(target: Expiring): void {
  dueAtMs.delete(target);
}

/** How many targets are armed; for tests and diagnosis. */
export function armedDeadlines(): number {
  return dueAtMs.size;
}

function sweepDeadlines(nowMs: number): void {
  for (const [target, dueAt] of dueAtMs) {
    if (dueAt > nowMs) continue;
    dueAtMs.delete(target);
    target.deadlinePassed();
  }
  if (dueAtMs.size === 0 && sweepTimer !== null) {
    clearInterval(sweepTimer);
    sweepTimer = null;
  }
}
