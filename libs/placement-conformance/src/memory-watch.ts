/** A watch of `MemoryPlacement`: reads the history at the pace of its consumer. */
import {
  eventsFromHistory,
  historyRecordRange,
  type KeyEvent,
  matchesRange,
  type MemoryRecords,
  metaOf,
  PlacementError,
  type Revision,
  type Watch,
  type WatchBatch,
  type WatchRequest,
} from '@robustmq/placement';

export class MemoryWatch implements Watch {
  readonly #records: MemoryRecords;
  readonly #request: WatchRequest;
  readonly #ended: () => void;
  /** The next revision to look at. */
  #next: Revision;
  #state: 'open' | 'cancelled' | 'closed' = 'open';
  #isProgressDue = false;
  #wake: (() => void) | null = null;

  constructor(records: MemoryRecords, request: WatchRequest, ended: () => void) {
    this.#records = records;
    this.#request = request;
    this.#ended = ended;
    this.#next = request.from ?? ((metaOf(records).revision + 1) as Revision);
  }

  cancel(): void {
    this.#end('cancelled');
  }

  /** The store was closed. */
  close(): void {
    this.#end('closed');
  }

  #end(state: 'cancelled' | 'closed'): void {
    if (this.#state === 'open') this.#state = state;
    this.#ended();
    this.#wake?.();
  }

  /** The store has a new revision. */
  changed(): void {
    this.#wake?.();
  }

  /** Progress is due when nothing else was told for as long. */
  timePassed(elapsedMs: number): void {
    const { progressEveryMs } = this.#request;
    if (progressEveryMs === null || elapsedMs < progressEveryMs) return;
    this.#isProgressDue = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WatchBatch> {
    try {
      for (;;) {
        if (this.#state === 'cancelled') return;
        if (this.#state === 'closed') throw new PlacementError({ code: 'PLACEMENT_CLOSED' });
        const batch = this.#take();
        if (batch === null) await this.#change();
        else yield batch;
      }
    } finally {
      this.cancel();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** What was not told yet; null when there is nothing to tell. */
  #take(): WatchBatch | null {
    const { revision, compactedRevision } = metaOf(this.#records);
    if (this.#next <= compactedRevision) {
      const oldest = (compactedRevision + 1) as Revision;
      const code = 'PLACEMENT_REVISION_COMPACTED';
      throw new PlacementError({ code, requested: this.#next, oldest });
    }
    const events = this.#eventsFrom(this.#next);
    if (this.#next <= revision) this.#next = (revision + 1) as Revision;
    const isProgress = this.#isProgressDue && this.#next === revision + 1;
    if (events.length === 0 && !isProgress) return null;
    this.#isProgressDue = false;
    return { revision, events };
  }

  #eventsFrom(from: Revision): readonly KeyEvent[] {
    const records = this.#records.range(historyRecordRange(from, null));
    return eventsFromHistory(records)
      .flatMap((each) => each.events)
      .filter((event) => {
        const key = event.kind === 'put' ? event.keyValue.key : event.key;
        return matchesRange(this.#request.range, key);
      });
  }
}
