/** How records reach the database, together with the index of the last entry that they come from. */
import { setImmediate } from 'node:timers/promises';
import type { LogIndex } from '@robustmq/raft';
import { type Database, databaseFault, type DatabaseSnapshot } from './level-database.ts';

/** Stands before every record of the state. */
const APPLIED_INDEX = '!applied';
const INDEX_BYTES = 8;
/** Handed over in about five milliseconds. */
const RECORDS_AT_A_TIME = 8192;

export interface BatchOptions {
  readonly applied: LogIndex | null;
  readonly flush: 'sync' | 'async';
}

/** Writes all or, when the process dies, none. `null` deletes. */
export async function writeBatch(
  database: Database,
  records: Iterable<readonly [key: string, value: Uint8Array | null]>,
  options: BatchOptions,
): Promise<void> {
  try {
    const batch = database.batch();
    let count = 0;
    for (const [key, value] of records) {
      if (value === null) batch.del(key);
      else batch.put(key, value);
      count += 1;
      // A command can end a lease with a hundred thousand keys: heartbeats go on meanwhile.
      if (count % RECORDS_AT_A_TIME === 0) await setImmediate();
    }
    if (options.applied !== null) batch.put(APPLIED_INDEX, encodeIndex(options.applied));
    await batch.write({ sync: options.flush === 'sync' });
  } catch (error) {
    throw databaseFault(error);
  }
}

/** 0 when nothing was applied yet. */
export function readAppliedIndex(database: Database, snapshot?: DatabaseSnapshot): LogIndex {
  const bytes = database.getSync(APPLIED_INDEX, snapshot === undefined ? {} : { snapshot });
  if (bytes === undefined) return 0 as LogIndex;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Number(view.getBigUint64(0)) as LogIndex;
}

function encodeIndex(index: LogIndex): Uint8Array {
  const bytes = new Uint8Array(INDEX_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(index));
  return bytes;
}
