/** Changes of a keyed shard in memory as they are committed. */
import { JournalError } from '@robustmq/journal';
import type { KeyedChange, KeyedTail, Offset } from '@robustmq/journal';
import type { MemoryTable } from './memory-table.ts';
import type { ProcessContext } from './process-context.ts';
import type { RequestLane } from './request-lane.ts';
import { WaitingCall } from './waiting-call.ts';

/** What one request brings. */
interface Page {
  readonly changes: readonly KeyedChange[];
  readonly position: number;
}

export class MemoryKeyedTail implements KeyedTail {
  readonly #name: string;
  readonly #table: MemoryTable;
  readonly #context: ProcessContext;
  readonly #lane: RequestLane;
  readonly #call = new WaitingCall();
  /** Removals up to here were forgotten before this tail returned anything: it needs none of them. */
  readonly #neverNeeded: number;
  #position: number;
  #stopWaiting: (() => void) | null = null;

  constructor(place: {
    readonly name: string;
    readonly table: MemoryTable;
    readonly context: ProcessContext;
    readonly after: number;
  }) {
    this.#name = place.name;
    this.#table = place.table;
    this.#context = place.context;
    this.#position = place.after;
    this.#neverNeeded = place.after === 0 ? place.table.forgottenRevision : 0;
    this.#lane = place.context.openLane();
    place.context.add(this);
  }

  get position(): number {
    return this.#position;
  }

  next(changesMax: number): Promise<readonly KeyedChange[]> {
    return this.#call.run(() => this.#wait(changesMax));
  }

  close(): void {
    this.#call.close();
    this.#lane.close();
    this.#context.forget(this.#lane);
    this.#context.forget(this);
    this.#stopWaiting?.();
  }

  async #wait(changesMax: number): Promise<readonly KeyedChange[]> {
    for (;;) {
      const { changes, position } = await this.#lane.submit({
        label: this.#context.label(this.#name, 'tail'),
        deadlineMs: null,
        byteCount: 0,
        apply: () => this.#page(changesMax),
      });
      const moved = position > this.#position;
      this.#position = position;
      if (changes.length > 0 || moved || this.#call.closed) return changes;
      await this.#growth();
    }
  }

  #page(changesMax: number): Page {
    const table = this.#table;
    const forgotten = table.forgottenRevision;
    // Before anything was returned there is nothing that a removal could concern.
    const needed = this.#position === 0 ? forgotten : Math.max(this.#position, this.#neverNeeded);
    if (forgotten > needed) {
      const requested = this.#position as Offset;
      throw new JournalError({
        code: 'JOURNAL_OFFSET_TRIMMED',
        requested,
        oldest: forgotten as Offset,
      });
    }
    const changes = table.changesAfter(this.#position, changesMax);
    const last = changes.length < changesMax ? table.revision : (changes.at(-1)?.revision ?? 0);
    return { changes, position: Math.max(this.#position, last) };
  }

  #growth(): Promise<void> {
    const { growth, revision } = this.#table;
    if (revision > this.#position) return Promise.resolve();
    return new Promise((resolve) => {
      this.#stopWaiting = () => {
        growth.forget(resolve);
        resolve();
      };
      growth.wait(resolve);
    });
  }
}
