/**
 * The appends of one shard with one writer, in groups: one write at a time serves all that wait.
 *
 * ```text
 * append ─► queue ─► gather ─► new segment? ─► write ─► in one step: visible, committed, promises
 *             ▲                                  │
 *             └──── further appends gather here ◄┘
 * ```
 *
 * Costs per append: one promise and one entry.
 */
import { assert } from '@robustmq/errors';
import { JournalError, batchBaseOffsetAt } from '@robustmq/journal';
import type { Offset, RecordBatch } from '@robustmq/journal';

/** One write carries at most about this many bytes. */
const GROUP_BYTES_MAX = 4 * 1024 * 1024;

export interface QueuedAppend {
  readonly batch: RecordBatch;
  readonly ack: 'sync' | 'async';
  /** Of its first record. */
  readonly first: number;
}

/** What a medium does for its queue; one call at a time. */
export interface CommitSteps {
  /** Before each group: begins a new segment if one is due, or `isSealWanted`. */
  roll(isSealWanted: boolean): Promise<void>;
  /** @returns what makes the group visible to readers, called in the step in which it is committed */
  write(group: readonly QueuedAppend[]): Promise<() => void>;
  /** What a failure of `roll` or `write` is to those that wait. JOURNAL_FULL leaves the queue open. */
  faultOf(error: unknown): JournalError;
}

interface Waiting extends QueuedAppend {
  readonly resolve: (first: Offset) => void;
  readonly reject: (error: JournalError) => void;
}

export class CommitQueue {
  readonly #steps: CommitSteps;
  #next: number;
  #committed: number;
  #waiting: Waiting[] = [];
  /** The loop that writes, while there is something to do. */
  #writing: Promise<void> | null = null;
  #isSealWanted = false;
  #failure: JournalError | null = null;

  /** @param committed  what is there already ends here */
  constructor(committed: number, steps: CommitSteps) {
    this.#committed = committed;
    this.#next = committed;
    this.#steps = steps;
  }

  /** The offset that the next record appended gets. */
  get next(): number {
    return this.#next;
  }

  /** Everything below is written. */
  get committed(): number {
    return this.#committed;
  }

  /** Why appends are refused until the shard is opened again; null while all is well. */
  get failure(): JournalError | null {
    return this.#failure;
  }

  get isClosed(): boolean {
    return this.#failure?.fault.code === 'JOURNAL_CLOSED';
  }

  /** As `JournalShard.append`. */
  append(batch: RecordBatch, ack: 'sync' | 'async'): Promise<Offset> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const first = this.#next;
    assert(batchBaseOffsetAt(batch.bytes, 0) === first, `the batch was not sealed for ${first}`);
    this.#next += batch.recordCount;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, ack, first, resolve, reject });
      // Every fault reaches the appends that wait; the loop itself never rejects.
      void this.#startWriting();
    });
  }

  /** Has the next group begin a new segment; settles when nothing waits any more. Never rejects. */
  async seal(): Promise<void> {
    this.#isSealWanted = true;
    await this.#startWriting();
  }

  /**
   * Refuses everything from now on, and waits for what is under way. Idempotent.
   *
   * @returns how it was before: `open`, `failed`, or `closed` when this changed nothing
   */
  async close(): Promise<'open' | 'failed' | 'closed'> {
    if (this.isClosed) return 'closed';
    const before = this.#failure === null ? 'open' : 'failed';
    this.#failure ??= new JournalError({ code: 'JOURNAL_CLOSED' });
    while (this.#writing !== null) await this.#writing;
    this.#failure = new JournalError({ code: 'JOURNAL_CLOSED' });
    return before;
  }

  #startWriting(): Promise<void> {
    this.#writing ??= this.#writeAll();
    return this.#writing;
  }

  /** Writes until nothing waits. Never rejects: every failure goes to the appends that it hits. */
  async #writeAll(): Promise<void> {
    // The appends of the same turn join the first group.
    await Promise.resolve();
    while (this.#waiting.length > 0 || this.#isSealWanted) {
      const group = this.#takeGroup();
      const isSealWanted = this.#isSealWanted;
      this.#isSealWanted = false;
      try {
        await this.#steps.roll(isSealWanted);
        if (group.length > 0) this.#commit(group, await this.#steps.write(group));
      } catch (error) {
        this.#fail(group, error);
      }
    }
    // In the same step as the last look at the queue: an append that comes now starts a new loop.
    this.#writing = null;
  }

  #takeGroup(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { batch } of this.#waiting) {
      if (count > 0 && bytes + batch.bytes.length > GROUP_BYTES_MAX) break;
      bytes += batch.bytes.length;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  #commit(group: readonly Waiting[], show: () => void): void {
    show();
    const { batch, first } = group.at(-1) as Waiting;
    this.#committed = first + batch.recordCount;
    for (const each of group) each.resolve(each.first as Offset);
  }

  #fail(group: readonly Waiting[], error: unknown): void {
    const failure = this.#steps.faultOf(error);
    // Those that wait were sealed for offsets behind the ones that failed.
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#isSealWanted = false;
    this.#next = this.#committed;
    if (failure.fault.code !== 'JOURNAL_FULL') this.#failure ??= failure;
    for (const { reject } of [...group, ...waiting]) reject(failure);
  }
}
