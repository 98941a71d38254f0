/**
 * Loops that only the leader runs, such as the search for dead nodes.
 *
 * A controller may be stopped between any two steps: its next run, here or on another member, sees
 * what the last one left. So it decides from the state alone, and acts by transactions.
 */
import type { TimerHandle, Timers } from '@robustmq/environment';

export interface Controller {
  readonly name: string;
  /**
   * Runs until the signal aborts, then settles soon. One that settles or rejects earlier is started
   * again after a pause.
   */
  run(signal: AbortSignal): Promise<void>;
}

const RESTART_MS = 1000;

export interface ControllerFailure {
  readonly controller: string;
  readonly error: unknown;
}

export class Controllers {
  readonly #controllers: readonly Controller[];
  readonly #timers: Timers;
  readonly #onFailure: (failure: ControllerFailure) => void;
  #stopping: AbortController | null = null;
  readonly #running = new Set<Promise<void>>();
  readonly #restarts = new Set<TimerHandle>();

  constructor(
    controllers: readonly Controller[],
    timers: Timers,
    onFailure: (failure: ControllerFailure) => void,
  ) {
    this.#controllers = controllers;
    this.#timers = timers;
    this.#onFailure = onFailure;
  }

  start(): void {
    if (this.#stopping !== null) return;
    this.#stopping = new AbortController();
    for (const controller of this.#controllers) this.#run(controller, this.#stopping.signal);
  }

  /** Aborts all; resolves when all have settled. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping?.abort();
    this.#stopping = null;
    for (const restart of this.#restarts) restart.cancel();
    this.#restarts.clear();
    await Promise.all(this.#running);
  }

  #run(controller: Controller, signal: AbortSignal): void {
    const run = attempt(controller, signal)
      .catch((error: unknown) => {
        if (!signal.aborted) this.#onFailure({ controller: controller.name, error });
      })
      .then(() => {
        this.#running.delete(run);
        if (!signal.aborted) this.#restartLater(controller, signal);
      });
    this.#running.add(run);
  }

  #restartLater(controller: Controller, signal: AbortSignal): void {
    const restart = this.#timers.after(RESTART_MS, () => {
      this.#restarts.delete(restart);
      if (!signal.aborted) this.#run(controller, signal);
    });
    this.#restarts.add(restart);
  }
}

/** A controller that throws before its first await fails like one that throws later. */
async function attempt(controller: Controller, signal: AbortSignal): Promise<void> {
  await controller.run(signal);
}
