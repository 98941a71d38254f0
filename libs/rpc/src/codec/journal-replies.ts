/** What a journal server answers: `proto/robustmq/journal/v1/journal.proto`. */
import type { JournalRecord, KeyedChange, KeyedRecord, Offset } from '@robustmq/journal';
import type { Codec } from '../contract/method.ts';
import type { ProtobufReader } from '../wire/protobuf-reader.ts';
import type { ProtobufWriter } from '../wire/protobuf-writer.ts';
import { codecOf } from './codec-of.ts';
import { type JournalReplyFault, readJournalFault, writeJournalFault } from './journal-fault.ts';
import {
  readKeyedChange,
  readKeyedRecord,
  readRecord,
  writeKeyedChange,
  writeKeyedRecord,
  writeRecord,
} from './journal-parts.ts';
import { required } from './key-value.ts';

/** The answer to one request, or a part of what a tail tells. */
export interface JournalReply {
  readonly id: number;
  readonly outcome: JournalOutcome;
}

/** Where something is in a shard. */
export interface CommittedOutcome {
  readonly kind: 'committed';
  readonly offset: Offset;
  readonly oldest: Offset;
  /** Of the shard: when it is deleted and made again, it has another. */
  readonly life: number;
}

/** Wanted records in order. */
export interface RecordsOutcome {
  readonly kind: 'records';
  readonly records: readonly JournalRecord[];
  /** Every wanted committed record below this was told. */
  readonly position: Offset;
  readonly oldest: Offset;
}

/** Changes in the order of their revisions. */
export interface ChangesOutcome {
  readonly kind: 'changes';
  readonly changes: readonly KeyedChange[];
  /** Every change up to this revision was told. */
  readonly position: number;
}

/** What became of a request. */
export type JournalOutcome =
  /** null: it was appended so long ago that its offset is forgotten. */
  | { readonly kind: 'appended'; readonly offset: Offset | null }
  | CommittedOutcome
  | RecordsOutcome
  | { readonly kind: 'oneRecord'; readonly record: JournalRecord | null }
  | { readonly kind: 'done' }
  | { readonly kind: 'keysWritten'; readonly taken: readonly boolean[] }
  | {
      readonly kind: 'keyClaimed';
      readonly taken: boolean;
      readonly record: KeyedRecord | null;
    }
  | { readonly kind: 'oneKey'; readonly record: KeyedRecord | null }
  | { readonly kind: 'keys'; readonly records: readonly KeyedRecord[]; readonly more: boolean }
  | { readonly kind: 'revision'; readonly revision: number }
  | ChangesOutcome
  | { readonly kind: 'fault'; readonly fault: JournalReplyFault };

function writeReplies(writer: ProtobufWriter, replies: readonly JournalReply[]): void {
  for (const reply of replies) writer.message(1, reply, writeReply);
}

function readReplies(reader: ProtobufReader): readonly JournalReply[] {
  const replies: JournalReply[] = [];
  while (reader.next()) {
    if (reader.field === 1) replies.push(reader.message(readReply));
    else reader.skip();
  }
  return replies;
}

function writeReply(writer: ProtobufWriter, { id, outcome }: JournalReply): void {
  writer.uint(1, id);
  switch (outcome.kind) {
    case 'appended':
      return writer.message(4, outcome.offset, writeAppended);
    case 'committed':
      return writer.message(5, outcome, writeCommitted);
    case 'records':
      return writer.message(6, outcome, writeRecords);
    case 'oneRecord':
      return writer.message(7, outcome.record, writeOneRecord);
    case 'done':
      return writer.message(8, null, () => {});
    case 'keysWritten':
      return writer.message(9, outcome.taken, writeTaken);
    case 'keyClaimed':
      return writer.message(10, outcome, writeClaimed);
    case 'oneKey':
      return writer.message(11, outcome.record, writeOneKey);
    case 'keys':
      return writer.message(12, outcome, writeKeys);
    case 'revision':
      return writer.message(13, [outcome.revision, 0], writeTwo);
    case 'changes':
      return writer.message(14, outcome, writeChanges);
    default:
      return writer.message(15, outcome.fault, writeJournalFault);
  }
}

function readReply(reader: ProtobufReader): JournalReply {
  let id = 0;
  let outcome: JournalOutcome | null = null;
  while (reader.next()) {
    if (reader.field === 1) id = reader.uint();
    else outcome = readOutcome(reader) ?? outcome;
  }
  return { id, outcome: required(outcome, 'the outcome of a request') };
}

function readOutcome(reader: ProtobufReader): JournalOutcome | null {
  switch (reader.field) {
    case 4:
      return { kind: 'appended', offset: reader.message(readAppended) };
    case 5:
      return reader.message(readCommitted);
    case 6:
      return reader.message(readRecords);
    case 7:
      return { kind: 'oneRecord', record: reader.message(readOneRecord) };
    case 8:
      reader.skip();
      return { kind: 'done' };
    case 9:
      return { kind: 'keysWritten', taken: reader.message(readTaken) };
    case 10:
      return { kind: 'keyClaimed', ...reader.message(readClaimed) };
    case 11:
      return { kind: 'oneKey', record: reader.message(readOneKey) };
    case 12:
      return reader.message(readKeys);
    case 13:
      return { kind: 'revision', revision: reader.message(readTwo)[0] };
    case 14:
      return reader.message(readChanges);
    case 15:
      return { kind: 'fault', fault: reader.message(readJournalFault) };
    default:
      reader.skip();
      return null;
  }
}

function writeCommitted(writer: ProtobufWriter, outcome: CommittedOutcome): void {
  writer.uint(1, outcome.offset);
  writer.uint(2, outcome.oldest);
  writer.uint(3, outcome.life);
}

function readCommitted(reader: ProtobufReader): CommittedOutcome {
  let offset = 0;
  let oldest = 0;
  let life = 0;
  while (reader.next()) {
    if (reader.field === 1) offset = reader.uint();
    else if (reader.field === 2) oldest = reader.uint();
    else if (reader.field === 3) life = reader.uint();
    else reader.skip();
  }
  return { kind: 'committed', offset: offset as Offset, oldest: oldest as Offset, life };
}

function writeAppended(writer: ProtobufWriter, offset: Offset | null): void {
  if (offset !== null) writer.alwaysUint(1, offset);
}

function readAppended(reader: ProtobufReader): Offset | null {
  let offset: number | null = null;
  while (reader.next()) {
    if (reader.field === 1) offset = reader.uint();
    else reader.skip();
  }
  return offset as Offset | null;
}

function writeTwo(writer: ProtobufWriter, [first, second]: readonly [number, number]): void {
  writer.uint(1, first);
  writer.uint(2, second);
}

function readTwo(reader: ProtobufReader): readonly [number, number] {
  let first = 0;
  let second = 0;
  while (reader.next()) {
    if (reader.field === 1) first = reader.uint();
    else if (reader.field === 2) second = reader.uint();
    else reader.skip();
  }
  return [first, second];
}

function writeRecords(writer: ProtobufWriter, outcome: RecordsOutcome): void {
  for (const record of outcome.records) writer.message(1, record, writeRecord);
  writer.uint(2, outcome.position);
  writer.uint(3, outcome.oldest);
}

function readRecords(reader: ProtobufReader): RecordsOutcome {
  const records: JournalRecord[] = [];
  let position = 0;
  let oldest = 0;
  while (reader.next()) {
    if (reader.field === 1) records.push(reader.message(readRecord));
    else if (reader.field === 2) position = reader.uint();
    else if (reader.field === 3) oldest = reader.uint();
    else reader.skip();
  }
  return { kind: 'records', records, position: position as Offset, oldest: oldest as Offset };
}

function writeOneRecord(writer: ProtobufWriter, record: JournalRecord | null): void {
  if (record !== null) writer.message(1, record, writeRecord);
}

function readOneRecord(reader: ProtobufReader): JournalRecord | null {
  let record: JournalRecord | null = null;
  while (reader.next()) {
    if (reader.field === 1) record = reader.message(readRecord);
    else reader.skip();
  }
  return record;
}

/** Packed, as proto3 writes repeated numbers: one byte for each. */
function writeTaken(writer: ProtobufWriter, taken: readonly boolean[]): void {
  writer.bytes(
    1,
    Uint8Array.from(taken, (each) => (each ? 1 : 0)),
  );
}

function readTaken(reader: ProtobufReader): readonly boolean[] {
  let taken: readonly boolean[] = [];
  while (reader.next()) {
    if (reader.field === 1) taken = Array.from(reader.view(), (byte) => byte !== 0);
    else reader.skip();
  }
  return taken;
}

interface Claimed {
  readonly taken: boolean;
  readonly record: KeyedRecord | null;
}

function writeClaimed(writer: ProtobufWriter, { taken, record }: Claimed): void {
  writer.bool(1, taken);
  if (record !== null) writer.message(2, record, writeKeyedRecord);
}

function readClaimed(reader: ProtobufReader): Claimed {
  let taken = false;
  let record: KeyedRecord | null = null;
  while (reader.next()) {
    if (reader.field === 1) taken = reader.bool();
    else if (reader.field === 2) record = reader.message(readKeyedRecord);
    else reader.skip();
  }
  return { taken, record };
}

function writeOneKey(writer: ProtobufWriter, record: KeyedRecord | null): void {
  if (record !== null) writer.message(1, record, writeKeyedRecord);
}

function readOneKey(reader: ProtobufReader): KeyedRecord | null {
  let record: KeyedRecord | null = null;
  while (reader.next()) {
    if (reader.field === 1) record = reader.message(readKeyedRecord);
    else reader.skip();
  }
  return record;
}

type KeysOutcome = Extract<JournalOutcome, { readonly kind: 'keys' }>;

function writeKeys(writer: ProtobufWriter, { records, more }: KeysOutcome): void {
  for (const record of records) writer.message(1, record, writeKeyedRecord);
  writer.bool(2, more);
}

function readKeys(reader: ProtobufReader): KeysOutcome {
  const records: KeyedRecord[] = [];
  let more = false;
  while (reader.next()) {
    if (reader.field === 1) records.push(reader.message(readKeyedRecord));
    else if (reader.field === 2) more = reader.bool();
    else reader.skip();
  }
  return { kind: 'keys', records, more };
}

function writeChanges(writer: ProtobufWriter, { changes, position }: ChangesOutcome): void {
  for (const change of changes) writer.message(1, change, writeKeyedChange);
  writer.uint(2, position);
}

function readChanges(reader: ProtobufReader): ChangesOutcome {
  const changes: KeyedChange[] = [];
  let position = 0;
  while (reader.next()) {
    if (reader.field === 1) changes.push(reader.message(readKeyedChange));
    else if (reader.field === 2) position = reader.uint();
    else reader.skip();
  }
  return { kind: 'changes', changes, position };
}

/** Batches of replies, which join as requests do. */
export const journalRepliesCodec: Codec<readonly JournalReply[]> = codecOf(
  writeReplies,
  readReplies,
);
