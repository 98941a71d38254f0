/**
 * Ends leases whose time is over. Only the leader does, by a command in the log: so every member sees
 * the same end, and a deposed leader ends nothing.
 *
 * Deadlines live on the leader's monotonic clock and nowhere else. A new leader knows no deadline:
 * it gives every lease its whole time plus an election timeout, so that a lease never ends early
 * because a leader did.
 *
 * Cost: keeping a lease alive is one write into a map; the heap holds one entry per lease.
 */
import type { Clock, TimerHandle, Timers } from '@robustmq/environment';
import { type Lease, type LeaseId, PlacementError } from '@robustmq/placement';
import { ExpiryHeap } from './expiry-heap.ts';

/** LIMIT: lease-expiries-in-flight */
const EXPIRIES_IN_FLIGHT_MAX = 64;
/** A lease that could not be ended is tried again after this long. */
const RETRY_MS = 1000;

export interface LeaseKeeperEdges {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly checkEveryMs: number;
  /** Proposes the end of a lease; resolves once it is applied. */
  readonly expire: (id: LeaseId) => Promise<void>;
  /** Resolves when this member led the group at some time after the call. */
  readonly confirmLeadership: () => Promise<void>;
}

interface KeptLease {
  readonly ttlSeconds: number;
  deadlineMs: number;
  isEnding: boolean;
}

interface Arrivals {
  readonly granted: Lease[];
  readonly ended: Set<LeaseId>;
  readonly revoked: Set<LeaseId>;
}

function noArrivals(): Arrivals {
  return { granted: [], ended: new Set(), revoked: new Set() };
}

export class LeaseKeeper {
  readonly #edges: LeaseKeeperEdges;
  readonly #leases = new Map<LeaseId, KeptLease>();
  readonly #heap = new ExpiryHeap();
  #timer: TimerHandle | null = null;
  /** What was applied since {@link prepare}, until {@link begin}. */
  #arrivals: Arrivals | null = null;
  /** Leases begun to end, whose fate is not known. */
  #ending = 0;
  /** Counts the times this member began or ceased to keep; an answer from before one is dropped. */
  #epoch = 0;

  constructor(edges: LeaseKeeperEdges) {
    this.#edges = edges;
  }

  get isKeeping(): boolean {
    return this.#timer !== null;
  }

  get size(): number {
    return this.#leases.size;
  }

  /** This member is about to lead: the leases are read while others are granted and revoked. */
  prepare(): void {
    this.end();
    this.#arrivals = noArrivals();
  }

  /**
   * This member leads now: every lease gets its time and `graceMs` on top.
   *
   * @param leases  as read after {@link prepare}
   */
  begin(leases: Iterable<Lease>, graceMs: number): void {
    const { granted, ended, revoked } = this.#arrivals ?? noArrivals();
    this.end();
    const nowMs = this.#edges.clock.monotonicMs();
    for (const lease of [...leases, ...granted]) {
      if (revoked.has(lease.id) || this.#leases.has(lease.id)) continue;
      this.#add(ended.has(lease.id) ? { ...lease, ttlSeconds: 0 } : lease, nowMs + graceMs);
    }
    this.#timer = this.#edges.timers.every(this.#edges.checkEveryMs, () => this.#expireDue());
  }

  /** This member does not lead any more. Idempotent. */
  end(): void {
    this.#epoch += 1;
    this.#timer?.cancel();
    this.#timer = null;
    this.#leases.clear();
    this.#heap.clear();
    this.#ending = 0;
    this.#arrivals = null;
  }

  /** A grant was applied. A lease that is known keeps its deadline. */
  granted(lease: Lease): void {
    this.#arrivals?.granted.push(lease);
    if (!this.isKeeping || this.#leases.has(lease.id)) return;
    this.#add(lease, this.#edges.clock.monotonicMs());
  }

  /** A lease has ended, but keys are left: whoever ends it may have stopped half-way. */
  ended(id: LeaseId): void {
    this.#arrivals?.ended.add(id);
    const known = this.#leases.get(id);
    if (known === undefined || known.isEnding) return;
    known.isEnding = true;
    known.deadlineMs = this.#edges.clock.monotonicMs() + RETRY_MS;
    this.#heap.add({ id, atMs: known.deadlineMs });
  }

  /** The end of a lease was applied. */
  revoked(id: LeaseId): void {
    this.#arrivals?.revoked.add(id);
    this.#leases.delete(id);
  }

  /**
   * Lets the lease live for its whole time from this call on.
   *
   * @throws PlacementError PLACEMENT_LEASE_NOT_FOUND, PLACEMENT_NOT_LEADER, and what the proof of
   *   leadership throws; the lease may live longer all the same
   */
  async keep(id: LeaseId): Promise<Lease> {
    const askedMs = this.#edges.clock.monotonicMs();
    const epoch = this.#epoch;
    this.#known(id);
    // A deposed leader would promise time that its successor does not know of.
    await this.#edges.confirmLeadership();
    if (epoch !== this.#epoch) {
      throw new PlacementError({ code: 'PLACEMENT_NOT_LEADER', leader: null });
    }
    const lease = this.#known(id);
    lease.deadlineMs = Math.max(lease.deadlineMs, askedMs + lease.ttlSeconds * 1000);
    return { id, ttlSeconds: lease.ttlSeconds };
  }

  /** Whole seconds until the lease ends unless kept alive; null for one that is not known here. */
  remainingSeconds(id: LeaseId): number | null {
    const lease = this.#leases.get(id);
    if (lease === undefined) return null;
    return Math.max(0, Math.ceil((lease.deadlineMs - this.#edges.clock.monotonicMs()) / 1000));
  }

  #known(id: LeaseId): KeptLease {
    const lease = this.#leases.get(id);
    if (lease === undefined || lease.isEnding) {
      throw new PlacementError({ code: 'PLACEMENT_LEASE_NOT_FOUND', lease: id });
    }
    return lease;
  }

  #add({ id, ttlSeconds }: Lease, fromMs: number): void {
    const deadlineMs = fromMs + ttlSeconds * 1000;
    // No time to live: it has ended, and the leader before did not come to its last keys.
    this.#leases.set(id, { ttlSeconds, deadlineMs, isEnding: ttlSeconds === 0 });
    this.#heap.add({ id, atMs: deadlineMs });
  }

  #expireDue(): void {
    const nowMs = this.#edges.clock.monotonicMs();
    while (this.#ending < EXPIRIES_IN_FLIGHT_MAX) {
      const due = this.#heap.takeDue(nowMs);
      if (due === null) return;
      const id = due.id as LeaseId;
      const lease = this.#leases.get(id);
      if (lease === undefined) continue;
      if (lease.deadlineMs > nowMs) this.#heap.add({ id, atMs: lease.deadlineMs });
      else this.#expire(id, lease);
    }
  }

  #expire(id: LeaseId, lease: KeptLease): void {
    const epoch = this.#epoch;
    lease.isEnding = true;
    this.#ending += 1;
    this.#edges.expire(id).then(
      () => this.#expired(epoch, id, 'gone'),
      () => this.#expired(epoch, id, 'retry'),
    );
  }

  #expired(epoch: number, id: LeaseId, outcome: 'gone' | 'retry'): void {
    if (epoch !== this.#epoch) return;
    this.#ending -= 1;
    if (outcome === 'gone') {
      this.#leases.delete(id);
      this.#expireDue();
      return;
    }
    // It stays ending: nobody may be told that it lives, as its end may be in the log.
    this.#heap.add({ id, atMs: this.#edges.clock.monotonicMs() + RETRY_MS });
  }
}
