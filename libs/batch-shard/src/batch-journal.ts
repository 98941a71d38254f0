/** A journal over a store that keeps batches: what every such adapter has in common. */
import { JournalError } from '@robustmq/journal';
import type { Journal, JournalCapabilities, JournalShard } from '@robustmq/journal';
import { BatchCache } from './batch-cache.ts';
import type { BatchStore } from './batch-medium.ts';
import type { BatchShard, SpaceBudget } from './batch-shard.ts';
import { IndexCache } from './index-cache.ts';
import { mediumFault } from './medium-fault.ts';
import { openShard } from './open-shard.ts';
import type { SharedCaches } from './shard-store.ts';

export interface BatchJournalOptions {
  /** A segment that reached this size is sealed; trimming frees whole segments. 1 GiB counts for more. */
  readonly segmentBytesMax: number;
  /** Memory for verified batches, over all shards. */
  readonly cacheBytesMax: number;
  /** Memory for the indexes of sealed segments, over all shards. */
  readonly indexCacheBytesMax: number;
  /** Size of all shards at which appends are refused; 0: only the store's own limit. */
  readonly journalBytesMax: number;
}

const DEFAULT_OPTIONS: BatchJournalOptions = {
  segmentBytesMax: 64 * 1024 * 1024,
  cacheBytesMax: 32 * 1024 * 1024,
  indexCacheBytesMax: 64 * 1024 * 1024,
  journalBytesMax: 0,
};

/** Positions in a segment are 32 bits wide. */
const SEGMENT_BYTES_LIMIT = 1024 * 1024 * 1024;

/** The journal over `store`, which belongs to it from now on. */
export function openBatchJournal(
  store: BatchStore,
  options: Partial<BatchJournalOptions> = {},
): Journal {
  const resolved = { ...DEFAULT_OPTIONS, ...options };
  const segmentBytesMax = Math.min(resolved.segmentBytesMax, SEGMENT_BYTES_LIMIT);
  return new BatchJournal(store, { ...resolved, segmentBytesMax });
}

class BatchJournal implements Journal {
  readonly capabilities: JournalCapabilities;
  readonly #store: BatchStore;
  readonly #options: BatchJournalOptions;
  readonly #caches: SharedCaches;
  readonly #space: SpaceBudget;
  readonly #shards = new Map<string, BatchShard>();
  readonly #opening = new Map<string, Promise<BatchShard>>();
  #closed = false;

  constructor(store: BatchStore, options: BatchJournalOptions) {
    this.capabilities = store.capabilities;
    this.#store = store;
    this.#options = options;
    this.#caches = {
      batches: new BatchCache(options.cacheBytesMax),
      indexes: new IndexCache(options.indexCacheBytesMax),
    };
    this.#space = {
      journalBytes: 0,
      refusal: async (byteCount) => this.#overLimit(byteCount) ?? (await store.refusal(byteCount)),
    };
  }

  /** The same object for the same name, unless it failed: then the shard is closed and recovered. */
  async openShard(name: string): Promise<JournalShard> {
    this.#assertOpen();
    const shard = this.#shards.get(name);
    if (shard !== undefined && shard.failure === null) return shard;
    let opening = this.#opening.get(name);
    if (opening === undefined) {
      opening = this.#recover(name, shard).finally(() => this.#opening.delete(name));
      this.#opening.set(name, opening);
    }
    return opening;
  }

  async listShards(): Promise<readonly string[]> {
    this.#assertOpen();
    return this.#attempt('read', () => this.#store.listShards());
  }

  async deleteShard(name: string): Promise<void> {
    this.#assertOpen();
    await this.#shards.get(name)?.close();
    this.#shards.delete(name);
    await this.#attempt('trim', () => this.#store.deleteShard(name));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#opening.values());
    for (const shard of this.#shards.values()) await shard.close();
    this.#shards.clear();
    await this.#store.close();
  }

  async #recover(name: string, failed: BatchShard | undefined): Promise<BatchShard> {
    await failed?.close();
    return this.#attempt('open', async () => {
      const medium = await this.#store.openMedium(name);
      try {
        const { segmentBytesMax } = this.#options;
        const place = { name, medium, caches: this.#caches, space: this.#space, segmentBytesMax };
        const shard = await openShard(place);
        this.#shards.set(name, shard);
        return shard;
      } catch (error) {
        await medium.close().catch(() => undefined);
        throw error;
      }
    });
  }

  #overLimit(byteCount: number): string | null {
    const { journalBytesMax } = this.#options;
    if (journalBytesMax === 0 || this.#space.journalBytes + byteCount <= journalBytesMax) {
      return null;
    }
    return `${byteCount} more bytes exceed the ${journalBytesMax} allowed for the journal`;
  }

  async #attempt<Value>(
    operation: 'read' | 'trim' | 'open',
    action: () => Promise<Value>,
  ): Promise<Value> {
    try {
      return await action();
    } catch (error) {
      throw mediumFault(error, operation);
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new JournalError({ code: 'JOURNAL_CLOSED' });
  }
}
