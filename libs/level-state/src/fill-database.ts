/** An empty database filled from a stream of records. */
import type { LogIndex } from '@robustmq/raft';
import { writeBatch } from './batch-writer.ts';
import type { Database } from './level-database.ts';
import { RecordStreamReader } from './record-stream.ts';

/** Of one batch, about. */
const BATCH_BYTES = 1024 * 1024;

export type StoredRecord = readonly [key: string, value: Uint8Array];

export interface FillOptions {
  /** Of the stream, as its writer was given it. */
  readonly name: string;
  /** The applied index of the content. */
  readonly index: LogIndex;
  /** The records to write for one of the stream: itself, and what can be told from it. */
  readonly expand: (record: StoredRecord) => readonly StoredRecord[];
}

/**
 * What the database has at the end is written but not flushed.
 *
 * @throws RecordStreamDamaged  the database is then of no use
 * @throws LevelStateError
 */
export async function fillDatabase(
  database: Database,
  content: AsyncIterable<Uint8Array>,
  options: FillOptions,
): Promise<void> {
  const reader = new RecordStreamReader(options.name);
  let pending: StoredRecord[] = [];
  let bytes = 0;
  for await (const piece of content) {
    for (const record of reader.push(piece)) {
      for (const written of options.expand(record)) {
        pending.push(written);
        bytes += written[0].length + written[1].length;
      }
    }
    if (bytes < BATCH_BYTES) continue;
    await writeBatch(database, pending, { applied: null, flush: 'async' });
    pending = [];
    bytes = 0;
  }
  reader.end();
  await writeBatch(database, pending, { applied: options.index, flush: 'async' });
}
