/**
 * Hands committed entries to the state machine, in batches, one call at a time.
 *
 * Cost: one promise per batch. While a batch is being applied further entries gather.
 */
import { assert } from '@robustmq/errors';
import { type DataEntry, type Entry, entryBytes, type LogIndex } from '@robustmq/raft';
import type { StateMachine } from './state-machine.ts';

const BATCH_ENTRIES_MAX = 4096;
const BATCH_BYTES_MAX = 2 * 1024 * 1024;

export interface ApplyObserver<Result> {
  /** After each batch: what was in it, and what the machine said to its data. */
  applied(entries: readonly Entry[], results: readonly Result[]): void;
  /** The machine failed; nothing is applied any more. */
  failed(error: unknown): void;
}

export class ApplyLoop<Result> {
  readonly #machine: StateMachine<Result>;
  readonly #observer: ApplyObserver<Result>;
  #queue: Entry[] = [];
  #appliedIndex: LogIndex;
  #backlogBytes = 0;
  #isRunning = false;
  #isStopped = false;
  #tail: Promise<void> = Promise.resolve();

  constructor(
    machine: StateMachine<Result>,
    appliedIndex: LogIndex,
    observer: ApplyObserver<Result>,
  ) {
    this.#machine = machine;
    this.#observer = observer;
    this.#appliedIndex = appliedIndex;
  }

  get appliedIndex(): LogIndex {
    return this.#appliedIndex;
  }

  /** Of entries that wait or are being applied. */
  get backlogBytes(): number {
    return this.#backlogBytes;
  }

  /** Entries that are applied already are left out: a restart delivers them again. */
  push(entries: readonly Entry[]): void {
    if (entries.length === 0 || this.#isStopped) return;
    for (const entry of entries) {
      this.#queue.push(entry);
      this.#backlogBytes += entryBytes(entry);
    }
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#next();
  }

  /** Runs something else on the machine, between two batches. */
  exclusive<Value>(run: () => Promise<Value>): Promise<Value> {
    const result = this.#tail.then(run);
    this.#tail = result.then(ignore, ignore);
    return result;
  }

  /** Within `exclusive`: the content of the machine was replaced. */
  replaced(index: LogIndex): void {
    this.#appliedIndex = index;
  }

  /** Settles when the call under way is over. What still waits is dropped. */
  stop(): Promise<void> {
    this.#isStopped = true;
    this.#queue = [];
    return this.#tail;
  }

  #next(): void {
    void this.exclusive(() => this.#applyBatch()).then(
      () => {
        if (this.#queue.length > 0) this.#next();
        else this.#isRunning = false;
      },
      (error: unknown) => {
        this.#isStopped = true;
        this.#queue = [];
        this.#observer.failed(error);
      },
    );
  }

  async #applyBatch(): Promise<void> {
    const batch = this.#takeBatch();
    const entries = batch.filter((entry) => entry.index > this.#appliedIndex);
    const last = entries.at(-1);
    if (last !== undefined) {
      const first = entries[0]?.index;
      assert(first === this.#appliedIndex + 1, `${first} is applied after ${this.#appliedIndex}`);
      const data = entries.filter((entry): entry is DataEntry => entry.kind === 'data');
      const results = await this.#machine.apply(data, last.index);
      assert(
        results.length === data.length,
        `${results.length} results for ${data.length} entries`,
      );
      this.#appliedIndex = last.index;
      this.#observer.applied(entries, results);
    }
    for (const entry of batch) this.#backlogBytes -= entryBytes(entry);
  }

  #takeBatch(): readonly Entry[] {
    const queue = this.#queue;
    let bytes = 0;
    let count = 0;
    for (
      ;
      count < queue.length && count < BATCH_ENTRIES_MAX && bytes < BATCH_BYTES_MAX;
      count += 1
    ) {
      bytes += entryBytes(queue[count] as Entry);
    }
    if (count < queue.length) return queue.splice(0, count);
    this.#queue = [];
    return queue;
  }
}

function ignore(): void {}
