/** A journal in one LevelDB database, which all its shards share. */
import { openBatchJournal } from '@robustmq/batch-shard';
import type { BatchJournalOptions, BatchMedium, BatchStore } from '@robustmq/batch-shard';
import { nodeFileSystem } from '@robustmq/environment';
import type { FileSystem } from '@robustmq/environment';
import { JournalError } from '@robustmq/journal';
import type { Journal, JournalCapabilities } from '@robustmq/journal';
import { LevelDatabase } from './level-database.ts';
import { HEADS, ShardKeys, shardIn } from './level-keys.ts';
import { LevelMedium } from './level-medium.ts';

export interface LevelJournalOptions extends BatchJournalOptions {
  readonly directory: string;
  /** Free disk space below which appends are refused; 0: none. */
  readonly diskFreeBytesMin: number;
}

/**
 * Opens or creates the journal in a directory that no other process uses.
 *
 * @throws JournalError JOURNAL_IO_FAILED  in use, damaged or not accessible
 */
export async function openLevelJournal(
  options: { readonly directory: string } & Partial<LevelJournalOptions>,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<Journal> {
  const { directory, diskFreeBytesMin = 0, ...rest } = options;
  const database = await openDatabase(directory, fileSystem);
  return openBatchJournal(new LevelStore(database, fileSystem, diskFreeBytesMin), rest);
}

async function openDatabase(directory: string, fileSystem: FileSystem): Promise<LevelDatabase> {
  try {
    return await LevelDatabase.open(directory, fileSystem);
  } catch (error) {
    if (error instanceof JournalError) throw error;
    const detail = `${directory}: ${error instanceof Error ? error.message : String(error)}`;
    const fault = { code: 'JOURNAL_IO_FAILED', operation: 'open', detail } as const;
    throw new JournalError(fault, { cause: error });
  }
}

class LevelStore implements BatchStore {
  readonly capabilities: JournalCapabilities = {
    durable: true,
    replicated: false,
    shared: false,
    indexed: true,
  };
  readonly #database: LevelDatabase;
  readonly #fileSystem: FileSystem;
  readonly #diskFreeBytesMin: number;

  constructor(database: LevelDatabase, fileSystem: FileSystem, diskFreeBytesMin: number) {
    this.#database = database;
    this.#fileSystem = fileSystem;
    this.#diskFreeBytesMin = diskFreeBytesMin;
  }

  async openMedium(shard: string): Promise<BatchMedium> {
    await this.#database.reviveIfFailed();
    return new LevelMedium(this.#database, shard);
  }

  async listShards(): Promise<readonly string[]> {
    return (await this.#database.keys(HEADS)).map(shardIn).toSorted();
  }

  /** The head goes last: a crash on the way leaves what looks like a trimmed shard. */
  async deleteShard(name: string): Promise<void> {
    const keys = new ShardKeys(name);
    for (const range of [keys.segments, keys.indexes, keys.batches(0, null)]) {
      await this.#database.clear(range);
    }
    await this.#database.write([{ type: 'del', key: keys.head }], 'sync');
  }

  async refusal(byteCount: number): Promise<string | null> {
    if (this.#diskFreeBytesMin === 0) return null;
    const free = await this.#fileSystem.freeBytes(this.#database.path);
    if (free - byteCount >= this.#diskFreeBytesMin) return null;
    return `the disk has ${free} bytes left, ${this.#diskFreeBytesMin} are to stay free`;
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}
