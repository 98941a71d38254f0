/**
 * One shard in PostgreSQL. Each write is one statement, and so one transaction: it moves the shard's end
 * if the writer's epoch still stands, and stores the batches. When the answer is lost, the shard's row tells
 * whether it was done.
 */
import type {
  BatchMedium,
  BatchSpot,
  SealedSegment,
  SegmentStart,
  ShardContents,
  StoredBatch,
} from '@robustmq/batch-shard';
import { JournalError } from '@robustmq/journal';
import type { TableNames } from './journal-tables.ts';
import { isDiskFull, isTransient, messageOf, untilDeadline } from './postgres-client.ts';
import type { PostgresClient, Row } from './postgres-client.ts';

/** One statement brings so many batches when a segment is read from its start. */
const SCAN_BATCHES = 16;

/** When to give up, and how to wait until then. */
export interface Timing {
  readonly timeoutMs: number;
  now(): number;
  wait(ms: number): Promise<void>;
}

export interface PostgresShardParts {
  readonly client: PostgresClient;
  readonly names: TableNames;
  readonly shard: string;
  readonly timing: Timing;
}

export class PostgresMedium implements BatchMedium {
  readonly #client: PostgresClient;
  readonly #names: TableNames;
  readonly #shard: string;
  readonly #timing: Timing;
  readonly #id: string;
  readonly #epoch: string;

  private constructor(parts: PostgresShardParts, row: Row) {
    this.#client = parts.client;
    this.#names = parts.names;
    this.#shard = parts.shard;
    this.#timing = parts.timing;
    this.#id = String(row['id']);
    this.#epoch = String(row['epoch']);
  }

  /** Creates the shard, or begins the next epoch of it: from here on no other writer's statement has an effect. */
  static async open(parts: PostgresShardParts): Promise<PostgresMedium> {
    const { client, names, shard, timing } = parts;
    const text = `INSERT INTO ${names.shards} AS s (name, epoch, next, active_first, active_place)
      VALUES ($1, 1, 0, 0, 0) ON CONFLICT (name) DO UPDATE SET epoch = s.epoch + 1
      RETURNING id, epoch`;
    const [row] = await untilDeadline(timing, () => client.query(text, [shard]));
    return new PostgresMedium(parts, row as Row);
  }

  placesOf(byteLength: number): number {
    return byteLength;
  }

  async load(): Promise<ShardContents> {
    const { segments } = this.#names;
    const rows = await this.#read(
      `SELECT first, place, after, bytes, span FROM ${segments} WHERE shard = $1 ORDER BY first`,
      [this.#id],
    );
    const row = await this.#row();
    const active = {
      first: numberIn(row, 'active_first'),
      place: numberIn(row, 'active_place'),
    };
    return { sealed: rows.map(segmentOf), active };
  }

  async *scan(from: SegmentStart, after: number | null): AsyncGenerator<StoredBatch> {
    const text = `SELECT first, after, bytes FROM ${this.#names.batches}
      WHERE shard = $1 AND first >= $2 AND first < $3 ORDER BY first LIMIT ${SCAN_BATCHES}`;
    let { first, place } = from;
    const end = after ?? Number.MAX_SAFE_INTEGER;
    for (;;) {
      const rows = await this.#read(text, [this.#id, first, end]);
      for (const row of rows) {
        const batch = { first: numberIn(row, 'first'), after: numberIn(row, 'after') };
        const bytes = row['bytes'] as Uint8Array;
        yield { ...batch, place, bytes };
        place += bytes.length;
        first = batch.first + 1;
      }
      if (rows.length < SCAN_BATCHES) return;
    }
  }

  /** A commit is durable whatever was asked for; see `PostgresStore` for what the server makes of it. */
  async write(batches: readonly StoredBatch[], _flush: 'sync' | 'async'): Promise<void> {
    const { shards, batches: table } = this.#names;
    const next = batches.at(-1)?.after ?? 0;
    const lengths = batches.map(({ bytes }) => bytes.length);
    let start = 1;
    const starts = lengths.map((length) => {
      start += length;
      return start - length;
    });
    const text = `WITH fence AS (
        UPDATE ${shards} SET next = $4 WHERE id = $1 AND epoch = $2 AND next = $3 RETURNING id)
      INSERT INTO ${table} (shard, first, after, bytes)
      SELECT fence.id, b.first, b.after, substring($5::bytea FROM b.start FOR b.length)
      FROM fence, unnest($6::bigint[], $7::bigint[], $8::int[], $9::int[]) AS b (first, after, start, length)
      RETURNING 1`;
    await this.#once(
      text,
      [
        next,
        Buffer.concat(batches.map(({ bytes }) => bytes)),
        batches.map(({ first }) => first),
        batches.map(({ after }) => after),
        starts,
        lengths,
      ],
      { column: 'next', before: batches[0]?.first ?? 0, after: next },
    );
  }

  async read(
    _segment: SegmentStart,
    spots: readonly BatchSpot[],
  ): Promise<readonly (Uint8Array | null)[]> {
    const text = `SELECT first, bytes FROM ${this.#names.batches} WHERE shard = $1 AND first = ANY($2::bigint[])`;
    const rows = await this.#read(text, [this.#id, spots.map(({ first }) => first)]);
    const found = new Map(rows.map((row) => [numberIn(row, 'first'), row['bytes'] as Uint8Array]));
    return spots.map(({ first }) => found.get(first) ?? null);
  }

  async seal(segment: SealedSegment, index: Uint8Array): Promise<number> {
    const { shards, segments } = this.#names;
    const { first, place, after, bytes, span } = segment;
    const next = place + span;
    const text = `WITH fence AS (
        UPDATE ${shards} SET active_first = $4::bigint, active_place = $5
        WHERE id = $1 AND epoch = $2 AND active_first = $3::bigint RETURNING id)
      INSERT INTO ${segments} (shard, first, place, after, bytes, span, index)
      SELECT fence.id, $3::bigint, $6::bigint, $4::bigint, $7::bigint, $8::bigint, $9::bytea
      FROM fence RETURNING 1`;
    await this.#once(text, [after, next, place, bytes, span, Buffer.from(index)], {
      column: 'active_first',
      before: first,
      after,
    });
    return next;
  }

  async readIndex(segment: SealedSegment): Promise<Uint8Array | null> {
    const text = `SELECT index FROM ${this.#names.segments} WHERE shard = $1 AND first = $2`;
    const [row] = await this.#read(text, [this.#id, segment.first]);
    return (row?.['index'] as Uint8Array | undefined) ?? null;
  }

  /** A segment at a time, each with its batches in one transaction. */
  async remove(segments: readonly SealedSegment[]): Promise<void> {
    const { shards, batches, segments: table } = this.#names;
    const text = `WITH fence AS (SELECT id FROM ${shards} WHERE id = $1 AND epoch = $2 FOR SHARE),
      gone AS (DELETE FROM ${table} t USING fence WHERE t.shard = fence.id AND t.first = $3)
      DELETE FROM ${batches} b USING fence WHERE b.shard = fence.id AND b.first >= $3 AND b.first < $4`;
    for (const { first, after } of segments) {
      await this.#read(text, [this.#id, this.#epoch, first, after]);
    }
  }

  nameOf(spot: BatchSpot): string {
    return `batch ${spot.first} of shard ${this.#shard} in ${this.#names.batches}`;
  }

  /** Nothing is held back. */
  async close(): Promise<void> {}

  /** For statements that may be repeated. @throws JournalError JOURNAL_UNAVAILABLE  until the deadline */
  async #read(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    try {
      return await untilDeadline(this.#timing, () => this.#client.query(text, values));
    } catch (cause) {
      if (!isTransient(cause)) throw cause;
      const detail = `PostgreSQL does not answer: ${messageOf(cause)}`;
      const fault = { code: 'JOURNAL_UNAVAILABLE', shard: this.#shard, detail } as const;
      throw new JournalError(fault, { cause });
    }
  }

  /**
   * Runs a statement that moves `column` of the shard's row from `before` to `after`, once: its first three
   * values are the shard, the epoch and `before`.
   */
  async #once(
    text: string,
    values: readonly unknown[],
    move: { readonly column: string; readonly before: number; readonly after: number },
  ): Promise<void> {
    const all = [this.#id, this.#epoch, move.before, ...values];
    try {
      let attempts = 0;
      await untilDeadline(this.#timing, async () => {
        attempts += 1;
        if (attempts > 1 && (await this.#isDone(move))) return;
        const rows = await this.#client.query(text, all);
        if (rows.length > 0 || (await this.#isDone(move))) return;
        throw new Error('the statement had no effect');
      });
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      const detail = `PostgreSQL has no room: ${messageOf(error)}`;
      throw new JournalError({ code: 'JOURNAL_FULL', limit: 'disk', detail }, { cause: error });
    }
  }

  /** Whether an attempt before, whose answer was lost, was the one. */
  async #isDone(move: {
    readonly column: string;
    readonly before: number;
    readonly after: number;
  }): Promise<boolean> {
    const row = await this.#row();
    const at = numberIn(row, move.column);
    if (at === move.before) return false;
    if (at === move.after) return true;
    const detail = `its ${move.column} is ${at}, neither ${move.before} nor ${move.after}`;
    throw new JournalError({ code: 'JOURNAL_FENCED', shard: this.#shard, detail });
  }

  /** @throws JournalError JOURNAL_FENCED  the epoch is over */
  async #row(): Promise<Row> {
    const text = `SELECT epoch, next, active_first, active_place FROM ${this.#names.shards} WHERE id = $1`;
    const [row] = await this.#client.query(text, [this.#id]);
    if (row !== undefined && String(row['epoch']) === this.#epoch) return row;
    const detail = `epoch ${this.#epoch} is over: another writer has opened it`;
    throw new JournalError({ code: 'JOURNAL_FENCED', shard: this.#shard, detail });
  }
}

function segmentOf(row: Row): SealedSegment {
  return {
    first: numberIn(row, 'first'),
    place: numberIn(row, 'place'),
    after: numberIn(row, 'after'),
    bytes: numberIn(row, 'bytes'),
    span: numberIn(row, 'span'),
  };
}

/** A bigint comes as text; ours are safe integers. */
function numberIn(row: Row, column: string): number {
  return Number(row[column]);
}
