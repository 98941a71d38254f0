/**
 * The tables of the journal, in a schema of their own.
 *
 * ```text
 * shards     id, name, epoch (of its writer), next (offset), active_first, active_place
 * batches    shard, first, after, bytes          one row per batch
 * segments   shard, first, place, after, …       one row per sealed segment, with its packed index
 * ```
 */
import { JournalError } from '@robustmq/journal';
import type { PostgresClient } from './postgres-client.ts';

const FORMAT_VERSION = 1;
/** Any number that others do not lock: two brokers that start at once make the tables once. */
const CREATE_LOCK = 7_242_013_377;

export interface TableNames {
  readonly schema: string;
  readonly shards: string;
  readonly batches: string;
  readonly segments: string;
}

/** @param schema  a plain identifier: letters, digits and `_` */
export function tableNames(schema: string): TableNames {
  const table = (name: string): string => `"${schema}"."${name}"`;
  return {
    schema,
    shards: table('shards'),
    batches: table('batches'),
    segments: table('segments'),
  };
}

/** @throws JournalError JOURNAL_IO_FAILED  the tables are of another version */
export async function ensureTables(client: PostgresClient, names: TableNames): Promise<void> {
  const [found] = await client.query('SELECT to_regclass($1) IS NOT NULL AS there', [names.shards]);
  if (found?.['there'] !== true) await client.transaction(createStatements(names));
  const version = `SELECT obj_description(to_regclass($1)) AS version`;
  const [row] = await client.query(version, [names.shards]);
  if (row?.['version'] === versionText()) return;
  const detail = `the tables in schema ${names.schema} are of version ${String(row?.['version'])}, this program knows ${versionText()}`;
  throw new JournalError({ code: 'JOURNAL_IO_FAILED', operation: 'open', detail });
}

function versionText(): string {
  return `robustmq-journal ${FORMAT_VERSION}`;
}

function createStatements({ schema, shards, batches, segments }: TableNames): string[] {
  return [
    `SELECT pg_advisory_xact_lock(${CREATE_LOCK})`,
    `CREATE SCHEMA IF NOT EXISTS "${schema}"`,
    `CREATE TABLE IF NOT EXISTS ${shards} (
       id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE,
       epoch bigint NOT NULL, next bigint NOT NULL,
       active_first bigint NOT NULL, active_place bigint NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS ${batches} (
       shard bigint NOT NULL, first bigint NOT NULL, after bigint NOT NULL,
       bytes bytea NOT NULL, PRIMARY KEY (shard, first))`,
    `CREATE TABLE IF NOT EXISTS ${segments} (
       shard bigint NOT NULL, first bigint NOT NULL, place bigint NOT NULL, after bigint NOT NULL,
       bytes bigint NOT NULL, span bigint NOT NULL, index bytea NOT NULL, PRIMARY KEY (shard, first))`,
    // Compressing a batch costs time in the only process that writes it, and gains little.
    `ALTER TABLE ${batches} ALTER COLUMN bytes SET STORAGE EXTERNAL`,
    `COMMENT ON TABLE ${shards} IS '${versionText()}'`,
  ];
}
