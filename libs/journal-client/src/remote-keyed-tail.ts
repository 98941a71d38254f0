/** A tail of a keyed shard over servers; opened again from the revision up to which all was received. */
import {
  JournalError,
  type JournalFault,
  type KeyedChange,
  type KeyedTail,
} from '@robustmq/journal';
import { changeCredit, type ChangesOutcome } from '@robustmq/rpc';
import { RemoteSubscription } from './remote-subscription.ts';
import type { ClientContext } from './shard-calls.ts';
import type { ShardRoute } from './shard-route.ts';

/** See `KeyedTail` for what each method promises. */
export class RemoteKeyedTail implements KeyedTail {
  position: number;
  readonly #subscription: RemoteSubscription;
  readonly #creditBytes: number;
  readonly #ended: () => void;
  #received: number;
  #buffer: KeyedChange[] = [];
  /** Of the buffer: those before were returned. */
  #next = 0;
  #owedBytes = 0;
  #fault: JournalFault | null = null;
  #waiting: (() => void) | null = null;

  constructor(
    context: ClientContext,
    after: number,
    options: { readonly route: ShardRoute; readonly name: string; ended(): void },
  ) {
    this.position = after;
    this.#received = after;
    this.#creditBytes = context.limits.tailBytesMax;
    this.#ended = options.ended;
    this.#subscription = new RemoteSubscription(context, options, {
      openCall: () => this.#openCall(),
      take: (outcome) => {
        if (outcome.kind === 'changes') this.#take(outcome);
      },
      failed: (fault) => this.#fail(fault),
    });
    this.#subscription.begin();
  }

  async next(changesMax: number): Promise<readonly KeyedChange[]> {
    for (;;) {
      if (this.#next < this.#buffer.length) return this.#page(changesMax);
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
    const held = this.#buffer
      .slice(this.#next)
      .reduce((sum, change) => sum + changeCredit(change), 0);
    this.#owedBytes = 0;
    const creditBytes = Math.max(0, this.#creditBytes - held);
    return { kind: 'openKeyedTail', after: this.#received, creditBytes } as const;
  }

  #take({ changes, position }: ChangesOutcome): void {
    for (const change of changes) this.#buffer.push(change);
    // A part of a list tells no position: only with the last one everything up to it is here.
    if (position > this.#received) this.#received = position;
    this.#wake();
  }

  #page(changesMax: number): readonly KeyedChange[] {
    const page = this.#buffer.slice(this.#next, this.#next + changesMax);
    this.#next += page.length;
    if (this.#next === this.#buffer.length) {
      this.#buffer = [];
      this.#next = 0;
      this.position = this.#received;
    }
    this.#owedBytes += page.reduce((sum, change) => sum + changeCredit(change), 0);
    if (this.#owedBytes >= this.#creditBytes / 4) {
      this.#subscription.addCredit(this.#owedBytes);
      this.#owedBytes = 0;
    }
    return page;
  }

  #fail(fault: JournalFault): void {
    if (this.#fault?.code === 'JOURNAL_CLOSED') return;
    this.#fault = fault;
    this.#subscription.close();
    this.#ended();
    this.#wake();
  }

  #wake(): void {
    this.#waiting?.();
    this.#waiting = null;
  }
}
