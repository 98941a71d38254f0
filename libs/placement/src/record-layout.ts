/**
 * What the records of the state machine are called and what is in them.
 *
 * ```text
 *  m                       the counters of the store (store-meta.ts)
 *  k<key>                  the key as it stands
 *  h<revision><number>     one event: the number-th of its revision, for watches that begin there
 *  l<lease>                the time to live of a lease; 0: it has ended, and its keys go in pieces
 *  a<lease>/<key>          empty: the key is attached to the lease
 *  q<request>              what the request id's command did (outcomes.ts)
 *  o<sequence>             the request remembered at that place of the ring
 *
 *  revision, lease, sequence   11 digits of base 32      number   5 digits of base 32
 * ```
 *
 * Numbers have a fixed width, so that records stand in the order of what they count. Revisions have no
 * gap and each has an event. Records of history up to the compacted revision are dead: `forget` says
 * so once, and a store removes them when it likes; a digest and a snapshot leave them out.
 */
import { encodeUtf8 } from '@robustmq/bytes';
import type { LeaseId, Revision } from './identifiers.ts';
import type { DeleteEvent, KeyEvent, KeyRange, KeyValue } from './key-value.ts';
import { keyBytes, prefixRange } from './keys.ts';

export const META_RECORD = 'm';

const TWO_32 = 2 ** 32;
const NUMBER_DIGITS = 11;
const ORDINAL_DIGITS = 5;
/** Create revision, modification revision, version, lease. */
const HEADER_BYTES = 32;
/** Bytes of history before, kind, create revision, version, lease, key length. */
const EVENT_HEADER_BYTES = 37;
const PUT = 1;
const DELETE = 2;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function digits(value: number): string {
  return value.toString(32).padStart(NUMBER_DIGITS, '0');
}

export function keyRecord(key: string): string {
  return `k${key}`;
}

/** The records of the keys in a range. */
export function keyRecordRange(range: KeyRange): KeyRange {
  return { first: `k${range.first}`, after: range.after === null ? 'l' : `k${range.after}` };
}

/** @param ordinal  counts the events of the revision, from 0 */
export function historyRecord(revision: Revision, ordinal: number): string {
  return `h${digits(revision)}${ordinal.toString(32).padStart(ORDINAL_DIGITS, '0')}`;
}

/** The records of the history of `first` and later; `after` null: to the newest. */
export function historyRecordRange(first: Revision, after: Revision | null): KeyRange {
  return { first: `h${digits(first)}`, after: after === null ? 'i' : `h${digits(after)}` };
}

export function leaseRecord(id: LeaseId): string {
  return `l${digits(id)}`;
}

/** The records of all living leases, ascending by id. */
export const LEASE_RECORDS: KeyRange = prefixRange('l');

export function attachmentRecord(id: LeaseId, key: string): string {
  return `a${digits(id)}/${key}`;
}

/** The records of the keys attached to the lease. */
export function attachmentRecordRange(id: LeaseId): KeyRange {
  return prefixRange(`a${digits(id)}/`);
}

/** The key that an attachment record names. */
export function attachedKey(record: string): string {
  return record.slice(NUMBER_DIGITS + 2);
}

export function outcomeRecord(kind: 'transact' | 'grantLease', requestId: string): string {
  return `q${kind === 'transact' ? 't' : 'g'}${requestId}`;
}

export function outcomeRingRecord(sequence: number): string {
  return `o${digits(sequence)}`;
}

export function writeSafeInteger(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / TWO_32));
  view.setUint32(at + 4, value % TWO_32);
}

export function readSafeInteger(view: DataView, at: number): number {
  return view.getUint32(at) * TWO_32 + view.getUint32(at + 4);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The content of the record of a key: a copy. */
export function encodeKeyValue(keyValue: KeyValue): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + keyValue.value.length);
  const view = viewOf(bytes);
  writeSafeInteger(view, 0, keyValue.createRevision);
  writeSafeInteger(view, 8, keyValue.modRevision);
  writeSafeInteger(view, 16, keyValue.version);
  writeSafeInteger(view, 24, keyValue.lease ?? 0);
  bytes.set(keyValue.value, HEADER_BYTES);
  return bytes;
}

/** @param record  the content of `k<key>`; the value is a view of it */
export function decodeKeyValue(key: string, record: Uint8Array): KeyValue {
  const view = viewOf(record);
  return {
    key,
    value: restOf(record, HEADER_BYTES),
    createRevision: readSafeInteger(view, 0) as Revision,
    modRevision: readSafeInteger(view, 8) as Revision,
    version: readSafeInteger(view, 16),
    lease: leaseOf(readSafeInteger(view, 24)),
  };
}

/** A plain view, also when the record is of a subclass that a database gave. */
function restOf(record: Uint8Array, from: number): Uint8Array {
  return new Uint8Array(record.buffer, record.byteOffset + from, record.length - from);
}

function leaseOf(id: number): LeaseId | null {
  return id === 0 ? null : (id as LeaseId);
}

/** The key whose record this is. */
export function recordedKey(record: string): string {
  return record.slice(1);
}

/** @param historyBytesBefore  of all history ever written before this revision */
export function encodeEvent(event: KeyEvent, historyBytesBefore: number): Uint8Array {
  const key = event.kind === 'put' ? event.keyValue.key : event.key;
  const keyLength = keyBytes(key);
  const value = event.kind === 'put' ? event.keyValue.value : null;
  const bytes = new Uint8Array(EVENT_HEADER_BYTES + keyLength + (value?.length ?? 0));
  const view = viewOf(bytes);
  writeSafeInteger(view, 0, historyBytesBefore);
  bytes[8] = event.kind === 'put' ? PUT : DELETE;
  if (event.kind === 'put') {
    writeSafeInteger(view, 9, event.keyValue.createRevision);
    writeSafeInteger(view, 17, event.keyValue.version);
    writeSafeInteger(view, 25, event.keyValue.lease ?? 0);
  }
  view.setUint32(33, keyLength);
  if (keyLength === key.length) writeAscii(bytes, EVENT_HEADER_BYTES, key);
  else bytes.set(encodeUtf8(key), EVENT_HEADER_BYTES);
  if (value !== null) bytes.set(value, EVENT_HEADER_BYTES + keyLength);
  return bytes;
}

/** Most keys are ASCII and short: a loop beats the call of the platform's encoder. */
function writeAscii(target: Uint8Array, start: number, text: string): void {
  for (let at = 0; at < text.length; at += 1) target[start + at] = text.charCodeAt(at);
}

/** What `encodeEvent` was told about the bytes before. */
export function historyBytesBefore(record: Uint8Array): number {
  return readSafeInteger(viewOf(record), 0);
}

/** @param record  the content of an `h` record of the revision; the value is a view of it */
export function decodeEvent(revision: Revision, record: Uint8Array): KeyEvent {
  const view = viewOf(record);
  const keyAfter = EVENT_HEADER_BYTES + view.getUint32(33);
  const key = decoder.decode(record.subarray(EVENT_HEADER_BYTES, keyAfter));
  if (record[8] === DELETE) return deletion(key, revision);
  return {
    kind: 'put',
    keyValue: {
      key,
      value: restOf(record, keyAfter),
      createRevision: readSafeInteger(view, 9) as Revision,
      modRevision: revision,
      version: readSafeInteger(view, 17),
      lease: leaseOf(readSafeInteger(view, 25)),
    },
  };
}

function deletion(key: string, modRevision: Revision): DeleteEvent {
  return { kind: 'delete', key, modRevision };
}

/** The revision that an `h` record belongs to. */
export function recordedRevision(record: string): Revision {
  return Number.parseInt(record.slice(1, 1 + NUMBER_DIGITS), 32) as Revision;
}

/** The lease that an `l` record stands for. */
export function recordedLease(record: string): LeaseId {
  return Number.parseInt(record.slice(1), 32) as LeaseId;
}
