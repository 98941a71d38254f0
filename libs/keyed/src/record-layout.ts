/**
 * What the records of a keyed shard are called and what is in them. Integers are little-endian.
 *
 * ```text
 *  k<key>        what stands at the key: kind u8, fence u64, revision u64, and
 *                kind 1, a value:       the value
 *                kind 2, no value:      its place among the removals u64
 *  m             the counters of the shard (keyed-meta.ts)
 *  r<revision>   the key that was written with this revision, while that is its newest
 *  t<place>      a removal, or a claim of a key without value: when u64 (ms), the key
 *
 *  revision, place   11 digits of base 32
 * ```
 *
 * `r` follows from `k`: a snapshot leaves it out.
 */
import { decodeUtf8, encodeUtf8 } from '@robustmq/bytes';
import { readUint64, writeUint64 } from '@robustmq/journal';

export const META_RECORD = 'm';
/** The records whose names begin with the letter; `after` is the first that does not. */
export interface RecordPrefix {
  readonly first: string;
  readonly after: string;
}
export const KEY_RECORDS: RecordPrefix = { first: 'k', after: 'l' };
export const REVISION_RECORDS: RecordPrefix = { first: 'r', after: 's' };
/** What a snapshot holds, in this order. */
export const SNAPSHOT_RECORDS: readonly RecordPrefix[] = [
  KEY_RECORDS,
  { first: 'm', after: 'n' },
  { first: 't', after: 'u' },
];

const NUMBER_DIGITS = 11;
const VALUE = 1;
const NO_VALUE = 2;
const HEADER_BYTES = 17;

/** What stands at a key. */
export interface Standing {
  readonly fence: number;
  /** 0: it was only claimed. */
  readonly revision: number;
  /** A view of the record; null: removed, or only claimed. */
  readonly value: Uint8Array | null;
  /** Among the removals; 0 when there is a value. */
  readonly place: number;
}

function digits(value: number): string {
  return value.toString(32).padStart(NUMBER_DIGITS, '0');
}

export function keyRecord(key: string): string {
  return `k${key}`;
}

export function keyOfRecord(record: string): string {
  return record.slice(1);
}

export function revisionRecord(revision: number): string {
  return `r${digits(revision)}`;
}

export function revisionOfRecord(record: string): number {
  return Number.parseInt(record.slice(1), 32);
}

export function removalRecord(place: number): string {
  return `t${digits(place)}`;
}

export function encodeStanding({ fence, revision, value, place }: Standing): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + (value === null ? 8 : value.length));
  bytes[0] = value === null ? NO_VALUE : VALUE;
  writeUint64(bytes, 1, fence);
  writeUint64(bytes, 9, revision);
  if (value === null) writeUint64(bytes, HEADER_BYTES, place);
  else bytes.set(value, HEADER_BYTES);
  return bytes;
}

/** @param record  what stands at `k<key>`; the value is a view of it */
export function decodeStanding(record: Uint8Array): Standing {
  const fence = readUint64(record, 1);
  const revision = readUint64(record, 9);
  if (record[0] === VALUE)
    return { fence, revision, value: record.subarray(HEADER_BYTES), place: 0 };
  return { fence, revision, value: null, place: readUint64(record, HEADER_BYTES) };
}

export function encodeRemoval(atMs: number, key: string): Uint8Array {
  const name = encodeUtf8(key);
  const bytes = new Uint8Array(8 + name.length);
  writeUint64(bytes, 0, atMs);
  bytes.set(name, 8);
  return bytes;
}

export function decodeRemoval(record: Uint8Array): { readonly atMs: number; readonly key: string } {
  return { atMs: readUint64(record, 0), key: decodeUtf8(record, 8, record.length) };
}

/** The records that belong to one of a snapshot: itself, and what it leaves out. */
export function expandSnapshotRecord(
  record: readonly [key: string, value: Uint8Array],
): readonly (readonly [key: string, value: Uint8Array])[] {
  const [name, bytes] = record;
  if (!name.startsWith(KEY_RECORDS.first)) return [record];
  const { revision } = decodeStanding(bytes);
  if (revision === 0) return [record];
  return [record, [revisionRecord(revision), encodeUtf8(keyOfRecord(name))]];
}
