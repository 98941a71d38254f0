/** The fields of a transaction, for command-codec.ts. */
import type { ByteWriter } from '@robustmq/bytes';
import { unreachable } from '@robustmq/errors';
import {
  writeBytes,
  writeNullableNumber,
  writeNullableText,
  writeNumber,
  writeText,
} from './command-fields.ts';
import { type CommandReader, MalformedCommand } from './command-reader.ts';
import type { LeaseId } from './identifiers.ts';
import type { KeyRange } from './key-value.ts';
import type {
  Comparison,
  Operation,
  RangeOperation,
  Relation,
  Transaction,
} from './transaction.ts';

const TARGETS = ['version', 'createRevision', 'modRevision', 'value', 'lease'] as const;
const RELATIONS: readonly Relation[] = ['equal', 'notEqual', 'less', 'greater'];
const CONTENTS: readonly RangeOperation['content'][] = ['whole', 'keys', 'count'];
const PUT = 0;
const DELETE = 1;
const RANGE = 2;
/** A comparison of a lease: target, an empty key, no lease. */
const COMPARISON_BYTES_MIN = 6;
/** A deletion: kind, an empty first key, no end. */
const OPERATION_BYTES_MIN = 6;

export function writeTransaction(writer: ByteWriter, transaction: Transaction): void {
  writeNullableText(writer, transaction.requestId);
  writer.uint32(transaction.compare.length);
  for (const comparison of transaction.compare) writeComparison(writer, comparison);
  for (const operations of [transaction.then, transaction.otherwise]) {
    writer.uint32(operations.length);
    for (const operation of operations) writeOperation(writer, operation);
  }
}

export function readTransaction(reader: CommandReader): Transaction {
  const requestId = reader.nullable(() => reader.text());
  const compare = reader.list(() => readComparison(reader), COMPARISON_BYTES_MIN);
  const then = reader.list(() => readOperation(reader), OPERATION_BYTES_MIN);
  const otherwise = reader.list(() => readOperation(reader), OPERATION_BYTES_MIN);
  return { compare, then, otherwise, requestId };
}

function writeComparison(writer: ByteWriter, comparison: Comparison): void {
  writer.byte(TARGETS.indexOf(comparison.target));
  writeText(writer, comparison.key);
  if (comparison.target === 'lease') return writeNullableNumber(writer, comparison.lease);
  writer.byte(RELATIONS.indexOf(comparison.relation));
  if (comparison.target === 'value') writeBytes(writer, comparison.value);
  else writeNumber(writer, comparison.number);
}

function readComparison(reader: CommandReader): Comparison {
  const target = choice(reader, TARGETS);
  const key = reader.text();
  if (target === 'lease') return { target, key, lease: readLease(reader) };
  const relation = choice(reader, RELATIONS);
  if (target === 'value') return { target, key, relation, value: reader.bytes() };
  return { target, key, relation, number: reader.number() };
}

function writeOperation(writer: ByteWriter, operation: Operation): void {
  switch (operation.kind) {
    case 'put':
      writer.byte(PUT);
      writeText(writer, operation.key);
      writeNullableNumber(writer, operation.lease);
      return writeBytes(writer, operation.value);
    case 'delete':
      writer.byte(DELETE);
      return writeRange(writer, operation.range);
    case 'range':
      writer.byte(RANGE);
      writeRange(writer, operation.range);
      writeNumber(writer, operation.limit);
      return writer.byte(CONTENTS.indexOf(operation.content));
    default:
      return unreachable(operation);
  }
}

function readOperation(reader: CommandReader): Operation {
  const kind = reader.byte();
  switch (kind) {
    case PUT: {
      const key = reader.text();
      const lease = readLease(reader);
      return { kind: 'put', key, value: reader.bytes(), lease };
    }
    case DELETE:
      return { kind: 'delete', range: readRange(reader) };
    case RANGE: {
      const range = readRange(reader);
      const limit = reader.number();
      return { kind: 'range', range, limit, content: choice(reader, CONTENTS) };
    }
    default:
      throw new MalformedCommand(`operation ${kind} is not known`);
  }
}

function writeRange(writer: ByteWriter, range: KeyRange): void {
  writeText(writer, range.first);
  writeNullableText(writer, range.after);
}

function readRange(reader: CommandReader): KeyRange {
  const first = reader.text();
  return { first, after: reader.nullable(() => reader.text()) };
}

function readLease(reader: CommandReader): LeaseId | null {
  return reader.nullable(() => reader.number()) as LeaseId | null;
}

function choice<Value>(reader: CommandReader, values: readonly Value[]): Value {
  const index = reader.byte();
  if (index >= values.length) throw new MalformedCommand(`choice ${index} is not known`);
  return values[index] as Value;
}
