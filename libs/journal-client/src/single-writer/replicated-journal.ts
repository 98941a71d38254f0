/**
 * The journal of one writer on shards of journal servers: opening a shard ends the writer before, and
 * from then on every offset is known when it is appended.
 *
 *     open: take a new incarnation ─▶ fence those before it ─▶ nothing of them can come any more
 *           ─▶ ask for the end: that is `next`
 */
import {
  type Journal,
  type JournalCapabilities,
  JournalError,
  type JournalShard,
  type SharedJournal,
} from '@robustmq/journal';
import { ReplicatedShard } from './replicated-shard.ts';
import type { ShardCatalogue } from './shard-catalogue.ts';

/** What a journal stands on. */
export interface ReplicatedJournalOptions {
  /** Closed with the journal. */
  readonly shared: SharedJournal;
  readonly catalogue: ShardCatalogue;
  /** The producer id of the writer: the same in each of its lives, of nobody else. */
  readonly writer: number;
  /** A number above all that it has given before, to whichever process. */
  takeIncarnation(): Promise<number>;
  /** How long an append, and the opening of a shard, may take. */
  readonly deadlineMs: number;
  /** How many bytes of records `oldestSegment` sums up. */
  readonly segmentBytesMax: number;
}

/** See `Journal` for what each method promises. */
export function openReplicatedJournal(options: ReplicatedJournalOptions): Journal {
  return new ReplicatedJournal(options);
}

class ReplicatedJournal implements Journal {
  readonly capabilities: JournalCapabilities = {
    durable: true,
    replicated: true,
    indexed: true,
    shared: true,
  };
  readonly #options: ReplicatedJournalOptions;
  readonly #open = new Map<string, Promise<ReplicatedShard>>();
  #isClosed = false;

  constructor(options: ReplicatedJournalOptions) {
    this.#options = options;
  }

  async openShard(name: string): Promise<JournalShard> {
    this.#assertOpen();
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    const opening = this.#openNew(name);
    this.#open.set(name, opening);
    // Who asks again after a failure begins anew.
    opening.catch(() => this.#open.delete(name));
    return opening;
  }

  async listShards(): Promise<readonly string[]> {
    this.#assertOpen();
    return this.#options.catalogue.list();
  }

  async deleteShard(name: string): Promise<void> {
    this.#assertOpen();
    const opened = await this.#open.get(name)?.catch(() => undefined);
    this.#open.delete(name);
    opened?.close();
    await this.#options.catalogue.delete(name);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const opened = await Promise.allSettled(this.#open.values());
    for (const each of opened) {
      if (each.status === 'fulfilled') await each.value.settled();
    }
    for (const each of opened) {
      if (each.status === 'fulfilled') each.value.close();
    }
    await this.#options.shared.close();
  }

  async #openNew(name: string): Promise<ReplicatedShard> {
    const { shared, catalogue, writer, deadlineMs, segmentBytesMax } = this.#options;
    await catalogue.create(name);
    const shard = await shared.openShard(name);
    const incarnation = await this.#options.takeIncarnation();
    await shard.fence({ id: writer, incarnation: incarnation - 1 });
    const next = await shard.committed(deadlineMs);
    const producer = { id: writer, incarnation };
    return new ReplicatedShard(shard, { producer, next, deadlineMs, segmentBytesMax });
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new JournalError({ code: 'JOURNAL_CLOSED' });
  }
}
