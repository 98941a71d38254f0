/** Changes of a keyed shard as they are applied on one replica. */
import { assert } from '@robustmq/errors';
import { JournalError } from '@robustmq/journal';
import type { KeyedChange, KeyedTail, Offset } from '@robustmq/journal';
import type { KeyedMachine } from './keyed-machine.ts';
import type { ChangesPage } from './stored-pages.ts';

export class ReplicaTail implements KeyedTail {
  readonly #machine: KeyedMachine;
  readonly #onClosed: (tail: ReplicaTail) => void;
  /** Removals up to here were forgotten before this tail returned anything: it needs none of them. */
  readonly #neverNeeded: number;
  #position: number;
  #isClosed = false;
  #isWaiting = false;
  /** Rejects the call that waits. */
  #fail: ((error: JournalError) => void) | null = null;
  /** Ends the wait for something newer. */
  #wake: (() => void) | null = null;

  constructor(machine: KeyedMachine, after: number, onClosed: (tail: ReplicaTail) => void) {
    this.#machine = machine;
    this.#onClosed = onClosed;
    this.#position = after;
    this.#neverNeeded = after === 0 ? machine.meta.forgottenRevision : 0;
  }

  get position(): number {
    return this.#position;
  }

  next(changesMax: number): Promise<readonly KeyedChange[]> {
    assert(!this.#isWaiting, 'one call at a time');
    if (this.#isClosed) return Promise.reject(closed());
    this.#isWaiting = true;
    const answer = new Promise<readonly KeyedChange[]>((resolve, reject) => {
      this.#fail = reject;
      this.#collect(changesMax).then(resolve, reject);
    });
    return answer.finally(() => {
      this.#isWaiting = false;
      this.#fail = null;
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClosed(this);
    this.#fail?.(closed());
    this.#wake?.();
  }

  /** Something newer may be there. */
  moved(): void {
    this.#wake?.();
  }

  async #collect(changesMax: number): Promise<readonly KeyedChange[]> {
    for (;;) {
      const page = await this.#machine.changes(this.#position, changesMax);
      if (this.#isClosed) throw closed();
      this.#assertComplete(page);
      const isNewer = page.position > this.#position;
      this.#position = page.position;
      if (isNewer) return page.changes;
      await this.#somethingNewer();
    }
  }

  #assertComplete({ forgottenRevision }: ChangesPage): void {
    const position = this.#position;
    // Before anything was returned there is nothing that a removal could concern.
    if (position === 0 || forgottenRevision <= position) return;
    if (forgottenRevision <= this.#neverNeeded) return;
    throw new JournalError({
      code: 'JOURNAL_OFFSET_TRIMMED',
      requested: position as Offset,
      oldest: forgottenRevision as Offset,
    });
  }

  #somethingNewer(): Promise<void> {
    if (this.#isClosed || this.#machine.meta.revision > this.#position) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null;
        resolve();
      };
    });
  }
}

function closed(): JournalError {
  return new JournalError({ code: 'JOURNAL_CLOSED' });
}
