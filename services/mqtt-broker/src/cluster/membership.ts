import type { Clock, RandomSource, Timers } from '@robustmq/environment';
import type { Placement } from '@robustmq/placement';
import { keepLeaseAlive, type KeptLease } from '@robustmq/placement-client';
import {
  type NodeDescription,
  type NodeRegistry,
  pause,
  type Registration,
} from '@robustmq/placement-registry';
import { Backoff } from '@robustmq/rpc';

/** Told of the lives of this broker, in turn. Must not throw. */
export interface MembershipEvents {
  /** It is registered, and acts as this incarnation from now on. */
  begun(registration: Registration): void;
  /**
   * The lease has ended, or may have, or a successor has registered: nothing that this incarnation
   * promised may be acted on any more.
   */
  over(registration: Registration, reason: unknown): void;
  failed(error: unknown): void;
}

/**
 * Keeps this broker registered: one incarnation after the other, each under a lease of its own.
 *
 *     register ──▶ begun ──▶ lease kept alive ──▶ lost ──▶ over ──▶ register …
 */
export class Membership {
  readonly #parts: MembershipParts;
  readonly #stopped = new AbortController();
  #current: Registration | null = null;
  #kept: KeptLease | null = null;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  /** null: between two lives. */
  get registration(): Registration | null {
    return this.#current;
  }

  /** Registers once. @throws PlacementError, RegistryError when the placement center does not answer */
  async begin(): Promise<void> {
    const { nodes, placement, node, leaseSeconds, clock, timers, callDeadlineMs, events } =
      this.#parts;
    const keptAtMs = clock.monotonicMs();
    const life = { ttlSeconds: leaseSeconds, nowMs: clock.nowMs() };
    const call = { deadlineMs: callDeadlineMs, signal: this.#stopped.signal };
    const description = { ...node, extendInfo: this.#parts.extendInfo() };
    const registration = await nodes.register(description, life, call);
    const lease = { id: registration.lease, ttlSeconds: leaseSeconds };
    const kept = keepLeaseAlive(placement, lease, { clock, timers, keptAtMs });
    if (this.#stopped.signal.aborted) {
      kept.stop();
      return;
    }
    this.#kept = kept;
    this.#current = registration;
    events.begun(registration);
    const ended = (): void => this.#ended(registration, kept.lost.reason);
    if (kept.lost.aborted) ended();
    else kept.lost.addEventListener('abort', ended, { once: true });
  }

  /** Says goodbye, so that nobody waits for the end of the lease. Does not wait long for an answer. */
  async stop(): Promise<void> {
    const registration = this.#current;
    this.#stopped.abort();
    this.#kept?.stop();
    this.#current = null;
    if (registration === null) return;
    const call = { deadlineMs: this.#parts.callDeadlineMs, signal: null };
    await this.#parts.placement
      .revokeLease(registration.lease, call)
      .catch((error: unknown) => this.#parts.events.failed(error));
  }

  /** This life is over, whoever says so: its lease is given back, and the next one begins. */
  abandon(registration: Registration, reason: unknown): void {
    if (this.#current !== registration) return;
    this.#kept?.stop();
    const call = { deadlineMs: this.#parts.callDeadlineMs, signal: null };
    // It may have ended long ago.
    this.#parts.placement.revokeLease(registration.lease, call).catch(() => {});
    this.#ended(registration, reason);
  }

  /** As a process that is killed: the lease is left to end. */
  kill(): void {
    this.#stopped.abort();
    this.#kept?.stop();
    this.#current = null;
  }

  #ended(registration: Registration, reason: unknown): void {
    if (this.#current !== registration) return;
    this.#current = null;
    this.#kept = null;
    this.#parts.events.over(registration, reason);
    void this.#beginAgain();
  }

  /** Never rejects. */
  async #beginAgain(): Promise<void> {
    const { timers, random, events } = this.#parts;
    const backoff = new Backoff({ firstMs: 50, longestMs: 2_000 }, random);
    while (!this.#stopped.signal.aborted) {
      try {
        await this.begin();
        return;
      } catch (error) {
        events.failed(error);
        await pause(timers, backoff.nextMs(), this.#stopped.signal);
      }
    }
  }
}

export interface MembershipParts {
  readonly nodes: NodeRegistry;
  readonly placement: Placement;
  readonly node: Omit<NodeDescription, 'extendInfo'>;
  /** As it is when a life begins. */
  extendInfo(): string;
  readonly leaseSeconds: number;
  readonly callDeadlineMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly events: MembershipEvents;
}
