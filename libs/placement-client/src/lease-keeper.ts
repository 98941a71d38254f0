/**
 * Keeps a lease alive, and says in time when that fails.
 *
 *     sent ──▶ kept          sent + ttl/3: again           sent + ttl − margin: given up
 *      │─────────────────────────│──────────────────────────────│────────▶
 *
 * The server counts from when it gets the request, which is not before it was sent. So the lease stands
 * at least until the last successful request was sent plus its time to live, less a margin for clocks
 * that do not run equally fast. Whoever acts on the lease must stop then, whether or not the server is
 * heard of: a successor may act from then on.
 */

import type { Clock, TimerHandle, Timers } from '@robustmq/environment';
import { type Lease, type LeaseId, type Placement, PlacementError } from '@robustmq/placement';

/** A lease that is kept alive until it is lost or stopped. */
export interface KeptLease {
  readonly id: LeaseId;
  /** Aborted when the lease has ended, or may end now; its reason is a `PlacementError`. */
  readonly lost: AbortSignal;
  /** Keeps it no more; it ends by itself, or is revoked by the caller. Idempotent. */
  stop(): void;
}

/** What time is measured with. */
export interface LeaseKeeperOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  /** `clock.monotonicMs()` just before the lease was granted or last kept. */
  readonly keptAtMs: number;
}

/** A twentieth of the time to live. */
const MARGIN = 0.05;

/** Sends the first request at once if a third of the time to live has passed already. */
export function keepLeaseAlive(
  placement: Placement,
  lease: Lease,
  options: LeaseKeeperOptions,
): KeptLease {
  const keeper = new LeaseKeeper(placement, lease, options);
  keeper.begin();
  return keeper;
}

class LeaseKeeper implements KeptLease {
  readonly id: LeaseId;
  readonly #placement: Placement;
  readonly #options: LeaseKeeperOptions;
  readonly #lost = new AbortController();
  readonly #stopped = new AbortController();
  readonly #ttlMs: number;
  #keptAtMs: number;
  #expiry: TimerHandle | null = null;
  #renewal: TimerHandle | null = null;

  constructor(placement: Placement, lease: Lease, options: LeaseKeeperOptions) {
    this.id = lease.id;
    this.#placement = placement;
    this.#options = options;
    this.#ttlMs = lease.ttlSeconds * 1000;
    this.#keptAtMs = options.keptAtMs;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  begin(): void {
    this.#watchExpiry();
    this.#renewAfter(this.#keptAtMs + this.#ttlMs / 3 - this.#nowMs());
  }

  stop(): void {
    this.#stopped.abort();
    this.#expiry?.cancel();
    this.#renewal?.cancel();
  }

  #renewAfter(milliseconds: number): void {
    if (this.#stopped.signal.aborted) return;
    const { timers } = this.#options;
    this.#renewal = timers.after(Math.max(0, milliseconds), () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const sentAtMs = this.#nowMs();
    // A third, so that two more attempts fit before the end.
    const options = { deadlineMs: Math.max(1, this.#ttlMs / 3), signal: this.#stopped.signal };
    try {
      await this.#placement.keepLease(this.id, options);
      if (this.#stopped.signal.aborted) return;
      this.#keptAtMs = sentAtMs;
      this.#watchExpiry();
      this.#renewAfter(sentAtMs + this.#ttlMs / 3 - this.#nowMs());
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      const code = error instanceof PlacementError ? error.fault.code : null;
      if (code === 'PLACEMENT_LEASE_NOT_FOUND' || code === 'PLACEMENT_CLOSED') this.#lose(error);
      else this.#renewAfter(this.#ttlMs / 20);
    }
  }

  /** Set anew whenever the lease was kept. */
  #watchExpiry(): void {
    this.#expiry?.cancel();
    const sureUntilMs = this.#keptAtMs + this.#ttlMs * (1 - MARGIN);
    this.#expiry = this.#options.timers.after(Math.max(0, sureUntilMs - this.#nowMs()), () => {
      this.#lose(new PlacementError({ code: 'PLACEMENT_LEASE_NOT_FOUND', lease: this.id }));
    });
  }

  #lose(reason: unknown): void {
    this.stop();
    this.#lost.abort(reason);
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }
}
