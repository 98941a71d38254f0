/** Counts ticks of the monotonic clock; its one timer runs only while someone needs it. */
import type { Clock, TimerHandle, Timers } from '@robustmq/environment';

export class TickSource {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly tickMs: number;
  readonly #onTick: () => 'needed' | 'idle';
  #timer: TimerHandle | null = null;

  constructor(
    environment: { readonly clock: Clock; readonly timers: Timers },
    tickMs: number,
    onTick: () => 'needed' | 'idle',
  ) {
    this.#clock = environment.clock;
    this.#timers = environment.timers;
    this.tickMs = tickMs;
    this.#onTick = onTick;
  }

  /** Ticks since some start. */
  get now(): number {
    return Math.floor(this.#clock.monotonicMs() / this.tickMs);
  }

  get nowMs(): number {
    return this.#clock.monotonicMs();
  }

  need(): void {
    this.#timer ??= this.#timers.every(this.tickMs, () => {
      if (this.#onTick() === 'idle') this.stop();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
