/** Keys, ranges and what is read of them: `proto/robustmq/placement/v1/kv.proto`. */
import type {
  KeyRange,
  KeyValue,
  LeaseId,
  RangeOperation,
  RangeReply,
  RangeRequest,
  RangeResult,
  Revision,
} from '@robustmq/placement';
import { MalformedMessageError, type ProtobufReader } from '../wire/protobuf-reader.ts';
import type { ProtobufWriter } from '../wire/protobuf-writer.ts';

const CONTENTS = ['whole', 'keys', 'count'] as const;
const CONSISTENCIES = ['linearizable', 'serializable'] as const;

/** The name that a number of an enumeration stands for. */
export function nameOf<Name extends string>(names: readonly Name[], number: number): Name {
  const name = names[number];
  if (name === undefined) throw new MalformedMessageError(`${number} is not one of ${names}`);
  return name;
}

/** On the wire 0 stands for no lease. */
export function leaseOrNull(number: number): LeaseId | null {
  return number === 0 ? null : (number as LeaseId);
}

export function writeKeyValue(writer: ProtobufWriter, keyValue: KeyValue): void {
  writer.text(1, keyValue.key);
  writer.bytes(2, keyValue.value);
  writer.uint(3, keyValue.createRevision);
  writer.uint(4, keyValue.modRevision);
  writer.uint(5, keyValue.version);
  writer.uint(6, keyValue.lease ?? 0);
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

export function readKeyValue(reader: ProtobufReader): KeyValue {
  let key = '';
  let value = NO_BYTES;
  let createRevision = 0;
  let modRevision = 0;
  let version = 0;
  let lease = 0;
  while (reader.next()) {
    if (reader.field === 1) key = reader.text();
    else if (reader.field === 2) value = reader.bytes();
    else if (reader.field === 3) createRevision = reader.uint();
    else if (reader.field === 4) modRevision = reader.uint();
    else if (reader.field === 5) version = reader.uint();
    else if (reader.field === 6) lease = reader.uint();
    else reader.skip();
  }
  return {
    key,
    value,
    createRevision: createRevision as Revision,
    modRevision: modRevision as Revision,
    version,
    lease: leaseOrNull(lease),
  };
}

export function writeKeyRange(writer: ProtobufWriter, range: KeyRange): void {
  writer.text(1, range.first);
  if (range.after !== null) writer.alwaysText(2, range.after);
}

export function readKeyRange(reader: ProtobufReader): KeyRange {
  let first = '';
  let after: string | null = null;
  while (reader.next()) {
    if (reader.field === 1) first = reader.text();
    else if (reader.field === 2) after = reader.text();
    else reader.skip();
  }
  return { first, after };
}

type RangeFacts = Omit<RangeOperation, 'kind'>;

export function writeRangeOperation(writer: ProtobufWriter, operation: RangeFacts): void {
  writer.message(1, operation.range, writeKeyRange);
  writer.uint(2, operation.limit);
  writer.uint(3, CONTENTS.indexOf(operation.content));
}

export function readRangeOperation(reader: ProtobufReader): RangeOperation {
  let range: KeyRange | null = null;
  let limit = 0;
  let content = 0;
  while (reader.next()) {
    if (reader.field === 1) range = reader.message(readKeyRange);
    else if (reader.field === 2) limit = reader.uint();
    else if (reader.field === 3) content = reader.uint();
    else reader.skip();
  }
  return {
    kind: 'range',
    range: required(range, 'range'),
    limit,
    content: nameOf(CONTENTS, content),
  };
}

/** What a peer must send, although the wire format lets it be absent. */
export function required<Value>(value: Value | null, name: string): Value {
  if (value === null) throw new MalformedMessageError(`${name} is missing`);
  return value;
}

export function writeRangeRequest(writer: ProtobufWriter, request: RangeRequest): void {
  writer.message(1, request, writeRangeOperation);
  writer.uint(2, CONSISTENCIES.indexOf(request.consistency));
}

export function readRangeRequest(reader: ProtobufReader): RangeRequest {
  let operation: RangeOperation | null = null;
  let consistency = 0;
  while (reader.next()) {
    if (reader.field === 1) operation = reader.message(readRangeOperation);
    else if (reader.field === 2) consistency = reader.uint();
    else reader.skip();
  }
  const { range, limit, content } = required(operation, 'operation');
  return { range, limit, content, consistency: nameOf(CONSISTENCIES, consistency) };
}

export function writeRangeResult(writer: ProtobufWriter, result: RangeResult): void {
  for (const keyValue of result.keyValues) writer.message(1, keyValue, writeKeyValue);
  writer.uint(2, result.count);
  writer.bool(3, result.more);
}

export function readRangeResult(reader: ProtobufReader): RangeResult {
  const keyValues: KeyValue[] = [];
  let count = 0;
  let more = false;
  while (reader.next()) {
    if (reader.field === 1) keyValues.push(reader.message(readKeyValue));
    else if (reader.field === 2) count = reader.uint();
    else if (reader.field === 3) more = reader.bool();
    else reader.skip();
  }
  return { kind: 'range', keyValues, count, more };
}

export function writeRangeReply(writer: ProtobufWriter, reply: RangeReply): void {
  writer.message(1, reply, writeRangeResult);
  writer.uint(2, reply.revision);
}

export function readRangeReply(reader: ProtobufReader): RangeReply {
  let result: RangeResult = { kind: 'range', keyValues: [], count: 0, more: false };
  let revision = 0;
  while (reader.next()) {
    if (reader.field === 1) result = reader.message(readRangeResult);
    else if (reader.field === 2) revision = reader.uint();
    else reader.skip();
  }
  return { ...result, revision: revision as Revision };
}
