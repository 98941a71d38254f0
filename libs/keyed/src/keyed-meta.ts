/** The counters of a keyed shard: one record, 64 bytes, eight integers in the order below. */
import { readUint64, writeUint64 } from '@robustmq/journal';

export interface KeyedMeta {
  /** Of the newest write. */
  readonly revision: number;
  /** Of the newest removal that is forgotten; 0: none. */
  readonly forgottenRevision: number;
  /** Keys with a value. */
  readonly keys: number;
  /** Keys without one, whose fence is remembered. */
  readonly removals: number;
  /** What counts against the limit: keys, values, and 64 bytes for each. */
  readonly storedBytes: number;
  /** Removals before this place are forgotten. */
  readonly oldestPlace: number;
  /** The place of the next removal; the first is 1. */
  readonly nextPlace: number;
  /** The latest time of a command. */
  readonly nowMs: number;
}

export const EMPTY_META: KeyedMeta = {
  revision: 0,
  forgottenRevision: 0,
  keys: 0,
  removals: 0,
  storedBytes: 0,
  oldestPlace: 1,
  nextPlace: 1,
  nowMs: 0,
};

const FIELDS = [
  'revision',
  'forgottenRevision',
  'keys',
  'removals',
  'storedBytes',
  'oldestPlace',
  'nextPlace',
  'nowMs',
] as const;

export function encodeMeta(meta: KeyedMeta): Uint8Array {
  const bytes = new Uint8Array(FIELDS.length * 8);
  for (const [at, field] of FIELDS.entries()) writeUint64(bytes, at * 8, meta[field]);
  return bytes;
}

/** @param bytes  undefined: of an empty shard */
export function decodeMeta(bytes: Uint8Array | undefined): KeyedMeta {
  if (bytes === undefined) return EMPTY_META;
  const entries = FIELDS.map((field, at) => [field, readUint64(bytes, at * 8)]);
  return Object.fromEntries(entries) as KeyedMeta;
}
