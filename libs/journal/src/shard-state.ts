/**
 * What a replica of a shard knows beside its records: where the next one goes, what is trimmed, and
 * who may append. Decided by the log alone: two replicas that applied the same entries are equal.
 *
 * ```text
 *  0  magic        u32  "RMSS"; all integers are little-endian
 *  4  CRC-32C      u32  of the bytes from 8
 *  8  version      u32  1
 * 12  producers    u32
 * 16  applied      u64  index of the last Raft entry in this state
 * 24  next         u64  offset of the next record
 * 32  oldest       u64  records below are trimmed
 * 40  last append  u64  milliseconds since 1970
 * 48  producers, least recently used first: id u64, incarnation u64, last sequence u64,
 *     used at u64, fenced u8, count of bases u8, that many bases u64
 * ```
 */
import { crc32c } from '@robustmq/bytes';
import { readUint32, readUint64, writeUint32, writeUint64 } from './record-batch.ts';
import type { ShardCommand } from './shard-command.ts';
import { type Producer, type ProducerVerdict, ShardProducers } from './shard-producers.ts';

/** What applying a command did. */
export type ShardOutcome =
  /** The records have the offsets from `base` on. */
  | { readonly kind: 'appended'; readonly base: number; readonly appendedAtMs: number }
  | Exclude<ProducerVerdict, { readonly kind: 'accepted' }>
  | { readonly kind: 'fenceRaised' }
  | { readonly kind: 'trimmed'; readonly oldest: number };

const MAGIC = 0x53534d52;
const VERSION = 1;
const HEADER_BYTES = 48;
const PRODUCER_BYTES = 34;

export class ShardState {
  appliedIndex = 0;
  next = 0;
  oldest = 0;
  lastAppendedAtMs = 0;
  readonly producers: ShardProducers = new ShardProducers();

  /** @param recordCount  of the batch of an append; else unused */
  apply(command: ShardCommand, recordCount: number): ShardOutcome {
    const atMs = Math.max(command.stampMs, this.lastAppendedAtMs);
    switch (command.kind) {
      case 'append': {
        const { producer, sequence, mayMissFrom } = command;
        const verdict = this.producers.judge(producer, sequence, atMs, mayMissFrom);
        if (verdict.kind !== 'accepted') return verdict;
        const base = this.next;
        this.producers.appended(producer, sequence, { base, nowMs: atMs });
        this.next += recordCount;
        this.lastAppendedAtMs = atMs;
        return { kind: 'appended', base, appendedAtMs: atMs };
      }
      case 'fence':
        this.producers.fence(command.producer, atMs);
        return { kind: 'fenceRaised' };
      case 'trim':
        this.oldest = Math.min(Math.max(this.oldest, command.offset), this.next);
        return { kind: 'trimmed', oldest: this.oldest };
    }
  }

  encode(): Uint8Array {
    let byteCount = HEADER_BYTES;
    for (const { bases } of this.producers.all()) byteCount += PRODUCER_BYTES + bases.length * 8;
    const bytes = new Uint8Array(byteCount);
    writeUint32(bytes, 0, MAGIC);
    writeUint32(bytes, 8, VERSION);
    writeUint32(bytes, 12, this.producers.count);
    writeUint64(bytes, 16, this.appliedIndex);
    writeUint64(bytes, 24, this.next);
    writeUint64(bytes, 32, this.oldest);
    writeUint64(bytes, 40, this.lastAppendedAtMs);
    let at = HEADER_BYTES;
    for (const producer of this.producers.all()) at = writeProducer(bytes, at, producer);
    writeUint32(bytes, 4, crc32c(bytes, 8, bytes.length));
    return bytes;
  }

  /** Null when the bytes are not a whole state of a known version. */
  static decode(bytes: Uint8Array): ShardState | null {
    if (bytes.length < HEADER_BYTES || readUint32(bytes, 0) !== MAGIC) return null;
    if (readUint32(bytes, 4) !== crc32c(bytes, 8, bytes.length)) return null;
    if (readUint32(bytes, 8) !== VERSION) return null;
    const state = new ShardState();
    state.appliedIndex = readUint64(bytes, 16);
    state.next = readUint64(bytes, 24);
    state.oldest = readUint64(bytes, 32);
    state.lastAppendedAtMs = readUint64(bytes, 40);
    let at = HEADER_BYTES;
    for (let count = readUint32(bytes, 12); count > 0; count -= 1) {
      const producer = readProducer(bytes, at);
      state.producers.restore(producer);
      at += PRODUCER_BYTES + producer.bases.length * 8;
    }
    return state;
  }
}

function writeProducer(bytes: Uint8Array, start: number, producer: Producer): number {
  writeUint64(bytes, start, producer.id);
  writeUint64(bytes, start + 8, producer.incarnation);
  writeUint64(bytes, start + 16, producer.lastSequence);
  writeUint64(bytes, start + 24, producer.usedAtMs);
  bytes[start + 32] = producer.isFenced ? 1 : 0;
  bytes[start + 33] = producer.bases.length;
  let at = start + PRODUCER_BYTES;
  for (const base of producer.bases) {
    writeUint64(bytes, at, base);
    at += 8;
  }
  return at;
}

function readProducer(bytes: Uint8Array, start: number): Producer {
  const count = bytes[start + 33] as number;
  return {
    id: readUint64(bytes, start),
    incarnation: readUint64(bytes, start + 8),
    lastSequence: readUint64(bytes, start + 16),
    usedAtMs: readUint64(bytes, start + 24),
    isFenced: bytes[start + 32] === 1,
    bases: Array.from({ length: count }, (_, i) =>
      readUint64(bytes, start + PRODUCER_BYTES + i * 8),
    ),
  };
}
