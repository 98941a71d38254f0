/** Reads beside the commands: each sees one moment of the database. */
import {
  attachedKey,
  attachmentRecordRange,
  decodeKeyValue,
  decodeMeta,
  EMPTY_META,
  eventsFromHistory,
  historyRecordRange,
  isEmptyRange,
  isSingleKey,
  type KeyRange,
  keyRecord,
  keyRecordRange,
  keysWanted,
  type Lease,
  LEASE_RECORDS,
  type LeaseId,
  leaseRecord,
  META_RECORD,
  PlacementError,
  RangeCollector,
  type RangeReply,
  type RangeRequest,
  RecordDigest,
  recordedKey,
  recordedLease,
  recordedRevision,
  recordedTtlSeconds,
  type Revision,
  type RevisionEvents,
  type StoreMeta,
} from '@robustmq/placement';
import {
  countRecords,
  type Database,
  type DatabaseSnapshot,
  type Entry,
  scan,
} from '@robustmq/level-state';
import type { StoredLease } from './placement-store.ts';

/** Where the records of the state begin: what stands before is the store's own. */
const STATE_FIRST = 'a';

export function storedMeta(database: Database, snapshot?: DatabaseSnapshot): StoreMeta {
  const options = snapshot === undefined ? {} : { snapshot };
  const bytes = database.getSync(META_RECORD, options);
  return bytes === undefined ? EMPTY_META : decodeMeta(bytes);
}

export async function readRange(
  database: Database,
  snapshot: DatabaseSnapshot,
  request: Omit<RangeRequest, 'consistency'>,
): Promise<RangeReply> {
  const { revision } = storedMeta(database, snapshot);
  const isEmpty = isEmptyRange(request.range);
  const records = keyRecordRange(request.range);
  if (request.content === 'count') {
    const count = isEmpty ? 0 : await countRecords(database, records, snapshot);
    return { kind: 'range', keyValues: [], count, more: false, revision };
  }
  const collector = new RangeCollector(request);
  if (isSingleKey(request.range)) {
    const record = database.getSync(keyRecord(request.range.first), { snapshot });
    if (record !== undefined) collector.add(decodeKeyValue(request.range.first, record));
  } else if (!isEmpty) {
    const recordsMax = keysWanted(request) + 1;
    await collect(scan(database, records, { snapshot, recordsMax }), collector);
  }
  return { ...collector.result(), revision };
}

async function collect(
  steps: AsyncIterable<readonly Entry[]>,
  collector: RangeCollector,
): Promise<void> {
  for await (const entries of steps) {
    for (const [record, value] of entries) {
      if (collector.add(decodeKeyValue(recordedKey(record), value)) === 'full') return;
    }
  }
}

export async function readHistory(
  database: Database,
  snapshot: DatabaseSnapshot,
  wanted: { readonly from: Revision; readonly bytesMax: number },
): Promise<readonly RevisionEvents[]> {
  const { compactedRevision } = storedMeta(database, snapshot);
  const { from, bytesMax } = wanted;
  if (from <= compactedRevision) {
    const oldest = (compactedRevision + 1) as Revision;
    throw new PlacementError({ code: 'PLACEMENT_REVISION_COMPACTED', requested: from, oldest });
  }
  const found: Entry[] = [];
  let bytes = 0;
  let last: Revision | null = null;
  for await (const entries of scan(database, historyRecordRange(from, null), {
    snapshot,
    recordsMax: null,
  })) {
    for (const entry of entries) {
      const revision = recordedRevision(entry[0]);
      if (revision !== last && last !== null && bytes >= bytesMax) return eventsFromHistory(found);
      found.push(entry);
      bytes += entry[1].length;
      last = revision;
    }
  }
  return eventsFromHistory(found);
}

export async function* readLeases(
  database: Database,
  snapshot: DatabaseSnapshot,
): AsyncGenerator<Lease> {
  for await (const entries of scan(database, LEASE_RECORDS, { snapshot, recordsMax: null })) {
    for (const [record, value] of entries) {
      yield { id: recordedLease(record), ttlSeconds: recordedTtlSeconds(value) };
    }
  }
}

export async function readStoredLease(
  database: Database,
  snapshot: DatabaseSnapshot,
  id: LeaseId,
): Promise<StoredLease | null> {
  const record = database.getSync(leaseRecord(id), { snapshot });
  if (record === undefined) return null;
  const ttlSeconds = recordedTtlSeconds(record);
  if (ttlSeconds === 0) return null;
  const keys: string[] = [];
  for await (const entries of scan(database, attachmentRecordRange(id), {
    snapshot,
    recordsMax: null,
  })) {
    for (const [attachment] of entries) keys.push(attachedKey(attachment));
  }
  return { id, ttlSeconds, keys };
}

/** The records of the state, without the history that is forgotten. */
export function livingRanges(meta: StoreMeta): readonly KeyRange[] {
  const oldest = historyRecordRange((meta.compactedRevision + 1) as Revision, null).first;
  return [
    { first: STATE_FIRST, after: 'h' },
    { first: oldest, after: null },
  ];
}

/** The records of the history that is forgotten. */
export function deadRange(meta: StoreMeta): KeyRange {
  return historyRecordRange(0 as Revision, (meta.compactedRevision + 1) as Revision);
}

export async function readDigest(database: Database, snapshot: DatabaseSnapshot): Promise<string> {
  const digest = new RecordDigest();
  for (const range of livingRanges(storedMeta(database, snapshot))) {
    for await (const entries of scan(database, range, { snapshot, recordsMax: null })) {
      for (const [key, value] of entries) digest.add(key, value);
    }
  }
  return digest.toString();
}
