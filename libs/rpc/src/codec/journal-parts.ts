/** Records, keys and producers of journal servers: `proto/robustmq/journal/v1/journal.proto`. */
import type {
  JournalRecord,
  KeyedChange,
  KeyedRecord,
  KeyedWrite,
  Offset,
  ProducerName,
  RecordAttributes,
} from '@robustmq/journal';
import type { ProtobufReader } from '../wire/protobuf-reader.ts';
import type { ProtobufWriter } from '../wire/protobuf-writer.ts';

const NOTHING = new Uint8Array(0);

/** Both sides of a tail count credit so, in bytes. */
const CREDIT_BYTES = 24;

/** What a record takes off the credit of a tail. */
export function recordCredit({ topic, body, attributes }: JournalRecord): number {
  const bytes = CREDIT_BYTES + topic.length + body.length;
  if (attributes === undefined) return bytes;
  const { key, sender, headers = [] } = attributes;
  const headerBytes = headers.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
  return bytes + (key?.length ?? 0) + (sender?.length ?? 0) + headerBytes;
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
  if (record.attributes !== undefined) writeAttributes(writer, record.attributes);
}

function writeAttributes(writer: ProtobufWriter, attributes: RecordAttributes): void {
  const { key, sender, messageId, headers = [] } = attributes;
  if (key !== undefined) writer.alwaysBytes(6, key);
  if (sender !== undefined) writer.alwaysText(7, sender);
  if (messageId !== undefined) writer.alwaysBytes(8, messageId);
  for (const { name } of headers) writer.alwaysText(9, name);
  for (const { value } of headers) writer.alwaysBytes(10, value);
}

/** The body is a part of what was received: records of one message share its bytes. */
export function readRecord(reader: ProtobufReader): JournalRecord {
  let offset = 0;
  let appendedAtMs = 0;
  let kind = 0;
  let topic = '';
  let body: Uint8Array = NOTHING;
  let attributes: ReadAttributes | null = null;
  while (reader.next()) {
    if (reader.field === 1) offset = reader.uint();
    else if (reader.field === 2) appendedAtMs = reader.uint();
    else if (reader.field === 3) kind = reader.uint();
    else if (reader.field === 4) topic = reader.text();
    else if (reader.field === 5) body = reader.view();
    else if (reader.field >= 6 && reader.field <= 10) {
      attributes ??= { names: [], values: [] };
      readAttribute(reader, attributes);
    } else reader.skip();
  }
  const record = { offset: offset as Offset, appendedAtMs, kind, topic, body };
  return attributes === null ? record : { ...record, attributes: attributesOf(attributes) };
}

interface ReadAttributes {
  key?: Uint8Array;
  sender?: string;
  messageId?: Uint8Array;
  readonly names: string[];
  readonly values: Uint8Array[];
}

function readAttribute(reader: ProtobufReader, target: ReadAttributes): void {
  if (reader.field === 6) target.key = reader.view();
  else if (reader.field === 7) target.sender = reader.text();
  else if (reader.field === 8) target.messageId = reader.view();
  else if (reader.field === 9) target.names.push(reader.text());
  else target.values.push(reader.view());
}

function attributesOf({ names, values, ...rest }: ReadAttributes): RecordAttributes {
  if (names.length === 0) return rest;
  const headers = names.map((name, at) => ({ name, value: values[at] ?? NOTHING }));
  return { ...rest, headers };
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
