/** A journal in segment files whose sealed segments move to a bucket of S3. */
import { randomBytes } from 'node:crypto';
import { nodeFileSystem, systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import type { Clock, FileSystem, RandomSource, Timers } from '@robustmq/environment';
import { JournalError } from '@robustmq/journal';
import type { Journal, JournalCapabilities, JournalShard } from '@robustmq/journal';
import { decodeShardName, encodeShardName, openSegmentJournal } from '@robustmq/journal-segment';
import { BucketOwner } from './bucket-owner.ts';
import type { ObjectStore } from './object-store.ts';
import { isKnownHere, restoreShard } from './restore-shard.ts';
import { S3Store } from './s3-store.ts';
import type { S3Place } from './s3-store.ts';
import { SegmentTier } from './segment-tier.ts';
import { TieredFileSystem } from './tiered-file-system.ts';

export interface S3JournalOptions extends S3Place {
  /** For the active segments and those that wait or are kept. */
  readonly directory: string;
  /** What keys begin with, without a slash at its end. */
  readonly prefix: string;
  /** A segment that reached this size is sealed. It is held in memory while it is sent: 64 MiB counts for more. */
  readonly segmentBytesMax: number;
  /** Bytes of segments in the bucket whose files are kept here, too. */
  readonly localBytesMax: number;
  /** Bytes of sealed segments that wait for the bucket at which appends are refused. */
  readonly waitingBytesMax: number;
  /** Size of all shards, bucket included, at which appends are refused; 0: none. */
  readonly journalBytesMax: number;
  readonly cacheBytesMax: number;
  /** Told when the bucket fails; the work is tried again later. */
  readonly report: (error: unknown) => void;
}

export interface TierEnvironment {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly timers: Timers;
}

const SEGMENT_BYTES_LIMIT = 64 * 1024 * 1024;
const OWNER_NAME_BYTES = 12;

const DEFAULT_OPTIONS = {
  region: 'us-east-1',
  prefix: 'robustmq',
  requestTimeoutMs: 60_000,
  segmentBytesMax: SEGMENT_BYTES_LIMIT,
  localBytesMax: 1024 * 1024 * 1024,
  waitingBytesMax: 4 * 1024 * 1024 * 1024,
  journalBytesMax: 0,
  report: (): void => undefined,
};

const SYSTEM_ENVIRONMENT: TierEnvironment = {
  fileSystem: nodeFileSystem,
  clock: systemClock,
  random: systemRandom,
  timers: systemTimers,
};

type GivenOptions = Pick<S3JournalOptions, 'directory' | 'bucket'> & Partial<S3JournalOptions>;

/**
 * Opens or creates the journal in a directory that no other process uses.
 *
 * @throws JournalError JOURNAL_IO_FAILED  the directory is in use, the bucket is another's, or can't be reached
 *   although something is to be fetched from there
 */
export async function openS3Journal(
  options: GivenOptions,
  environment: TierEnvironment = SYSTEM_ENVIRONMENT,
): Promise<Journal> {
  const store = await S3Store.open({ ...DEFAULT_OPTIONS, ...options });
  try {
    return await openTieredJournal(store, options, environment);
  } catch (error) {
    store.close();
    throw error;
  }
}

/** The same over any store of objects, which belongs to the journal from now on. */
export async function openTieredJournal(
  store: ObjectStore,
  given: Omit<GivenOptions, 'bucket'>,
  environment: TierEnvironment = SYSTEM_ENVIRONMENT,
): Promise<TieredJournal> {
  const options = { ...DEFAULT_OPTIONS, ...given };
  const { directory, report } = options;
  const { fileSystem: local, timers } = environment;
  const prefix = `${options.prefix}/`;
  const root = `${directory}/shards`;
  const files = new TieredFileSystem(local, store, { root, prefix: `${prefix}shards/` });
  let tier: SegmentTier | null = null;
  const segmentBytesMax = Math.min(options.segmentBytesMax, SEGMENT_BYTES_LIMIT);
  const inner = await openSegmentJournal(
    { ...options, segmentBytesMax },
    { ...environment, fileSystem: files, refusal: (count) => tier?.refusal(count) ?? null },
  );
  try {
    const freshName = randomBytes(OWNER_NAME_BYTES).toString('hex');
    const owner = await BucketOwner.establish(local, store, { directory, prefix, freshName });
    tier = new SegmentTier({
      ...{ local, files, store, timers, report },
      limits: options,
      assertOwner: () => owner.assert(),
    });
    return new TieredJournal({ inner, local, files, store, tier, root, report });
  } catch (error) {
    await inner.close();
    throw bucketFault(error);
  }
}

interface JournalParts {
  readonly inner: Journal;
  readonly local: FileSystem;
  readonly files: TieredFileSystem;
  readonly store: ObjectStore;
  readonly tier: SegmentTier;
  readonly root: string;
  report(error: unknown): void;
}

export class TieredJournal implements Journal {
  readonly capabilities: JournalCapabilities;
  readonly #parts: JournalParts;
  readonly #restored = new Map<string, Promise<void>>();

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.capabilities = parts.inner.capabilities;
  }

  async openShard(name: string): Promise<JournalShard> {
    const directory = this.#directoryOf(name);
    let restored = this.#restored.get(name);
    if (restored === undefined) {
      restored = this.#restore(directory);
      restored.catch(() => this.#restored.delete(name));
      this.#restored.set(name, restored);
    }
    await restored;
    const shard = await this.#parts.inner.openShard(name);
    this.#parts.tier.watch(directory);
    return shard;
  }

  async listShards(): Promise<readonly string[]> {
    const { inner, store, files, root } = this.#parts;
    const names = new Set(await inner.listShards());
    const folders = await store.listFolders(files.keyOf(`${root}/`)).catch((error: unknown) => {
      this.#parts.report(error);
      return [];
    });
    for (const folder of folders) names.add(decodeShardName(folder));
    return [...names].toSorted();
  }

  /** @throws JournalError JOURNAL_IO_FAILED  the bucket still has objects of it: delete it again */
  async deleteShard(name: string): Promise<void> {
    const { inner, store, files, tier } = this.#parts;
    const directory = this.#directoryOf(name);
    tier.forget(directory);
    await tier.settle();
    await files.loadNotes(directory);
    await inner.deleteShard(name);
    this.#restored.delete(name);
    tier.forget(directory);
    try {
      for (const { key } of await store.list(`${files.keyOf(directory)}/`)) {
        await store.delete(key);
        files.orphans.delete(key);
      }
    } catch (error) {
      throw bucketFault(error);
    }
  }

  /** Waits until what is sealed is in the bucket, or the bucket fails. */
  settle(): Promise<void> {
    return this.#parts.tier.settle();
  }

  async close(): Promise<void> {
    await this.#parts.tier.close();
    await this.#parts.inner.close();
    this.#parts.store.close();
  }

  async #restore(directory: string): Promise<void> {
    const { local, files } = this.#parts;
    await files.loadNotes(directory);
    try {
      await restoreShard(this.#parts, directory);
    } catch (error) {
      // What is here is enough to go on with: the bucket was only to be compared.
      if (!(await isKnownHere(local, directory))) throw bucketFault(error);
      this.#parts.report(error);
    }
  }

  #directoryOf(name: string): string {
    return `${this.#parts.root}/${encodeShardName(name)}`;
  }
}

function bucketFault(error: unknown): JournalError {
  if (error instanceof JournalError) return error;
  const detail = `the bucket can't be used: ${error instanceof Error ? error.message : String(error)}`;
  const fault = { code: 'JOURNAL_IO_FAILED', operation: 'open', detail } as const;
  return new JournalError(fault, { cause: error });
}
