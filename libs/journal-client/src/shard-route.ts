/**
 * Which server to ask about one shard: the leader that a server named last, else one candidate after the
 * other. Shared by everything that one client does with the shard.
 */
import type { ShardPlaces } from './shard-places.ts';

/** How often requests go from one named leader to the next without a pause. */
const HOPS_MAX = 3;

/** One shard's. */
export class ShardRoute {
  /** As `namespace/shard`. */
  readonly shard: string;
  readonly #places: ShardPlaces;
  #named: string | null = null;
  /** The candidate that was asked last, and in vain. */
  #passedOver: string | null = null;
  #hops = 0;

  constructor(shard: string, places: ShardPlaces) {
    this.shard = shard;
    this.#places = places;
  }

  /** Of the shard as it should be now; 0: not known. */
  life(): number {
    return this.#places.lifeOf(this.shard);
  }

  /** As `host:port`; empty while no server is known. */
  current(): string {
    if (this.#named !== null) return this.#named;
    const candidates = this.#places.candidatesOf(this.shard);
    const last = this.#passedOver === null ? -1 : candidates.indexOf(this.#passedOver);
    return candidates[(last + 1) % candidates.length] ?? '';
  }

  /**
   * `from` does not lead; it names who does, or nobody (empty).
   *
   * @returns whether to ask at once; else after a pause
   */
  follow(from: string, leader: string): boolean {
    if (leader === '' || leader === from) {
      this.passOver(from);
      return false;
    }
    this.#named = leader;
    this.#hops += 1;
    return this.#hops <= HOPS_MAX;
  }

  /** `from` does not answer, or can't. */
  passOver(from: string): void {
    this.#hops = 0;
    if (this.current() !== from) return;
    this.#named = null;
    this.#passedOver = from;
  }

  /** `from` did what was asked for. */
  answered(from: string): void {
    this.#hops = 0;
    // A late answer of an earlier leader says nothing about who leads now.
    this.#named ??= from;
  }
}
