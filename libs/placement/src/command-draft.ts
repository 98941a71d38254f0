/**
 * What one command has changed so far: its own operations see it, others do not, and when the command
 * is refused nobody ever does.
 *
 * Cost: one point read per key touched; memory in proportion to the changes.
 */
import type { LeaseId, Revision } from './identifiers.ts';
import type { KeyEvent, KeyRange, KeyValue } from './key-value.ts';
import { compareKeys, isSingleKey, keyBytes, matchesRange } from './keys.ts';
import { limitsMark, type StateMachineLimits } from './limits.ts';
import {
  attachmentRecord,
  decodeKeyValue,
  encodeEvent,
  encodeKeyValue,
  historyRecord,
  keyRecord,
  keyRecordRange,
  META_RECORD,
  recordedKey,
} from './record-layout.ts';
import type { RecordReader, RecordWrite } from './record-store.ts';
import { encodeMeta, type MutableMeta, metaOf, type StoreMeta } from './store-meta.ts';
import type { PutOperation } from './transaction.ts';

const NOTHING = new Uint8Array(0);
/** Beside the key: its revisions, version, lease; and what points at it. */
const KEY_OVERHEAD_BYTES = 64;
const ATTACHMENT_OVERHEAD_BYTES = 32;

export class CommandDraft {
  readonly reader: RecordReader;
  /** Before the command. */
  readonly before: StoreMeta;
  readonly meta: MutableMeta;
  readonly writes: RecordWrite[] = [];
  readonly events: KeyEvent[] = [];
  /** Bytes of the records that were read one by one. */
  readBytes = 0;
  /** Keys changed by this command, as they stand now. */
  readonly #touched = new Map<string, KeyValue | null>();

  constructor(reader: RecordReader) {
    this.reader = reader;
    this.before = metaOf(reader);
    this.meta = { ...this.before };
  }

  /** The revision that changes of this command get. */
  get nextRevision(): Revision {
    return (this.before.revision + 1) as Revision;
  }

  read(key: string): KeyValue | null {
    const touched = this.#touched.get(key);
    return touched === undefined ? this.#stored(key) : touched;
  }

  #stored(key: string): KeyValue | null {
    const record = this.reader.get(keyRecord(key));
    if (record === undefined) return null;
    this.readBytes += record.length;
    return decodeKeyValue(key, record);
  }

  /** The keys in the range as they stand now, ascending. A range of several must be announced. */
  *scan(range: KeyRange): Iterable<KeyValue> {
    if (isSingleKey(range)) {
      const only = this.read(range.first);
      if (only !== null) yield only;
      return;
    }
    const added = this.#touchedIn(range);
    let next = 0;
    for (const [record, value] of this.reader.range(keyRecordRange(range))) {
      const key = recordedKey(record);
      for (; next < added.length; next += 1) {
        const mine = added[next] as KeyValue;
        if (compareKeys(mine.key, key) >= 0) break;
        yield mine;
      }
      if (!this.#touched.has(key)) yield decodeKeyValue(key, value);
    }
    yield* added.slice(next);
  }

  #touchedIn(range: KeyRange): readonly KeyValue[] {
    const found: KeyValue[] = [];
    for (const [key, value] of this.#touched) {
      if (value !== null && matchesRange(range, key)) found.push(value);
    }
    return found.sort((left, right) => compareKeys(left.key, right.key));
  }

  /** @returns what stood there before */
  put(operation: PutOperation): KeyValue | null {
    const { key, value, lease } = operation;
    const previous = this.read(key);
    const keyValue: KeyValue = {
      key,
      value,
      createRevision: previous?.createRevision ?? this.nextRevision,
      modRevision: this.nextRevision,
      version: (previous?.version ?? 0) + 1,
      lease,
    };
    this.#attach(key, previous?.lease ?? null, lease);
    this.writes.push({ kind: 'put', key: keyRecord(key), value: encodeKeyValue(keyValue) });
    this.meta.keys += previous === null ? 1 : 0;
    this.meta.liveBytes +=
      keyValueBytes(keyValue) - (previous === null ? 0 : keyValueBytes(previous));
    this.#record({ kind: 'put', keyValue }, key, keyValue);
    return previous;
  }

  /** Deletes a key that stands. */
  delete(keyValue: KeyValue): void {
    const { key } = keyValue;
    this.#attach(key, keyValue.lease, null);
    this.writes.push({ kind: 'delete', key: keyRecord(key) });
    this.meta.keys -= 1;
    this.meta.liveBytes -= keyValueBytes(keyValue);
    this.#record({ kind: 'delete', key, modRevision: this.nextRevision }, key, null);
  }

  #attach(key: string, previous: LeaseId | null, lease: LeaseId | null): void {
    if (previous === lease) return;
    const bytes = ATTACHMENT_OVERHEAD_BYTES + keyBytes(key);
    if (previous !== null) {
      this.writes.push({ kind: 'delete', key: attachmentRecord(previous, key) });
      this.meta.liveBytes -= bytes;
    }
    if (lease !== null) {
      this.writes.push({ kind: 'put', key: attachmentRecord(lease, key), value: NOTHING });
      this.meta.liveBytes += bytes;
    }
  }

  #record(event: KeyEvent, key: string, now: KeyValue | null): void {
    const record = historyRecord(this.nextRevision, this.events.length);
    const value = encodeEvent(event, this.before.historyWrittenBytes);
    this.writes.push({ kind: 'put', key: record, value });
    this.meta.historyWrittenBytes += record.length + value.length;
    this.meta.revision = this.nextRevision;
    this.events.push(event);
    this.#touched.set(key, now);
  }

  /** The writes with the counters as the last of them; call once, at the end. */
  seal(limits: StateMachineLimits): readonly RecordWrite[] {
    if (this.meta.limitsMark === 0) this.meta.limitsMark = limitsMark(limits);
    this.writes.push({ kind: 'put', key: META_RECORD, value: encodeMeta(this.meta) });
    return this.writes;
  }
}

function keyValueBytes(keyValue: KeyValue): number {
  return KEY_OVERHEAD_BYTES + keyBytes(keyValue.key) + keyValue.value.length;
}
