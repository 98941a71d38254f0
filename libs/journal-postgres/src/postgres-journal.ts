/** A journal in PostgreSQL: three tables that all its shards share. */
import { setTimeout as wait } from 'node:timers/promises';
import { openBatchJournal } from '@robustmq/batch-shard';
import type { BatchJournalOptions, BatchMedium, BatchStore } from '@robustmq/batch-shard';
import { systemClock } from '@robustmq/environment';
import { JournalError } from '@robustmq/journal';
import type { Journal, JournalCapabilities } from '@robustmq/journal';
import { ensureTables, tableNames } from './journal-tables.ts';
import type { TableNames } from './journal-tables.ts';
import { PostgresClient, messageOf } from './postgres-client.ts';
import type { PostgresServer } from './postgres-client.ts';
import { PostgresMedium } from './postgres-medium.ts';
import type { Timing } from './postgres-medium.ts';

export interface PostgresJournalOptions extends PostgresServer, BatchJournalOptions {
  /** The schema of the tables, made when it is absent: letters, digits and `_`. */
  readonly schema: string;
  /** How long a statement is tried before its outcome is called unknown. */
  readonly writeTimeoutMs: number;
}

const DEFAULT_OPTIONS = {
  port: 5432,
  schema: 'robustmq',
  requestTimeoutMs: 10_000,
  writeTimeoutMs: 30_000,
} as const;

/** So many rows are deleted by one statement. */
const DELETE_ROWS = 1000;

/**
 * Connects to the server, makes the tables when they are absent, and asks what a commit means there.
 *
 * @throws JournalError JOURNAL_IO_FAILED  not reachable, not let in, of another version, or no client installed
 */
export async function openPostgresJournal(
  options: Pick<PostgresServer, 'host' | 'database' | 'user'> & Partial<PostgresJournalOptions>,
): Promise<Journal> {
  const resolved = { ...DEFAULT_OPTIONS, ...options };
  const names = tableNames(resolved.schema);
  const client = await PostgresClient.connect(resolved);
  try {
    await ensureTables(client, names);
    const capabilities = await capabilitiesOf(client);
    const store = new PostgresStore({ client, names, capabilities }, resolved.writeTimeoutMs);
    return openBatchJournal(store, options);
  } catch (error) {
    await client.close();
    if (error instanceof JournalError) throw error;
    const fault = {
      code: 'JOURNAL_IO_FAILED',
      operation: 'open',
      detail: messageOf(error),
    } as const;
    throw new JournalError(fault, { cause: error });
  }
}

/** A commit is on disk unless `fsync` or `synchronous_commit` are off, and on a standby if one must confirm it. */
async function capabilitiesOf(client: PostgresClient): Promise<JournalCapabilities> {
  const [row] = await client.query(
    `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
       current_setting('synchronous_standby_names') AS standbys`,
  );
  const commit = String(row?.['commit']);
  const waitsForStandby = row?.['standbys'] !== '' && commit !== 'local' && commit !== 'off';
  return {
    durable: row?.['fsync'] === 'on' && commit !== 'off',
    replicated: waitsForStandby,
    shared: true,
    indexed: true,
  };
}

class PostgresStore implements BatchStore {
  readonly capabilities: JournalCapabilities;
  readonly #client: PostgresClient;
  readonly #names: TableNames;
  readonly #timing: Timing;

  constructor(
    parts: {
      readonly client: PostgresClient;
      readonly names: TableNames;
      readonly capabilities: JournalCapabilities;
    },
    timeoutMs: number,
  ) {
    this.#client = parts.client;
    this.#names = parts.names;
    this.capabilities = parts.capabilities;
    this.#timing = { timeoutMs, now: () => systemClock.monotonicMs(), wait: (ms) => wait(ms) };
  }

  openMedium(shard: string): Promise<BatchMedium> {
    const { client, names } = { client: this.#client, names: this.#names };
    return PostgresMedium.open({ client, names, shard, timing: this.#timing });
  }

  async listShards(): Promise<readonly string[]> {
    const rows = await this.#client.query(`SELECT name FROM ${this.#names.shards}`);
    return rows.map((row) => String(row['name'])).toSorted();
  }

  /** In steps, the row of the shard last: a crash on the way leaves what looks like a trimmed shard. */
  async deleteShard(name: string): Promise<void> {
    const { shards, batches, segments } = this.#names;
    const [row] = await this.#client.query(`SELECT id FROM ${shards} WHERE name = $1`, [name]);
    if (row === undefined) return;
    const id = [row['id']];
    await this.#client.query(`DELETE FROM ${segments} WHERE shard = $1`, id);
    const some = `SELECT first FROM ${batches} WHERE shard = $1 ORDER BY first LIMIT ${DELETE_ROWS}`;
    const step = `DELETE FROM ${batches} WHERE shard = $1 AND first IN (${some}) RETURNING 1`;
    while ((await this.#client.query(step, id)).length > 0);
    await this.#client.query(`DELETE FROM ${shards} WHERE id = $1`, id);
  }

  async refusal(): Promise<string | null> {
    return null;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}
