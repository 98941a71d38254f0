/**
 * What will become of appends that are in the leader's log and not applied yet, so that one can be
 * answered before it is committed. Right for as long as this node leads; nobody knows afterwards.
 *
 * Costs per entry: a look-up and a place in a queue, until it is applied.
 */
import { assert } from '@robustmq/errors';
import { PRODUCERS_MAX } from './shard-producers.ts';
import type { ShardCommand } from './shard-command.ts';
import type { ShardState } from './shard-state.ts';

/** An entry of the leader's log. */
interface Pending {
  readonly index: number;
  readonly command: ShardCommand;
  readonly recordCount: number;
}

/** As it will be once everything looked at is applied. */
interface ExpectedProducer {
  incarnation: number;
  isFenced: boolean;
  lastSequence: number;
  /** Through this entry it is told by the log, not by the state. */
  through: number;
}

const NOBODY = { incarnation: Number.NEGATIVE_INFINITY, isFenced: false, lastSequence: 0 };

export class ShardForecast {
  #term = 0;
  /** Of the first entry of this term that was told. */
  #firstIndex = 0;
  #pending: Pending[] = [];
  /** The first so many of `#pending` are looked at. */
  #lookedAt = 0;
  #next = 0;
  /** Whether what is looked at will end as expected: not, when a producer may find no room. */
  #isCertain = true;
  readonly #producers = new Map<number, ExpectedProducer>();

  /**
   * Tells the next entry that this node, as the leader, has put into its log: each that holds a
   * command, in their order.
   *
   * @param state  as it is applied so far
   * @returns where the records of the append will be; null when that is not certain, or when it will
   *   not be written: then its outcome must be waited for
   */
  expect(
    state: ShardState,
    entry: { readonly term: number; readonly index: number },
    { command, recordCount }: { readonly command: ShardCommand; readonly recordCount: number },
  ): number | null {
    if (entry.term !== this.#term) this.#begin(entry);
    const { index } = entry;
    assert(index > (this.#pending.at(-1)?.index ?? 0), `entry ${index} is told out of order`);
    this.#pending.push({ index, command, recordCount });
    // Entries of earlier leaders are between what is applied and what was told.
    if (state.appliedIndex < this.#firstIndex - 1) return null;
    this.#forgetApplied(state);
    let base: number | null = null;
    for (; this.#lookedAt < this.#pending.length; this.#lookedAt += 1) {
      base = this.#lookAt(state, this.#pending[this.#lookedAt] as Pending);
    }
    return this.#isCertain ? base : null;
  }

  /** After the state has moved on. */
  applied(state: ShardState): void {
    if ((this.#pending[0]?.index ?? Number.POSITIVE_INFINITY) <= state.appliedIndex) {
      this.#forgetApplied(state);
    }
  }

  #begin({ term, index }: { readonly term: number; readonly index: number }): void {
    this.#term = term;
    this.#firstIndex = index;
    this.#pending = [];
    this.#lookedAt = 0;
    this.#producers.clear();
  }

  #forgetApplied(state: ShardState): void {
    const { appliedIndex } = state;
    let count = 0;
    while ((this.#pending[count]?.index ?? Number.POSITIVE_INFINITY) <= appliedIndex) {
      this.#forgetProducer((this.#pending[count] as Pending).command, appliedIndex);
      count += 1;
    }
    if (count > 0) this.#pending.splice(0, count);
    this.#lookedAt = Math.max(0, this.#lookedAt - count);
    if (this.#lookedAt > 0) return;
    this.#next = state.next;
    this.#isCertain = true;
    this.#producers.clear();
  }

  #forgetProducer(command: ShardCommand, appliedIndex: number): void {
    if (command.kind === 'trim') return;
    const { id } = command.producer;
    if ((this.#producers.get(id)?.through ?? 0) <= appliedIndex) this.#producers.delete(id);
  }

  #lookAt(state: ShardState, { index, command, recordCount }: Pending): number | null {
    switch (command.kind) {
      case 'append':
        return this.#append(state, { index, command, recordCount });
      case 'fence': {
        const { id, incarnation } = command.producer;
        const known = this.#expected(state, id, index);
        if (known === null) return null;
        if (known.incarnation > incarnation) return null;
        if (known.incarnation < incarnation) known.lastSequence = 0;
        known.incarnation = incarnation;
        known.isFenced = true;
        return null;
      }
      case 'trim':
        return null;
    }
  }

  #append(
    state: ShardState,
    {
      index,
      command,
      recordCount,
    }: {
      readonly index: number;
      readonly command: Extract<ShardCommand, { readonly kind: 'append' }>;
      readonly recordCount: number;
    },
  ): number | null {
    const { producer, sequence, mayMissFrom = sequence } = command;
    const known = this.#expected(state, producer.id, index);
    if (known === null) return null;
    const isNew = producer.incarnation > known.incarnation;
    if (!isNew && (producer.incarnation < known.incarnation || known.isFenced)) return null;
    const last = isNew ? 0 : known.lastSequence;
    if (sequence <= last || mayMissFrom > last + 1) return null;
    known.incarnation = producer.incarnation;
    known.isFenced = false;
    known.lastSequence = sequence;
    const base = this.#next;
    this.#next += recordCount;
    return base;
  }

  /** Null: it can't be said whether there is room for it. */
  #expected(state: ShardState, id: number, index: number): ExpectedProducer | null {
    let expected = this.#producers.get(id);
    if (expected === undefined) {
      const known = state.producers.find(id);
      const isFull = state.producers.count + this.#producers.size >= PRODUCERS_MAX;
      if (known === undefined && isFull) {
        this.#isCertain = false;
        return null;
      }
      const { incarnation, isFenced, lastSequence } = known ?? NOBODY;
      expected = { incarnation, isFenced, lastSequence, through: index };
      this.#producers.set(id, expected);
    }
    expected.through = index;
    return expected;
  }
}
