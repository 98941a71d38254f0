/** The content of a store as a stream, and a store from a stream. */
import {
  assertSameLimits,
  SnapshotDamaged,
  SnapshotReader,
  SnapshotWriter,
  type StateMachineLimits,
} from '@robustmq/placement';
import type { LogIndex } from '@robustmq/raft';
import { writeBatch } from '@robustmq/level-state';
import { type Database, type DatabaseSnapshot, scan } from '@robustmq/level-state';
import { PlacementStoreError } from './placement-store-error.ts';
import { livingRanges, storedMeta } from './stored-reads.ts';

/** Records of one batch while a database is filled. */
const FILL_BYTES = 1024 * 1024;

export async function* snapshotContent(
  database: Database,
  snapshot: DatabaseSnapshot,
): AsyncGenerator<Uint8Array> {
  const writer = new SnapshotWriter();
  for (const range of livingRanges(storedMeta(database, snapshot))) {
    for await (const entries of scan(database, range, { snapshot, recordsMax: null })) {
      for (const [key, value] of entries) {
        const piece = writer.add(key, value);
        if (piece !== null) yield piece;
      }
    }
  }
  yield writer.end();
}

/** Fills an empty database; what it has at the end is written but not flushed. */
export async function fillDatabase(
  database: Database,
  content: AsyncIterable<Uint8Array>,
  { index, limits }: { readonly index: LogIndex; readonly limits: StateMachineLimits },
): Promise<void> {
  const reader = new SnapshotReader();
  let pending: (readonly [string, Uint8Array])[] = [];
  let bytes = 0;
  try {
    for await (const piece of content) {
      for (const record of reader.push(piece)) {
        pending.push(record);
        bytes += record[0].length + record[1].length;
      }
      if (bytes < FILL_BYTES) continue;
      await writeBatch(database, pending, { applied: null, flush: 'async' });
      pending = [];
      bytes = 0;
    }
    reader.end();
  } catch (error) {
    if (!(error instanceof SnapshotDamaged)) throw error;
    const detail = `the snapshot that was received is not used: ${error.message}`;
    throw new PlacementStoreError(
      { code: 'PLACEMENT_STORE_SNAPSHOT_DAMAGED', detail },
      { cause: error },
    );
  }
  await writeBatch(database, pending, { applied: index, flush: 'sync' });
  assertSame(database, limits);
}

function assertSame(database: Database, limits: StateMachineLimits): void {
  try {
    assertSameLimits(storedMeta(database), limits);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    const detail = `the snapshot that was received is not used: ${text}; run the version of the other members`;
    throw new PlacementStoreError({ code: 'PLACEMENT_STORE_UNKNOWN_FORMAT', detail }, { cause });
  }
}
