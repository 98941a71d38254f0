/** The smallest store that a journal can live in, with switches to make it fail. */
import type { JournalCapabilities } from '@robustmq/journal';
import type { BatchMedium, BatchStore, SealedSegment, StoredBatch } from './batch-medium.ts';

export interface MemoryStoreContents {
  readonly batches: Map<number, StoredBatch>;
  readonly segments: Map<number, { segment: SealedSegment; index: Uint8Array | null }>;
}

export class MemoryStore implements BatchStore {
  readonly capabilities: JournalCapabilities = {
    durable: true,
    replicated: false,
    shared: false,
    indexed: true,
  };
  readonly shards: Map<string, MemoryStoreContents> = new Map();
  /** Thrown by the next write. */
  nextWriteFault: Error | null = null;
  writes = 0;

  async openMedium(shard: string): Promise<BatchMedium> {
    const contents = this.shards.get(shard) ?? { batches: new Map(), segments: new Map() };
    this.shards.set(shard, contents);
    return mediumOf(this, contents);
  }

  async listShards(): Promise<readonly string[]> {
    return [...this.shards.keys()].toSorted();
  }

  async deleteShard(name: string): Promise<void> {
    this.shards.delete(name);
  }

  async refusal(): Promise<string | null> {
    return null;
  }

  async close(): Promise<void> {}
}

/** Places are batches. */
function mediumOf(store: MemoryStore, { batches, segments }: MemoryStoreContents): BatchMedium {
  let end = { first: 0, place: 0 };
  return {
    placesOf: () => 1,
    load: async () => {
      const sealed = [...segments.values()].map(({ segment }) => segment);
      const last = sealed.at(-1);
      if (last !== undefined) end = { first: last.after, place: last.place + last.span };
      return { sealed: sealed.filter(({ first }) => batches.has(first)), active: end };
    },
    async *scan(from, after) {
      const found = [...batches.values()].filter(
        ({ first }) => first >= from.first && (after === null || first < after),
      );
      yield* found.map((batch) => ({ ...batch, bytes: new Uint8Array(batch.bytes) }));
    },
    write: async (written) => {
      const fault = store.nextWriteFault;
      store.nextWriteFault = null;
      if (fault !== null) throw fault;
      store.writes += 1;
      for (const batch of written) batches.set(batch.first, batch);
    },
    read: async (_segment, spots) => spots.map(({ first }) => batches.get(first)?.bytes ?? null),
    seal: async (segment, index) => {
      segments.set(segment.first, { segment, index });
      return segment.place + segment.span;
    },
    readIndex: async ({ first }) => segments.get(first)?.index ?? null,
    remove: async (gone) => {
      for (const { first, after } of gone) {
        for (const key of [...batches.keys()]) if (first <= key && key < after) batches.delete(key);
      }
    },
    nameOf: ({ first }) => `batch ${first}`,
    close: async () => undefined,
  };
}
