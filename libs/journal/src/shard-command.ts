/**
 * The entries of a replicated shard's log: what its Raft group carries and its files hold.
 *
 * ```text
 *  0  kind           u8    1 append, 2 fence, 3 trim, 4 append behind a gap; all integers are
 *                          little-endian
 *  1  stamp          u64   the leader's clock when it took the command, milliseconds since 1970
 *  9  append, fence: producer    u64      trim: offset  u64
 * 17                 incarnation u64
 * 25  append:        sequence    u64
 * 33     kind 1:     record batch, to the end (record-batch.ts), opaque
 *        kind 4:     may miss from u64, then at 41 the record batch
 * ```
 */
import type { ProducerName } from './shared-journal.ts';
import { readUint64, writeUint64 } from './record-batch.ts';

export type ShardCommand =
  | {
      readonly kind: 'append';
      readonly stampMs: number;
      readonly producer: ProducerName;
      readonly sequence: number;
      /** Those from here on up to this one may be missing, as they were not `all-synced`. Absent: none. */
      readonly mayMissFrom?: number;
      /** Where in the entry the record batch begins. */
      readonly batchStart: number;
    }
  | { readonly kind: 'fence'; readonly stampMs: number; readonly producer: ProducerName }
  | { readonly kind: 'trim'; readonly stampMs: number; readonly offset: number };

/** What stands before the record batch of an append that nothing is missing before. */
export const APPEND_HEADER_BYTES = 33;
const GAP_HEADER_BYTES = 41;
const FENCE_BYTES = 25;
const TRIM_BYTES = 17;
const APPEND = 1;
const FENCE = 2;
const TRIM = 3;
const APPEND_BEHIND_GAP = 4;

/** Where the fields of an append stand, for those that read them in place. */
const FIELD = { stamp: 1, producer: 9, incarnation: 17, sequence: 25, mayMissFrom: 33 } as const;

/** What an entry says of an append beside its batch. */
export interface AppendFacts {
  readonly stampMs: number;
  readonly producer: ProducerName;
  readonly sequence: number;
  /** As in the command. */
  readonly mayMissFrom?: number;
}

/** Of the entry that `encodeAppend` makes, and of what in it stands before the batch. */
export function encodedAppendBytes(facts: AppendFacts, batch: Uint8Array): number {
  return appendHeaderBytes(facts) + batch.length;
}

/** Where the batch stands in the entry. */
export function appendHeaderBytes({ mayMissFrom }: AppendFacts): number {
  return mayMissFrom === undefined ? APPEND_HEADER_BYTES : GAP_HEADER_BYTES;
}

/** One copy of the batch. @param bytes  written to; of `encodedAppendBytes` */
export function encodeAppend(
  facts: AppendFacts,
  batch: Uint8Array,
  bytes: Uint8Array = new Uint8Array(encodedAppendBytes(facts, batch)),
): Uint8Array {
  const { mayMissFrom } = facts;
  bytes[0] = mayMissFrom === undefined ? APPEND : APPEND_BEHIND_GAP;
  writeUint64(bytes, FIELD.stamp, facts.stampMs);
  writeUint64(bytes, FIELD.producer, facts.producer.id);
  writeUint64(bytes, FIELD.incarnation, facts.producer.incarnation);
  writeUint64(bytes, FIELD.sequence, facts.sequence);
  if (mayMissFrom !== undefined) writeUint64(bytes, FIELD.mayMissFrom, mayMissFrom);
  bytes.set(batch, appendHeaderBytes(facts));
  return bytes;
}

export function encodeFence(stampMs: number, producer: ProducerName): Uint8Array {
  const bytes = new Uint8Array(FENCE_BYTES);
  bytes[0] = FENCE;
  writeUint64(bytes, FIELD.stamp, stampMs);
  writeUint64(bytes, FIELD.producer, producer.id);
  writeUint64(bytes, FIELD.incarnation, producer.incarnation);
  return bytes;
}

export function encodeTrim(stampMs: number, offset: number): Uint8Array {
  const bytes = new Uint8Array(TRIM_BYTES);
  bytes[0] = TRIM;
  writeUint64(bytes, FIELD.stamp, stampMs);
  writeUint64(bytes, FIELD.producer, offset);
  return bytes;
}

/** Null when this version does not know the entry: then nothing behind it can be applied. */
export function decodeShardCommand(bytes: Uint8Array): ShardCommand | null {
  const stampMs = readUint64(bytes, FIELD.stamp);
  switch (bytes[0]) {
    case APPEND: {
      if (bytes.length < APPEND_HEADER_BYTES) return null;
      const sequence = readUint64(bytes, FIELD.sequence);
      const producer = producerIn(bytes);
      return { kind: 'append', stampMs, producer, sequence, batchStart: APPEND_HEADER_BYTES };
    }
    case APPEND_BEHIND_GAP: {
      if (bytes.length < GAP_HEADER_BYTES) return null;
      const sequence = readUint64(bytes, FIELD.sequence);
      const mayMissFrom = readUint64(bytes, FIELD.mayMissFrom);
      const producer = producerIn(bytes);
      const batchStart = GAP_HEADER_BYTES;
      return { kind: 'append', stampMs, producer, sequence, mayMissFrom, batchStart };
    }
    case FENCE:
      if (bytes.length !== FENCE_BYTES) return null;
      return { kind: 'fence', stampMs, producer: producerIn(bytes) };
    case TRIM:
      if (bytes.length !== TRIM_BYTES) return null;
      return { kind: 'trim', stampMs, offset: readUint64(bytes, FIELD.producer) };
    default:
      return null;
  }
}

function producerIn(bytes: Uint8Array): ProducerName {
  return {
    id: readUint64(bytes, FIELD.producer),
    incarnation: readUint64(bytes, FIELD.incarnation),
  };
}
