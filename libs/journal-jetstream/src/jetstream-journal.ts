/** A journal in NATS JetStream: a stream for each shard, replicated by the servers. */
import { randomBytes } from 'node:crypto';
import { openBatchJournal } from '@robustmq/batch-shard';
import type { BatchJournalOptions, BatchMedium, BatchStore } from '@robustmq/batch-shard';
import { systemClock } from '@robustmq/environment';
import type { Journal, JournalCapabilities } from '@robustmq/journal';
import { setTimeout as wait } from 'node:timers/promises';
import { StreamClient } from './stream-client.ts';
import type { JetStreamServers } from './stream-client.ts';
import { StreamMedium } from './stream-medium.ts';
import { shardOf, streamNamesOf } from './stream-names.ts';
import { StreamWriter } from './stream-writer.ts';

export interface JetStreamJournalOptions extends JetStreamServers, BatchJournalOptions {
  /** What streams and subjects begin with: letters, digits and `-`. */
  readonly prefix: string;
  /** Servers that keep each message. */
  readonly replicas: 1 | 3 | 5;
  /** How long a write is tried before its outcome is called unknown. */
  readonly writeTimeoutMs: number;
  /**
   * What the servers do with an acknowledged message: `always`: they flush it first (`sync_interval:
   * always`, which servers before 2.10 do not have). `interval`: they flush every two minutes. They can't be asked.
   */
  readonly serverFlush: 'always' | 'interval';
}

const DEFAULT_OPTIONS = {
  prefix: 'robustmq',
  replicas: 3,
  requestTimeoutMs: 5000,
  writeTimeoutMs: 30_000,
  serverFlush: 'interval',
} as const;

const WRITER_NAME_BYTES = 12;

/**
 * Connects to the servers; streams are made when shards are opened.
 *
 * @throws JournalError JOURNAL_IO_FAILED  no server can be reached or lets us in, or the client is not installed
 */
export async function openJetStreamJournal(
  options: { readonly servers: readonly string[] } & Partial<JetStreamJournalOptions>,
): Promise<Journal> {
  const resolved = { ...DEFAULT_OPTIONS, ...options };
  const client = await StreamClient.connect(resolved);
  return openBatchJournal(new JetStreamStore(client, resolved), options);
}

type StoreOptions = Pick<
  JetStreamJournalOptions,
  'prefix' | 'replicas' | 'writeTimeoutMs' | 'serverFlush'
>;

class JetStreamStore implements BatchStore {
  readonly capabilities: JournalCapabilities;
  readonly #client: StreamClient;
  readonly #options: StoreOptions;

  constructor(client: StreamClient, options: StoreOptions) {
    this.#client = client;
    this.#options = options;
    this.capabilities = {
      durable: options.serverFlush === 'always' && flushesAlways(client.serverVersion),
      replicated: options.replicas > 1,
      shared: true,
      indexed: true,
    };
  }

  async openMedium(shard: string): Promise<BatchMedium> {
    const { prefix, replicas, writeTimeoutMs } = this.#options;
    const names = streamNamesOf(prefix, shard);
    const writer = new StreamWriter(
      this.#client,
      {
        stream: names.stream,
        writer: randomBytes(WRITER_NAME_BYTES).toString('hex'),
        timeoutMs: writeTimeoutMs,
      },
      { monotonicMs: () => systemClock.monotonicMs(), wait: (ms) => wait(ms) },
    );
    await this.#client.ensureStream(names.stream, names.all, replicas);
    const medium = new StreamMedium({ client: this.#client, writer, names });
    await medium.claim();
    return medium;
  }

  async listShards(): Promise<readonly string[]> {
    const streams = await this.#client.streams(`${this.#options.prefix}.>`);
    const shards = streams.map((stream) => shardOf(this.#options.prefix, stream));
    return shards.filter((shard) => shard !== null).toSorted();
  }

  async deleteShard(name: string): Promise<void> {
    await this.#client.deleteStream(streamNamesOf(this.#options.prefix, name).stream);
  }

  async refusal(): Promise<string | null> {
    return null;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}

/** Servers from 2.10 on can flush each write. */
function flushesAlways(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 10);
}
