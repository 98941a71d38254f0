/** Names one scheduled call, for cancelling it. */
export interface TimerHandle {
  /** Forgets the call if it has not begun. Idempotent. */
  cancel(): void;
}

/** Runs things later. A pending call keeps the process alive. */
export interface Timers {
  after(milliseconds: number, action: () => void): TimerHandle;
  /** Once per period, first after one period. */
  every(milliseconds: number, action: () => void): TimerHandle;
  /** After the input and output of this turn of the event loop. */
  soon(action: () => void): void;
}

export const systemTimers: Timers = {
  after(milliseconds, action) {
    const timeout = setTimeout(action, milliseconds);
    return { cancel: () => clearTimeout(timeout) };
  },
  every(milliseconds, action) {
    const interval = setInterval(action, milliseconds);
    return { cancel: () => clearInterval(interval) };
  },
  soon(action) {
    setImmediate(action);
  },
};

/** Ends this turn of the event loop, so that others have theirs before a long work goes on. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
