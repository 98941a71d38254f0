/** The content of a store as a stream, and a store from a stream. */
import {
  type Database,
  type DatabaseSnapshot,
  fillDatabase,
  RecordStreamDamaged,
  RecordStreamWriter,
  scan,
  type StoredRecord,
} from '@robustmq/level-state';
import { assertSameLimits, type StateMachineLimits } from '@robustmq/placement';
import type { LogIndex } from '@robustmq/raft';
import { PlacementStoreError } from './placement-store-error.ts';
import { livingRanges, storedMeta } from './stored-reads.ts';

const STREAM_NAME = 'RMQPLSN\u0001';

export async function* snapshotContent(
  database: Database,
  snapshot: DatabaseSnapshot,
): AsyncGenerator<Uint8Array> {
  const writer = new RecordStreamWriter(STREAM_NAME);
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
export async function fillFromSnapshot(
  database: Database,
  content: AsyncIterable<Uint8Array>,
  { index, limits }: { readonly index: LogIndex; readonly limits: StateMachineLimits },
): Promise<void> {
  try {
    const expand = (record: StoredRecord): readonly StoredRecord[] => [record];
    await fillDatabase(database, content, { name: STREAM_NAME, index, expand });
  } catch (error) {
    if (!(error instanceof RecordStreamDamaged)) throw error;
    const detail = `the snapshot that was received is not used: ${error.message}`;
    throw new PlacementStoreError(
      { code: 'PLACEMENT_STORE_SNAPSHOT_DAMAGED', detail },
      { cause: error },
    );
  }
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
