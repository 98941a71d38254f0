import { Message, type RetainedStore, topicHashOf } from '@robustmq/broker';
import type { TimerHandle, Timers } from '@robustmq/environment';
import { JournalError, type KeyedChange, type KeyedShard, type KeyedTail } from '@robustmq/journal';
import type { BrokerContext } from '../broker-context.ts';
import { waitMs } from '../broker-environment.ts';
import { decodeRetainedValue } from './retained-value.ts';

const CHANGES_MAX = 1024;
const RETRY_MS = 100;
const UTF8 = new TextEncoder();

/** Brings the retained messages of one keyed shard into this broker's store, and keeps them up to date. */
class RetainedTableFeed {
  readonly #context: BrokerContext;
  readonly #table: KeyedShard;
  readonly #number: number;
  readonly #tables: number;
  #tail: KeyedTail | null = null;
  #position = 0;
  #stopped = false;
  /** While everything is read anew: topics that are there. Null: not so. */
  #seen: { readonly topics: Set<string>; readonly until: number } | null = null;
  #waiting: { readonly revision: number; readonly wake: () => void }[] = [];

  constructor(
    context: BrokerContext,
    table: KeyedShard,
    place: { readonly number: number; readonly tables: number },
  ) {
    this.#context = context;
    this.#table = table;
    this.#number = place.number;
    this.#tables = place.tables;
  }

  start(): void {
    this.#run().catch((error: unknown) => {
      if (!this.#stopped) this.#context.fatal('following the retained messages failed', error);
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#tail?.close();
    for (const { wake } of this.#waiting.splice(0)) wake();
  }

  /** Settles when everything that was acknowledged before the call is in the store. */
  async caughtUp(deadlineMs: number): Promise<void> {
    const revision = await this.#table.revision(deadlineMs);
    if (this.#position >= revision || this.#stopped) return;
    await new Promise<void>((resolve) => this.#waiting.push({ revision, wake: resolve }));
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#tail ??= this.#table.openTail(this.#position);
      try {
        const changes = await this.#tail.next(CHANGES_MAX);
        if (this.#stopped) return;
        for (const change of changes) this.#apply(change);
        this.#moveTo(this.#tail.position);
      } catch (error) {
        if (!(error instanceof JournalError)) throw error;
        await this.#goAround(error);
      }
    }
  }

  #apply({ key, value }: KeyedChange): void {
    const { retained } = this.#context;
    const topic = UTF8.encode(key);
    if (value === null) {
      retained.delete(topic);
      return;
    }
    const { publisherId, record } = decodeRetainedValue(value);
    retained.restore(topic, record, publisherId);
    this.#seen?.topics.add(key);
  }

  #moveTo(position: number): void {
    this.#position = position;
    if (this.#seen !== null && position >= this.#seen.until) this.#dropUnseen(this.#seen.topics);
    // What a checkpoint would save is in the keyed shard already.
    this.#context.retained.takeChanges(() => {});
    const due = this.#waiting.filter(({ revision }) => revision <= position);
    if (due.length === 0) return;
    this.#waiting = this.#waiting.filter(({ revision }) => revision > position);
    for (const { wake } of due) wake();
  }

  async #goAround({ fault }: JournalError): Promise<void> {
    this.#tail?.close();
    this.#tail = null;
    if (fault.code === 'JOURNAL_CLOSED') {
      this.#stopped = true;
    } else if (fault.code === 'JOURNAL_OFFSET_TRIMMED') {
      // Removals are missing: what is not there any more is found by reading all that is.
      this.#seen = { topics: new Set(), until: fault.oldest };
      this.#position = 0;
    } else await waitMs(this.#context.timers, RETRY_MS);
  }

  #dropUnseen(seen: ReadonlySet<string>): void {
    this.#seen = null;
    const { retained, router } = this.#context;
    for (const topic of topicsOf(retained, new Message(router.topicOf('-')))) {
      if (topicHashOf(topic) % this.#tables !== this.#number) continue;
      if (!seen.has(new TextDecoder().decode(topic))) retained.delete(topic);
    }
  }
}

/** Names of all retained messages but the broker's own. */
function topicsOf(retained: RetainedStore, scratch: Message): Uint8Array[] {
  const topics: Uint8Array[] = [];
  const cursor = retained.cursor('#', UTF8.encode('#'));
  for (let slot = cursor.next(); slot >= 0; slot = cursor.next()) {
    topics.push(retained.read(slot, scratch));
  }
  return topics;
}

/**
 * The retained messages of the cluster in this broker's memory. A SUBSCRIBE waits until everything that
 * was acknowledged before it is there: one round of questions serves all that wait in a turn.
 */
export class RetainedFeed {
  readonly #timers: Timers;
  readonly #tables: readonly RetainedTableFeed[];
  #next: Promise<void> | null = null;

  constructor(context: BrokerContext, tables: readonly KeyedShard[]) {
    this.#timers = context.timers;
    this.#tables = tables.map(
      (table, number) => new RetainedTableFeed(context, table, { number, tables: tables.length }),
    );
  }

  start(): void {
    for (const table of this.#tables) table.start();
  }

  stop(): void {
    for (const table of this.#tables) table.stop();
  }

  /**
   * Settles when the store has everything that was acknowledged before this call.
   *
   * @throws JournalError JOURNAL_UNAVAILABLE  not within `deadlineMs`
   */
  caughtUp(deadlineMs: number): Promise<void> {
    this.#next ??= new Promise<void>((resolve, reject) => {
      this.#timers.soon(() => {
        this.#next = null;
        this.#ask(deadlineMs).then(resolve, reject);
      });
    });
    return this.#next;
  }

  async #ask(deadlineMs: number): Promise<void> {
    let timer: TimerHandle | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const detail = `retained messages are not up to date after ${deadlineMs} ms`;
      const fault = { code: 'JOURNAL_UNAVAILABLE', shard: 'retained', detail } as const;
      timer = this.#timers.after(deadlineMs, () => reject(new JournalError(fault)));
    });
    const all = Promise.all(this.#tables.map((table) => table.caughtUp(deadlineMs)));
    try {
      await Promise.race([all, late]);
    } finally {
      timer?.cancel();
      all.catch(() => {});
    }
  }
}
