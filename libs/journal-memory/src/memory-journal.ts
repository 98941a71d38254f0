/** A journal that lives in memory: for tests, and for brokers that are told to forget on restart. */
import { JournalError } from '@robustmq/journal';
import type { Journal, JournalCapabilities, JournalShard } from '@robustmq/journal';
import { MemoryShard } from './memory-shard.ts';

export interface MemoryJournalOptions {
  /** Sum over all shards above which appends fail with JOURNAL_FULL. */
  readonly bytesMax: number;
  /** A segment that reached this size is sealed; trimming frees whole segments. */
  readonly segmentBytesMax: number;
}

/** LIMIT: journal bytes in memory, unless the caller says otherwise. */
const DEFAULT_OPTIONS: MemoryJournalOptions = {
  bytesMax: 256 * 1024 * 1024,
  segmentBytesMax: 4 * 1024 * 1024,
};

export function openMemoryJournal(options: Partial<MemoryJournalOptions> = {}): Journal {
  return new MemoryJournal({ ...DEFAULT_OPTIONS, ...options });
}

/** Bytes over all shards, shared by them. */
export interface MemoryBudget {
  readonly bytesMax: number;
  readonly segmentBytesMax: number;
  bytes: number;
}

class MemoryJournal implements Journal {
  readonly capabilities: JournalCapabilities = {
    durable: false,
    replicated: false,
    shared: false,
    indexed: true,
  };
  readonly #budget: MemoryBudget;
  readonly #shards = new Map<string, MemoryShard>();
  #closed = false;

  constructor(options: MemoryJournalOptions) {
    this.#budget = { ...options, bytes: 0 };
  }

  async openShard(name: string): Promise<JournalShard> {
    if (this.#closed) throw new JournalError({ code: 'JOURNAL_CLOSED' });
    let shard = this.#shards.get(name);
    if (shard === undefined) {
      shard = new MemoryShard(name, this.#budget);
      this.#shards.set(name, shard);
    }
    return shard;
  }

  async listShards(): Promise<readonly string[]> {
    return [...this.#shards.keys()].sort();
  }

  async deleteShard(name: string): Promise<void> {
    this.#shards.get(name)?.free();
    this.#shards.delete(name);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const shard of this.#shards.values()) shard.free();
    this.#shards.clear();
  }
}
