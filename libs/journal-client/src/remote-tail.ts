/**
 * A tail over servers: records are fetched ahead up to a bound, and a lost server costs a pause, no gap
 * and no repetition, because it is opened again from what was received.
 */
import {
  JournalError,
  type JournalFault,
  type JournalRecord,
  type Offset,
  type RecordSelector,
  type ShardTail,
} from '@robustmq/journal';
import { recordCredit, type RecordsOutcome } from '@robustmq/rpc';
import { RemoteSubscription } from './remote-subscription.ts';
import { type SplitSelector, splitSelector } from './selectors.ts';
import type { ClientContext } from './shard-calls.ts';
import type { ShardRoute } from './shard-route.ts';

/** What a tail belongs to. */
export interface RemoteTailOptions {
  readonly route: ShardRoute;
  /** As the caller names the shard. */
  readonly name: string;
  /** Told of what the server says about the shard. */
  heard(committed: Offset, oldest: Offset): void;
  ended(): void;
}

/** See `ShardTail` for what each method promises. */
export class RemoteTail implements ShardTail {
  position: Offset;
  readonly #selector: SplitSelector;
  readonly #options: RemoteTailOptions;
  readonly #subscription: RemoteSubscription;
  readonly #creditBytes: number;
  /** Everything wanted below this was received. */
  #received: Offset;
  #buffer: JournalRecord[] = [];
  /** Of the buffer: those before were returned. */
  #next = 0;
  /** Used up and not given back yet. */
  #owedBytes = 0;
  #fault: JournalFault | null = null;
  #waiting: (() => void) | null = null;

  constructor(
    context: ClientContext,
    start: { readonly from: Offset; readonly selector: RecordSelector },
    options: RemoteTailOptions,
  ) {
    this.position = start.from;
    this.#received = start.from;
    this.#selector = splitSelector(start.selector);
    this.#options = options;
    this.#creditBytes = context.limits.tailBytesMax;
    this.#subscription = new RemoteSubscription(context, options, {
      openCall: () => this.#openCall(),
      take: (outcome) => {
        if (outcome.kind === 'records') this.#take(outcome);
      },
      failed: (fault) => this.#fail(fault),
    });
    this.#subscription.begin();
  }

  async next(recordsMax: number, bytesMax: number): Promise<readonly JournalRecord[]> {
    for (;;) {
      if (this.#next < this.#buffer.length) return this.#page(recordsMax, bytesMax);
      if (this.#received > this.position) {
        this.position = this.#received;
        return [];
      }
      if (this.#fault !== null) throw new JournalError(this.#fault);
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  close(): void {
    this.#fail({ code: 'JOURNAL_CLOSED' });
    this.#buffer = [];
    this.#next = 0;
    this.#received = this.position;
  }

  #openCall() {
    // What waits here still counts against what may be fetched ahead.
    const held = this.#buffer
      .slice(this.#next)
      .reduce((sum, record) => sum + recordCredit(record), 0);
    this.#owedBytes = 0;
    const creditBytes = Math.max(0, this.#creditBytes - held);
    const { wire: selector } = this.#selector;
    return { kind: 'openTail', from: this.#received, selector, creditBytes } as const;
  }

  #take({ records, position, oldest }: RecordsOutcome): void {
    const { wants } = this.#selector;
    for (const record of records) {
      const isWanted = record.offset >= this.#received && (wants === null || wants(record));
      if (isWanted) this.#buffer.push(record);
      else this.#owe(recordCredit(record));
    }
    if (position > this.#received) this.#received = position;
    this.#options.heard(this.#received, oldest);
    this.#wake();
  }

  #page(recordsMax: number, bytesMax: number): readonly JournalRecord[] {
    const start = this.#next;
    let bytes = 0;
    let at = start;
    while (at < this.#buffer.length && at - start < recordsMax) {
      const size = recordCredit(this.#buffer[at] as JournalRecord);
      if (at > start && bytes + size > bytesMax) break;
      bytes += size;
      at += 1;
    }
    const page = this.#buffer.slice(start, at);
    this.#next = at;
    if (at === this.#buffer.length) {
      this.#buffer = [];
      this.#next = 0;
      this.position = this.#received;
    } else {
      this.position = ((page.at(-1) as JournalRecord).offset + 1) as Offset;
    }
    this.#owe(bytes);
    return page;
  }

  /** Gives credit back in large pieces. */
  #owe(bytes: number): void {
    this.#owedBytes += bytes;
    if (this.#owedBytes < this.#creditBytes / 4) return;
    this.#subscription.addCredit(this.#owedBytes);
    this.#owedBytes = 0;
  }

  #fail(fault: JournalFault): void {
    if (this.#fault?.code === 'JOURNAL_CLOSED') return;
    this.#fault = fault;
    this.#subscription.close();
    this.#options.ended();
    this.#wake();
  }

  #wake(): void {
    this.#waiting?.();
    this.#waiting = null;
  }
}
