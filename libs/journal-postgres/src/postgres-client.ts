/** Statements with a deadline, on a few connections. The client is loaded when it is needed. */
import { readFile } from 'node:fs/promises';
import { JournalError } from '@robustmq/journal';
import type { Pool, PoolConfig } from 'pg';

const CONNECTIONS_MAX = 8;
const APPLICATION_NAME = 'robustmq-journal';
/** The server ends a statement a little before the client gives it up. */
const STATEMENT_MARGIN_MS = 250;
const RETRY_WAIT_MS = 100;
const DISK_FULL = '53100';

/** Where the server is and how to be let in. Secrets are never part of a fault. */
export interface PostgresServer {
  /** A name or address, or the directory of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password?: string;
  /** File with the authorities of the server's certificate; absent: no TLS. */
  readonly tlsCaFile?: string;
  /** How long one statement may take. */
  readonly requestTimeoutMs: number;
}

export type Row = Readonly<Record<string, unknown>>;

export class PostgresClient {
  readonly #pool: Pool;

  private constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** @throws JournalError JOURNAL_IO_FAILED  the package is missing, or the server does not let us in */
  static async connect(server: PostgresServer): Promise<PostgresClient> {
    const { Pool } = await loadClient();
    const where = `PostgreSQL at ${server.host}:${server.port}, database ${server.database}`;
    try {
      const pool = new Pool(await poolConfig(server));
      // A connection that breaks while it is idle; the next statement opens another one.
      pool.on('error', () => undefined);
      const client = new PostgresClient(pool);
      await client.query('SELECT 1').catch(async (error: unknown) => {
        await pool.end();
        throw error;
      });
      return client;
    } catch (error) {
      throw openFault(`${where} can't be used: ${messageOf(error)}`, error);
    }
  }

  async query(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    const { rows } = await this.#pool.query<Row>(text, [...values]);
    return rows;
  }

  /** Statements without values, in one transaction. */
  async transaction(statements: readonly string[]): Promise<void> {
    await this.#pool.query(['BEGIN', ...statements, 'COMMIT'].join(';\n'));
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

/** Whether another try may succeed: the connection broke, or the server is starting or stopping. */
export function isTransient(error: unknown): boolean {
  const code = codeOf(error);
  // Class 08: connection; 40: rolled back; 57: cancelled or shut down. Without a class: the network.
  return code === '' || /^(?:08|40|57)/.test(code) || !/^[0-9A-Z]{5}$/.test(code);
}

export function isDiskFull(error: unknown): boolean {
  return codeOf(error) === DISK_FULL;
}

/** Repeats `attempt` while its failure may pass, until the deadline. */
export async function untilDeadline<Value>(
  timing: { readonly timeoutMs: number; now(): number; wait(ms: number): Promise<void> },
  attempt: () => Promise<Value>,
): Promise<Value> {
  const deadlineMs = timing.now() + timing.timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const isOver = timing.now() + RETRY_WAIT_MS >= deadlineMs;
      if (error instanceof JournalError || !isTransient(error) || isOver) throw error;
    }
    await timing.wait(RETRY_WAIT_MS);
  }
}

export function messageOf(error: unknown): string {
  // Several addresses were tried, and each has its own failure.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first.message : String(first);
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return '';
}

async function loadClient(): Promise<typeof import('pg')> {
  try {
    return await import('pg');
  } catch (error) {
    throw openFault('the package pg is not installed: install it', error);
  }
}

async function poolConfig(server: PostgresServer): Promise<PoolConfig> {
  const { host, port, database, user, password, tlsCaFile, requestTimeoutMs } = server;
  return {
    host,
    port,
    database,
    user,
    ...(password === undefined ? {} : { password }),
    ...(tlsCaFile === undefined ? {} : { ssl: { ca: await readFile(tlsCaFile, 'utf8') } }),
    application_name: APPLICATION_NAME,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: requestTimeoutMs,
    query_timeout: requestTimeoutMs,
    statement_timeout: Math.max(1, requestTimeoutMs - STATEMENT_MARGIN_MS),
    keepAlive: true,
  };
}

function openFault(detail: string, cause: unknown): JournalError {
  return new JournalError({ code: 'JOURNAL_IO_FAILED', operation: 'open', detail }, { cause });
}
