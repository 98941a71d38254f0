/** Records, keys and producers of journal servers: `proto/robustmq/journal/v1/journal.proto`. */
import type {
  JournalRecord,
  KeyedChange,
  KeyedRecord,
  KeyedWrite,
  Offset,
  ProducerName,
} from '@robustmq/journal';
import type { ProtobufReader } from '../wire/protobuf-reader.ts';
import type { ProtobufWriter } from '../wire/protobuf-writer.ts';

const NOTHING = new Uint8Array(0);

/** Both sides of a tail count credit so, in bytes. */
const CREDIT_BYTES = 24;

/** What a record takes off the credit of a tail. */
export function recordCredit({ topic, body }: JournalRecord): number {
  return CREDIT_BYTES + topic.length + body.length;
}

/** What a change takes off the credit of a keyed tail. */
export function changeCredit({ key, value }: KeyedChange): number {
  return CREDIT_BYTES + key.length + (value?.length ?? 0);
}

export function writeProducer(writer: ProtobufWriter, producer: ProducerName): void {
  writer.uint(1, producer.id);
  writer.uint(2, producer.incarnation);
}

export function readProducer(reader: ProtobufReader): ProducerName {
  let id = 0;
  let incarnation = 0;
  while (reader.next()) {
    if (reader.field === 1) id = reader.uint();
    else if (reader.field === 2) incarnation = reader.uint();
    else reader.skip();
  }
  return { id, incarnation };
}

export function writeRecord(writer: ProtobufWriter, record: JournalRecord): void {
  writer.uint(1, record.offset);
  writer.uint(2, record.appendedAtMs);
  writer.uint(3, record.kind);
  writer.text(4, record.topic);
  writer.bytes(5, record.body);
}

/** The body is a part of what was received: records of one message share its bytes. */
export function readRecord(reader: ProtobufReader): JournalRecord {
  let offset = 0;
  let appendedAtMs = 0;
  let kind = 0;
  let topic = '';
  let body: Uint8Array = NOTHING;
  while (reader.next()) {
    if (reader.field === 1) offset = reader.uint();
    else if (reader.field === 2) appendedAtMs = reader.uint();
    else if (reader.field === 3) kind = reader.uint();
    else if (reader.field === 4) topic = reader.text();
    else if (reader.field === 5) body = reader.view();
    else reader.skip();
  }
  return { offset: offset as Offset, appendedAtMs, kind, topic, body };
}

export function writeKeyedWrite(writer: ProtobufWriter, write: KeyedWrite): void {
  writer.text(1, write.key);
  writer.uint(2, write.fence);
  if (write.value !== null) writer.alwaysBytes(3, write.value);
}

export function readKeyedWrite(reader: ProtobufReader): KeyedWrite {
  const { key, fence, value } = readKeyed(reader);
  return { key, fence, value };
}

export function writeKeyedRecord(writer: ProtobufWriter, record: KeyedRecord): void {
  writer.text(1, record.key);
  writer.uint(2, record.fence);
  writer.bytes(3, record.value);
  writer.uint(4, record.revision);
}

export function readKeyedRecord(reader: ProtobufReader): KeyedRecord {
  const { key, fence, value, revision } = readKeyed(reader);
  return { key, fence, value: value ?? NOTHING.slice(), revision };
}

export function writeKeyedChange(writer: ProtobufWriter, change: KeyedChange): void {
  writeKeyedWrite(writer, change);
  writer.uint(4, change.revision);
}

export function readKeyedChange(reader: ProtobufReader): KeyedChange {
  return readKeyed(reader);
}

/** Values are kept by their receivers for long: they are copies. */
function readKeyed(reader: ProtobufReader): KeyedChange {
  let key = '';
  let fence = 0;
  let value: Uint8Array | null = null;
  let revision = 0;
  while (reader.next()) {
    if (reader.field === 1) key = reader.text();
    else if (reader.field === 2) fence = reader.uint();
    else if (reader.field === 3) value = reader.bytes();
    else if (reader.field === 4) revision = reader.uint();
    else reader.skip();
  }
  return { key, fence, value, revision };
}
