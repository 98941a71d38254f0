/**
 * A client with a lease: takes one, hangs a key on it, keeps it alive for a while, then gives it back
 * or forgets it. Every answer is a promise that the lease lives on for its time from the question on.
 */
import type { LeaseId } from '@robustmq/placement';
import { Caller } from './caller.ts';
import { putUnderLease } from './client-command.ts';
import type { Reply } from './requests.ts';
import type { World } from './world.ts';

/** Keys under this prefix go with their lease and in no other way. */
export const HELD_KEYS = 'held/';

type Final = Exclude<Reply, { readonly kind: 'retry' }>;

export class LeaseHolder {
  readonly #world: World;
  readonly #caller: Caller;
  readonly #name: string;
  #count = 0;
  #lease: { readonly id: LeaseId; readonly ttlSeconds: number } | null = null;
  #stopped = false;

  constructor(world: World, number: number) {
    this.#world = world;
    this.#caller = new Caller(world);
    this.#name = `holder${number}`;
  }

  start(): void {
    this.#later(500, () => this.#grant());
  }

  /** Keeps nothing alive any more. */
  stop(): void {
    this.#stopped = true;
    this.#caller.giveUp();
  }

  #grant(): void {
    this.#lease = null;
    this.#count += 1;
    const ttlSeconds = this.#world.random.between(1, 4);
    const requestId = `${this.#name}-grant-${this.#count}`;
    const command = { kind: 'grantLease', id: null, ttlSeconds, requestId } as const;
    const askedAtMs = this.#world.queue.nowMs;
    this.#caller.call({ kind: 'propose', command }, (reply) => {
      if (reply.kind !== 'outcome' || reply.outcome.kind !== 'leaseGranted') return this.#start();
      const { id } = reply.outcome;
      this.#lease = { id, ttlSeconds };
      this.#promised(askedAtMs);
      this.#attach(id);
    });
  }

  #attach(id: LeaseId): void {
    const name = `${this.#name}-${this.#count}`;
    const command = putUnderLease(HELD_KEYS + this.#name, this.#count, id, name);
    this.#caller.call({ kind: 'propose', command }, () => this.#keepLater());
  }

  #keepLater(): void {
    const ttlMs = (this.#lease?.ttlSeconds ?? 1) * 1_000;
    this.#later(ttlMs / 3, () => this.#keep());
  }

  #keep(): void {
    const { random } = this.#world;
    const id = this.#lease?.id;
    if (id === undefined || random.chance(0.05)) return this.#start(); // Forgotten.
    if (random.chance(0.05)) return this.#revoke(id);
    this.#caller.call({ kind: 'keepLease', id }, (reply, sentAtMs) => this.#kept(reply, sentAtMs));
  }

  #kept(reply: Final, sentAtMs: number): void {
    if (reply.kind !== 'kept') return this.#start();
    this.#promised(sentAtMs);
    this.#keepLater();
  }

  #revoke(id: LeaseId): void {
    const command = { kind: 'revokeLease', id, reason: 'asked' } as const;
    this.#world.checkers.leases.givenBack(id);
    this.#world.tally.add('lease revoked');
    this.#caller.call({ kind: 'propose', command }, () => this.#start());
  }

  #promised(fromMs: number): void {
    if (this.#lease === null) return;
    const { checkers, profile } = this.#world;
    const { id, ttlSeconds } = this.#lease;
    // The leader's clock may run fast by this share.
    checkers.leases.promised(id, fromMs + (ttlSeconds * 1_000) / (1 + profile.clockSkew));
  }

  #start(): void {
    this.#lease = null;
    this.#later(1_000, () => this.#grant());
  }

  #later(delayMs: number, run: () => void): void {
    const { queue, random } = this.#world;
    queue.after(random.below(delayMs) + 1, () => {
      if (!this.#stopped) run();
    });
  }
}
