/** Reads of a keyed shard in the database: pages of bounded size, each of one moment. */
import type { KeyedChange, KeyedRecord } from '@robustmq/journal';
import {
  decodeMeta,
  decodeStanding,
  KEY_RECORDS,
  keyOfRecord,
  keyRecord,
  META_RECORD,
  REVISION_RECORDS,
  revisionOfRecord,
  revisionRecord,
} from '@robustmq/keyed';
import type { Database, DatabaseSnapshot, Entry, StateView } from '@robustmq/level-state';
import { scan } from '@robustmq/level-state';

/** Of keys and values in a page; the last record may exceed it. */
const PAGE_BYTES = 1024 * 1024;
/** Values are read in the background so many at a time. */
const VALUES_AT_A_TIME = 128;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Keys with a value, in the order of their bytes. */
export async function readList(
  { database, snapshot }: StateView,
  after: string | null,
  limit: number,
): Promise<readonly KeyedRecord[]> {
  const found: KeyedRecord[] = [];
  let bytes = 0;
  // The first name that sorts after the one of the key.
  const first = after === null ? KEY_RECORDS.first : `${keyRecord(after)}\0`;
  const range = { first, after: KEY_RECORDS.after };
  for await (const step of scan(database, range, { snapshot, recordsMax: null })) {
    for (const [name, record] of step) {
      const { fence, revision, value } = decodeStanding(record);
      if (value === null) continue;
      if (found.length >= limit || bytes >= PAGE_BYTES) return found;
      found.push({ key: keyOfRecord(name), fence, value, revision });
      bytes += name.length + value.length;
    }
  }
  return found;
}

/** What a tail gets at once. */
export interface ChangesPage {
  readonly changes: readonly KeyedChange[];
  /** Every newest change up to here is in it or was before it. */
  readonly position: number;
  /** At the moment of the page. */
  readonly forgottenRevision: number;
}

/** The newest change of each key after a revision, at most `limit`, in order. */
export async function readChanges(
  { database, snapshot }: StateView,
  after: number,
  limit: number,
): Promise<ChangesPage> {
  const meta = decodeMeta(database.getSync(META_RECORD, { snapshot }));
  const { forgottenRevision } = meta;
  const range = { first: revisionRecord(after + 1), after: REVISION_RECORDS.after };
  const changes: KeyedChange[] = [];
  let bytes = 0;
  for await (const step of scan(database, range, { snapshot, recordsMax: limit })) {
    for (let at = 0; at < step.length && bytes < PAGE_BYTES; at += VALUES_AT_A_TIME) {
      const found = await newest(database, snapshot, step.slice(at, at + VALUES_AT_A_TIME));
      for (const change of found) {
        changes.push(change);
        bytes += change.key.length + (change.value?.length ?? 0);
      }
    }
    if (bytes >= PAGE_BYTES) break;
  }
  const isAll = changes.length < limit && bytes < PAGE_BYTES;
  const last = isAll ? meta.revision : (changes.at(-1)?.revision ?? after);
  return { changes, position: Math.max(after, last), forgottenRevision };
}

async function newest(
  database: Database,
  snapshot: DatabaseSnapshot,
  revisions: readonly Entry[],
): Promise<readonly KeyedChange[]> {
  const keys = revisions.map(([, key]) => decoder.decode(key));
  const records = await database.getMany(keys.map(keyRecord), { snapshot });
  return revisions.map(([name], at) => {
    const key = keys[at] as string;
    const { fence, value } = decodeStanding(records[at] as Uint8Array);
    return { key, fence, value, revision: revisionOfRecord(name) };
  });
}
