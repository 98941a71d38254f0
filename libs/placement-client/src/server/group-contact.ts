/**
 * Whether a member still hears of its group, for those who watch at it.
 *
 * A member that is cut off from the others applies nothing, and a watch at it would be quiet for ever
 * without an error. So while somebody watches, a linearizable read is made every few seconds; when it
 * fails, all watches end with PLACEMENT_UNAVAILABLE, and their clients go on at another member. One
 * read for all of them.
 */

import type { TimerHandle, Timers } from '@robustmq/environment';
import { type Placement, PlacementError } from '@robustmq/placement';

/** How contact is made sure of. */
export interface GroupContactOptions {
  readonly timers: Timers;
  /** From the end of one read to the next, and how long a read may take. */
  readonly checkEveryMs: number;
}

/** Of any range that holds nothing: only that it is answered counts. */
const NOTHING = {
  range: { first: '', after: '' },
  limit: 1,
  content: 'count',
  consistency: 'linearizable',
} as const;

/** Asks only while somebody depends on the answer. */
export class GroupContact {
  readonly #placement: Placement;
  readonly #options: GroupContactOptions;
  readonly #dependents = new Set<AbortController>();
  #timer: TimerHandle | null = null;

  constructor(placement: Placement, options: GroupContactOptions) {
    this.#placement = placement;
    this.#options = options;
  }

  /** A signal that is aborted with a `PlacementError` when contact is lost, until `leave` is called. */
  join(): { readonly lost: AbortSignal; leave(): void } {
    const dependent = new AbortController();
    this.#dependents.add(dependent);
    this.#timer ??= this.#checkLater();
    return { lost: dependent.signal, leave: () => this.#leave(dependent) };
  }

  #leave(dependent: AbortController): void {
    this.#dependents.delete(dependent);
    if (this.#dependents.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #checkLater(): TimerHandle {
    const { timers, checkEveryMs } = this.#options;
    return timers.after(checkEveryMs, () => void this.#check());
  }

  async #check(): Promise<void> {
    const begun = this.#timer;
    try {
      const options = { deadlineMs: this.#options.checkEveryMs, signal: null };
      await this.#placement.range(NOTHING, options);
    } catch (error) {
      if (!(error instanceof PlacementError)) throw error;
      const detail = `this member has lost its group: ${error.message}`;
      const lost = new PlacementError({ code: 'PLACEMENT_UNAVAILABLE', detail });
      for (const dependent of this.#dependents) dependent.abort(lost);
    }
    // Everybody may have left meanwhile, and others may have come with a timer of their own.
    if (this.#timer === begun) this.#timer = this.#dependents.size > 0 ? this.#checkLater() : null;
  }
}
