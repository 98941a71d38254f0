/** What the replicas of a process share: the memory for batches and indexes. */
import { type FileSystem, readWholeFile } from '@robustmq/environment';
import { BatchCache } from '@robustmq/journal-segment';
import { EntrySlab } from './entry-slab.ts';
import type { ReplicaSegment } from './replica-segment.ts';
import { TimedIndex } from './timed-index.ts';

export interface ReplicaStores {
  readonly fileSystem: FileSystem;
  readonly batches: BatchCache;
  readonly indexes: IndexCache;
  readonly entries: EntrySlab;
}

export interface ReplicaStoresOptions {
  /** LIMIT: bytes of the newest and the last read batches in memory, over all shards. */
  readonly batchCacheBytesMax: number;
  /** LIMIT: bytes of indexes of sealed segments in memory, over all shards; one more displaces one. */
  readonly indexCacheBytesMax: number;
}

export function newReplicaStores(
  fileSystem: FileSystem,
  options: ReplicaStoresOptions,
): ReplicaStores {
  return {
    fileSystem,
    batches: new BatchCache(options.batchCacheBytesMax),
    indexes: new IndexCache(fileSystem, options.indexCacheBytesMax),
    entries: new EntrySlab(),
  };
}

/** Indexes of sealed segments, the least recently used ones going first. */
export class IndexCache {
  readonly #fileSystem: FileSystem;
  readonly #bytesMax: number;
  /** Least recently used first. */
  readonly #loaded = new Map<ReplicaSegment, TimedIndex>();
  readonly #loading = new Map<ReplicaSegment, Promise<TimedIndex>>();
  #bytes = 0;
  /** Of index files. */
  bytesRead = 0;

  constructor(fileSystem: FileSystem, bytesMax: number) {
    this.#fileSystem = fileSystem;
    this.#bytesMax = bytesMax;
  }

  find(segment: ReplicaSegment): TimedIndex | undefined {
    const index = this.#loaded.get(segment);
    if (index !== undefined) {
      this.#loaded.delete(segment);
      this.#loaded.set(segment, index);
    }
    return index;
  }

  /** The index from its file, or else as `rebuild` makes it. Readers that ask at once share one load. */
  load(segment: ReplicaSegment, rebuild: () => Promise<TimedIndex>): Promise<TimedIndex> {
    let loading = this.#loading.get(segment);
    if (loading === undefined) {
      loading = this.#load(segment, rebuild).finally(() => this.#loading.delete(segment));
      this.#loading.set(segment, loading);
    }
    return loading;
  }

  keep(segment: ReplicaSegment, index: TimedIndex): void {
    this.drop(segment);
    this.#loaded.set(segment, index);
    this.#bytes += index.byteLength;
    for (const [oldest] of this.#loaded) {
      if (this.#bytes <= this.#bytesMax || oldest === segment) break;
      this.drop(oldest);
    }
  }

  /** Forgets a segment that is gone. */
  drop(segment: ReplicaSegment): void {
    const index = this.#loaded.get(segment);
    if (index === undefined) return;
    this.#loaded.delete(segment);
    this.#bytes -= index.byteLength;
  }

  async #load(segment: ReplicaSegment, rebuild: () => Promise<TimedIndex>): Promise<TimedIndex> {
    const bytes = await readWholeFile(this.#fileSystem, segment.indexPath);
    const { baseOffset, bytes: fileBytes } = segment;
    const found = bytes && TimedIndex.open(bytes, { baseOffset, fileBytes });
    this.bytesRead += bytes?.length ?? 0;
    const index = found ?? (await rebuild());
    this.keep(segment, index);
    return index;
  }
}
