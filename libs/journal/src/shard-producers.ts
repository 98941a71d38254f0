/**
 * Who has appended to a shard, and what of it could be repeated.
 *
 * A producer numbers its appends to a shard 1, 2, 3 … in each incarnation. What is not the next
 * number is a repetition or has lost its predecessor, and is not written. Everything here follows
 * from the log alone, time included, so that all replicas decide alike.
 */
import type { ProducerName } from './shared-journal.ts';

/** LIMIT: appends of a producer whose offsets are known for repetitions; a producer keeps fewer open. */
export const RECENT_APPENDS_MAX = 128;
/** LIMIT: producers of a shard; one more displaces the one idle for longest, if for a day; or is refused. */
export const PRODUCERS_MAX = 16_384;
/** Nobody repeats an append after so long. */
const RECENT_MS = 60 * 60 * 1000;
/** A producer that was idle for so long may be forgotten for another one. */
const FORGET_MS = 24 * 60 * 60 * 1000;

export interface Producer {
  readonly id: number;
  incarnation: number;
  /** This incarnation is over. */
  isFenced: boolean;
  /** Of its last append; 0 when there is none. */
  lastSequence: number;
  /** On the clock of the log. */
  usedAtMs: number;
  /** The first offsets of its newest appends, up to `lastSequence`. */
  bases: number[];
}

interface AppendPlace {
  /** Of its first record. */
  readonly base: number;
  readonly nowMs: number;
}

/** What is to become of an append. */
export type ProducerVerdict =
  | { readonly kind: 'accepted' }
  /** It is written already; `base` is null when it was so long ago that its place is forgotten. */
  | { readonly kind: 'duplicate'; readonly base: number | null }
  /** It must stop: this incarnation, or a later one, is what the shard goes by. */
  | { readonly kind: 'fenced'; readonly incarnation: number }
  /** An append before it is missing. */
  | { readonly kind: 'outOfOrder'; readonly expected: number }
  | { readonly kind: 'tooManyProducers' };

export class ShardProducers {
  /** Least recently used first. */
  readonly #producers = new Map<number, Producer>();

  get count(): number {
    return this.#producers.size;
  }

  /** Least recently used first. */
  all(): Iterable<Producer> {
    return this.#producers.values();
  }

  find(id: number): Producer | undefined {
    return this.#producers.get(id);
  }

  /** For a state that is being decoded; in the order of `all`. */
  restore(producer: Producer): void {
    this.#producers.set(producer.id, producer);
  }

  /**
   * Looks at an append that is next in the log, and changes nothing.
   *
   * @param mayMissFrom  those from here on up to `sequence` need not be there; `sequence`: none
   */
  judge(
    name: ProducerName,
    sequence: number,
    nowMs: number,
    mayMissFrom: number = sequence,
  ): ProducerVerdict {
    const known = this.#producers.get(name.id);
    if (known === undefined || name.incarnation > known.incarnation) {
      if (mayMissFrom > 1) return { kind: 'outOfOrder', expected: 1 };
      if (known === undefined && !this.#hasRoom(nowMs)) return { kind: 'tooManyProducers' };
      return { kind: 'accepted' };
    }
    if (name.incarnation < known.incarnation || known.isFenced) {
      return { kind: 'fenced', incarnation: known.incarnation };
    }
    if (sequence > known.lastSequence) {
      const expected = known.lastSequence + 1;
      return mayMissFrom <= expected ? { kind: 'accepted' } : { kind: 'outOfOrder', expected };
    }
    const back = known.lastSequence - sequence;
    return { kind: 'duplicate', base: known.bases[known.bases.length - 1 - back] ?? null };
  }

  /** Notes an accepted append. */
  appended(name: ProducerName, sequence: number, { base, nowMs }: AppendPlace): void {
    const producer = this.#of(name, nowMs);
    const isGap = sequence !== producer.lastSequence + 1;
    if (isGap || nowMs - producer.usedAtMs > RECENT_MS) producer.bases = [];
    producer.lastSequence = sequence;
    producer.usedAtMs = nowMs;
    producer.bases.push(base);
    if (producer.bases.length > RECENT_APPENDS_MAX) producer.bases.shift();
  }

  /** Nothing of this incarnation, or a lower one, is accepted from now on. */
  fence(name: ProducerName, nowMs: number): void {
    const known = this.#producers.get(name.id);
    if (known !== undefined && known.incarnation > name.incarnation) return;
    const producer = this.#of(name, nowMs);
    producer.isFenced = true;
    producer.usedAtMs = nowMs;
  }

  /** The producer in its newest incarnation, most recently used now. */
  #of({ id, incarnation }: ProducerName, nowMs: number): Producer {
    let producer = this.#producers.get(id);
    this.#producers.delete(id);
    if (producer === undefined || producer.incarnation < incarnation) {
      if (producer === undefined && this.#producers.size >= PRODUCERS_MAX) this.#forgetOldest();
      const isFenced = false;
      producer = { id, incarnation, isFenced, lastSequence: 0, usedAtMs: nowMs, bases: [] };
    }
    this.#producers.set(id, producer);
    return producer;
  }

  #hasRoom(nowMs: number): boolean {
    if (this.#producers.size < PRODUCERS_MAX) return true;
    const [oldest] = this.#producers.values();
    return oldest === undefined || nowMs - oldest.usedAtMs >= FORGET_MS;
  }

  #forgetOldest(): void {
    const [oldest] = this.#producers.keys();
    if (oldest !== undefined) this.#producers.delete(oldest);
  }
}
