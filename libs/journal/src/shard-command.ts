/**
 * The entries of a replicated shard's log: what its Raft group carries and its files hold.
 *
 * ```text
 *  0  kind           u8    1 append, 2 fence, 3 trim; all integers are little-endian
 *  1  stamp          u64   the leader's clock when it took the command, milliseconds since 1970
 *  9  append, fence: producer    u64      trim: offset  u64
 * 17                 incarnation u64
 * 25  append:        sequence    u64
 * 33                 record batch, to the end (record-batch.ts), opaque
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
      /** Where in the entry the record batch begins. */
      readonly batchStart: number;
    }
  | { readonly kind: 'fence'; readonly stampMs: number; readonly producer: ProducerName }
  | { readonly kind: 'trim'; readonly stampMs: number; readonly offset: number };

/** What stands before the record batch of an append. */
export const APPEND_HEADER_BYTES = 33;
const FENCE_BYTES = 25;
const TRIM_BYTES = 17;
const APPEND = 1;
const FENCE = 2;
const TRIM = 3;

/** Where the fields of an append stand, for those that read them in place. */
const FIELD = { stamp: 1, producer: 9, incarnation: 17, sequence: 25 } as const;

/** Of the entry that `encodeAppend` makes. */
export function encodedAppendBytes(batch: Uint8Array): number {
  return APPEND_HEADER_BYTES + batch.length;
}

/** One copy of the batch. @param bytes  written to; of `encodedAppendBytes` */
export function encodeAppend(
  append: {
    readonly stampMs: number;
    readonly producer: ProducerName;
    readonly sequence: number;
  },
  batch: Uint8Array,
  bytes: Uint8Array = new Uint8Array(encodedAppendBytes(batch)),
): Uint8Array {
  bytes[0] = APPEND;
  writeUint64(bytes, FIELD.stamp, append.stampMs);
  writeUint64(bytes, FIELD.producer, append.producer.id);
  writeUint64(bytes, FIELD.incarnation, append.producer.incarnation);
  writeUint64(bytes, FIELD.sequence, append.sequence);
  bytes.set(batch, APPEND_HEADER_BYTES);
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
