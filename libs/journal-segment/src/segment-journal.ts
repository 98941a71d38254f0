/**
 * A journal in segment files.
 *
 * ```text
 * <directory>/FORMAT, LOCK
 * <directory>/shards/<name>/00000000000000000000.log   .index   quarantine/
 * ```
 */
import { systemClock, nodeFileSystem, systemRandom } from '@robustmq/environment';
import type { Clock, DirectoryLock, FileSystem, RandomSource } from '@robustmq/environment';
import { JournalError } from '@robustmq/journal';
import type { Journal, JournalCapabilities, JournalShard } from '@robustmq/journal';
import { openDataDirectory } from '@robustmq/record-log';
import { BatchCache } from './batch-cache.ts';
import { IndexStore } from './index-store.ts';
import { journalErrorOf } from './segment-shard.ts';
import type { SegmentShard } from './segment-shard.ts';
import type { SharedStores } from './shard-segments.ts';
import { openSegmentShard } from './shard-recovery.ts';
import { SpaceGuard } from './space-guard.ts';

export interface SegmentJournalOptions {
  readonly directory: string;
  /** A segment that reached this size is sealed; trimming frees whole segments. At most 1 GiB. */
  readonly segmentBytesMax: number;
  /** Memory for verified batches, over all shards. */
  readonly cacheBytesMax: number;
  /** Memory for the indexes of sealed segments, over all shards. */
  readonly indexCacheBytesMax: number;
  /** Size of all shards at which appends are refused; 0: only the disk's. */
  readonly journalBytesMax: number;
  /** Free disk space below which appends are refused; 0: none. */
  readonly diskFreeBytesMin: number;
}

export interface SegmentJournalEnvironment {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** A further reason to refuse so many bytes, in a sentence. */
  readonly refusal?: (byteCount: number) => string | null;
}

const DEFAULT_OPTIONS = {
  segmentBytesMax: 64 * 1024 * 1024,
  cacheBytesMax: 32 * 1024 * 1024,
  indexCacheBytesMax: 64 * 1024 * 1024,
  journalBytesMax: 0,
  diskFreeBytesMin: 0,
};

const SYSTEM_ENVIRONMENT: SegmentJournalEnvironment = {
  fileSystem: nodeFileSystem,
  clock: systemClock,
  random: systemRandom,
};

const FORMAT = { name: 'robustmq-journal', version: 1 };

/**
 * Opens or creates the journal in a directory that no other process uses.
 *
 * @throws JournalError JOURNAL_IO_FAILED  in use, of an unknown format, or not accessible
 */
export async function openSegmentJournal(
  options: { readonly directory: string } & Partial<SegmentJournalOptions>,
  environment: SegmentJournalEnvironment = SYSTEM_ENVIRONMENT,
): Promise<Journal> {
  const resolved = { ...DEFAULT_OPTIONS, ...options };
  const { directory } = resolved;
  try {
    const lock = await openDataDirectory(environment.fileSystem, directory, FORMAT);
    await environment.fileSystem.makeDirectory(`${directory}/shards`);
    return new SegmentJournal(resolved, environment, lock);
  } catch (error) {
    throw journalErrorOf(error, 'open');
  }
}

class SegmentJournal implements Journal {
  readonly capabilities: JournalCapabilities = {
    durable: true,
    replicated: false,
    shared: false,
    indexed: true,
  };
  readonly #options: SegmentJournalOptions;
  readonly #environment: SegmentJournalEnvironment;
  readonly #lock: DirectoryLock;
  readonly #stores: SharedStores;
  readonly #space: SpaceGuard;
  readonly #shards = new Map<string, SegmentShard>();
  readonly #opening = new Map<string, Promise<SegmentShard>>();
  #closed = false;

  constructor(
    options: SegmentJournalOptions,
    environment: SegmentJournalEnvironment,
    lock: DirectoryLock,
  ) {
    const { fileSystem } = environment;
    this.#options = options;
    this.#environment = environment;
    this.#lock = lock;
    this.#stores = {
      fileSystem,
      batches: new BatchCache(options.cacheBytesMax),
      indexes: new IndexStore(fileSystem, options.indexCacheBytesMax),
    };
    this.#space = new SpaceGuard(environment, options.directory, options);
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
    const names = await this.#environment.fileSystem.list(this.#shardsDirectory());
    return names.map(decodeShardName).sort();
  }

  async deleteShard(name: string): Promise<void> {
    this.#assertOpen();
    await this.#shards.get(name)?.close();
    this.#shards.delete(name);
    try {
      await this.#removeTree(this.#directoryOf(name));
      await this.#environment.fileSystem.syncDirectory(this.#shardsDirectory());
    } catch (error) {
      throw journalErrorOf(error, 'trim');
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#opening.values());
    for (const shard of this.#shards.values()) await shard.close();
    this.#shards.clear();
    await this.#lock.release();
  }

  async #recover(name: string, failed: SegmentShard | undefined): Promise<SegmentShard> {
    await failed?.close();
    try {
      const shard = await openSegmentShard({
        name,
        directory: this.#directoryOf(name),
        stores: this.#stores,
        space: this.#space,
        random: this.#environment.random,
        segmentBytesMax: this.#options.segmentBytesMax,
        trustedBytes: failed?.trustedBytes ?? Number.MAX_SAFE_INTEGER,
      });
      this.#shards.set(name, shard);
      return shard;
    } catch (error) {
      throw journalErrorOf(error, 'open');
    }
  }

  /** Files go oldest first, so a crash on the way leaves what looks like a trimmed shard. */
  async #removeTree(directory: string): Promise<void> {
    const { fileSystem } = this.#environment;
    for (const name of await fileSystem.list(directory)) {
      const path = `${directory}/${name}`;
      const status = await fileSystem.status(path);
      if (status?.kind === 'directory') await this.#removeTree(path);
      else await fileSystem.unlink(path);
    }
    if ((await fileSystem.status(directory)) !== null) await fileSystem.removeDirectory(directory);
  }

  #shardsDirectory(): string {
    return `${this.#options.directory}/shards`;
  }

  #directoryOf(name: string): string {
    return `${this.#shardsDirectory()}/${encodeShardName(name)}`;
  }

  #assertOpen(): void {
    if (this.#closed) throw new JournalError({ code: 'JOURNAL_CLOSED' });
  }
}

/** Any name as one that every file system takes: everything but letters, digits, `-` and `_` escaped. */
export function encodeShardName(name: string): string {
  return encodeURIComponent(name).replace(
    /[.!'()*~]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export function decodeShardName(name: string): string {
  return decodeURIComponent(name);
}
