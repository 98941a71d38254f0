import type { Clock, RandomSource } from '@robustmq/environment';

/** What lanes run on. */
export interface LanesOptions {
  readonly clock: Clock;
  readonly random: RandomSource;
  /** So many at once; what would be more is not begun. */
  readonly lanesMax: number;
  /** Called after each end. Must not throw. */
  onEnd(): void;
}

const PAUSE_MS_MIN = 200;
/** LIMIT: shardRetryMsMax (no step that fails is left alone for longer, or tried more often than that). */
const shardRetryMsMax = 30_000;

/** Work by name: one piece at a time for each, and a pause after one that failed, longer each time. */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #running = new Map<string, Promise<void>>();
  readonly #failures = new Map<string, { readonly count: number; readonly untilMs: number }>();

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  /** @returns whether it was begun: not while its lane is taken or rests, or all are taken */
  begin(name: string, work: () => Promise<void>): boolean {
    const { clock, lanesMax } = this.#options;
    const { untilMs } = this.#failures.get(name) ?? { untilMs: -Infinity };
    if (this.#running.has(name) || this.#running.size >= lanesMax) return false;
    if (clock.monotonicMs() < untilMs) return false;
    this.#running.set(name, this.#run(name, work));
    return true;
  }

  /** Resolves once nothing runs. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  async #run(name: string, work: () => Promise<void>): Promise<void> {
    // The lane is taken before the work begins, even if that fails at once.
    await Promise.resolve();
    try {
      await work();
      this.#failures.delete(name);
    } catch {
      this.#rest(name);
    } finally {
      this.#running.delete(name);
      this.#options.onEnd();
    }
  }

  #rest(name: string): void {
    const { clock, random } = this.#options;
    const count = (this.#failures.get(name)?.count ?? 0) + 1;
    const longest = Math.min(shardRetryMsMax, PAUSE_MS_MIN * 2 ** Math.min(count - 1, 20));
    const pauseMs = longest * (0.5 + random.uint32() / 0x2_0000_0000);
    this.#failures.set(name, { count, untilMs: clock.monotonicMs() + pauseMs });
  }
}
