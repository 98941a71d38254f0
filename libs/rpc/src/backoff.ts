import type { RandomSource } from '@robustmq/environment';

/** How long to wait between attempts. */
export interface BackoffOptions {
  /** The first pause, before chance shortens it. */
  readonly firstMs: number;
  readonly longestMs: number;
}

/**
 * Pauses that double, each shortened by chance to between half and all of it: those who lost the same
 * server do not come back together.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: RandomSource;
  #attempts = 0;

  constructor(options: BackoffOptions, random: RandomSource) {
    this.#options = options;
    this.#random = random;
  }

  /** Milliseconds to wait before the next attempt. */
  nextMs(): number {
    const { firstMs, longestMs } = this.#options;
    const wholeMs = Math.min(longestMs, firstMs * 2 ** Math.min(this.#attempts, 30));
    this.#attempts += 1;
    return wholeMs * (0.5 + this.#random.uint32() / 0x2_0000_0000);
  }

  /** After an attempt that succeeded: the next pause is the first again. */
  reset(): void {
    this.#attempts = 0;
  }
}
