import type { Subscription } from '@robustmq/broker';
import type { StoredStart } from './session-state.ts';

/**
 * Where subscriptions of one session begin, as far as it matters: messages between the session's place
 * and the moment of a later SUBSCRIBE are not for that subscription. `Subscription.since` holds a number
 * of these, 0: from the session's place on.
 *
 * LIMIT: subscriptionsPerClientMax
 */
export class SubscriptionStarts {
  readonly #shards: number;
  readonly #offsets = new Map<number, readonly number[]>();
  /** By shard: the highest of them. */
  #end: number[] = [];
  #next = 1;

  constructor(shards: number) {
    this.#shards = shards;
  }

  get isEmpty(): boolean {
    return this.#offsets.size === 0;
  }

  /** @returns for `Subscription.since` */
  begin(known: (shard: number) => number, position: (shard: number) => number): number {
    const shards = Array.from({ length: this.#shards }, (_, shard) => shard);
    if (shards.every((shard) => known(shard) <= position(shard))) return 0;
    return this.#add(shards.map(known));
  }

  /** As `stored` gave them. @returns for `Subscription.since` */
  restore(offsets: readonly number[]): number {
    return this.#add(offsets);
  }

  /** Whether a record at this offset may be before some start. */
  mayHold(shard: number, offset: number): boolean {
    return this.#offsets.size > 0 && offset < (this.#end[shard] ?? 0);
  }

  isBefore(since: number, shard: number, offset: number): boolean {
    if (since === 0) return false;
    return offset < (this.#offsets.get(since)?.[shard] ?? 0);
  }

  /** Those that still matter; forgets the others. @param positions  the session's, by shard */
  stored(
    positions: readonly number[],
    subscriptions: ReadonlyMap<string, Subscription>,
  ): StoredStart[] {
    if (this.#offsets.size === 0) return [];
    const starts: StoredStart[] = [];
    const used = new Set<number>();
    for (const [key, { since }] of subscriptions) {
      const offsets = this.#offsets.get(since);
      if (offsets === undefined) continue;
      if (offsets.every((offset, shard) => offset <= (positions[shard] ?? 0))) continue;
      used.add(since);
      starts.push({ key, offsets });
    }
    for (const since of this.#offsets.keys()) if (!used.has(since)) this.#offsets.delete(since);
    if (this.#offsets.size === 0) this.#end = [];
    return starts;
  }

  #add(offsets: readonly number[]): number {
    const since = this.#next;
    this.#next += 1;
    this.#offsets.set(since, offsets);
    this.#end = Array.from({ length: this.#shards }, (_, shard) =>
      Math.max(this.#end[shard] ?? 0, offsets[shard] ?? 0),
    );
    return since;
  }
}
