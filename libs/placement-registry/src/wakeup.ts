import type { Timers } from '@robustmq/environment';

/** Something may have changed: the one who waits looks again. Any number of calls wake once. */
export class Wakeup {
  #isPending = false;
  #end: (() => void) | null = null;

  wake(): void {
    this.#isPending = true;
    this.#end?.();
  }

  /** Resolves once woken since the last wait, after a time, or when the signal is aborted. */
  async wait(timers: Timers, milliseconds: number, signal: AbortSignal): Promise<void> {
    if (!this.#isPending && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const end = (): void => {
          handle.cancel();
          signal.removeEventListener('abort', end);
          this.#end = null;
          resolve();
        };
        const handle = timers.after(milliseconds, end);
        signal.addEventListener('abort', end);
        this.#end = end;
      });
    }
    this.#isPending = false;
  }
}
