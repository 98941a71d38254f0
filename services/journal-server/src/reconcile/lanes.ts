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

/** `later`: it could not be ended yet, and is to be begun again after a moment. */
export type LaneOutcome = 'ended' | 'later';

/** Work by name: one piece at a time for each, and a pause after one that failed, longer each time. */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #running = new Map<string, Promise<void>>();
  readonly #failures = new Map<string, { readonly count: number; readonly untilMs: number }>();

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  /** @returns whether it was begun: not while its lane is taken or rests, or all are taken */
  begin(name: string, work: () => Promise<LaneOutcome>): boolean {
    const { clock, lanesMax } = this.#options;
    const { untilMs } = this.#failures.get(name) ?? { untilMs: -Infinity };
    if (this.#running.has(name) || this.#running.size >= lanesMax) return false;
    if (clock.monotonicMs() < untilMs) return false;
    this.#running.set(name, this.#run(name, work));
    return true;
  }

  /** Until the first lane that rests may go on; Infinity: none rests. */
  restMs(): number {
    const nowMs = this.#options.clock.monotonicMs();
    let restMs = Number.POSITIVE_INFINITY;
    for (const [name, { untilMs }] of this.#failures) {
      // A shard that has nothing to do for so long begins without a past, or is gone.
      if (untilMs < nowMs - shardRetryMsMax) this.#failures.delete(name);
      // One that is due and was not begun has nothing to do any more, or no free lane.
      if (untilMs > nowMs) restMs = Math.min(restMs, untilMs - nowMs);
    }
    return restMs;
  }

  /** Resolves once nothing runs. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  async #run(name: string, work: () => Promise<LaneOutcome>): Promise<void> {
    // The lane is taken before the work begins, even if that fails at once.
    await Promise.resolve();
    try {
      const outcome = await work();
      this.#failures.delete(name);
      if (outcome === 'later') this.#rest(name, 0);
    } catch {
      this.#rest(name, (this.#failures.get(name)?.count ?? 0) + 1);
    } finally {
      this.#running.delete(name);
      this.#options.onEnd();
    }
  }

  #rest(name: string, count: number): void {
    const { clock, random } = this.#options;
    const doublings = Math.min(Math.max(0, count - 1), 20);
    const longest = Math.min(shardRetryMsMax, PAUSE_MS_MIN * 2 ** doublings);
    const pauseMs = longest * (0.5 + random.uint32() / 0x2_0000_0000);
    this.#failures.set(name, { count, untilMs: clock.monotonicMs() + pauseMs });
  }
}
