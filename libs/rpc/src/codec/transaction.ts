/** Transactions and their results: `proto/robustmq/placement/v1/kv.proto`. */
import type {
  Comparison,
  DeleteOperation,
  KeyRange,
  KeyValue,
  Operation,
  OperationResult,
  PutOperation,
  Revision,
  Transaction,
  TransactionResult,
} from '@robustmq/placement';
import type { ProtobufReader } from '../wire/protobuf-reader.ts';
import type { ProtobufWriter } from '../wire/protobuf-writer.ts';
import {
  leaseOrNull,
  nameOf,
  readKeyRange,
  readKeyValue,
  readRangeOperation,
  readRangeResult,
  required,
  writeKeyRange,
  writeKeyValue,
  writeRangeOperation,
  writeRangeResult,
} from './key-value.ts';

const TARGETS = ['version', 'createRevision', 'modRevision', 'value', 'lease'] as const;
const RELATIONS = ['equal', 'notEqual', 'less', 'greater'] as const;

export function writeTransaction(writer: ProtobufWriter, transaction: Transaction): void {
  for (const comparison of transaction.compare) writer.message(1, comparison, writeComparison);
  for (const operation of transaction.then) writer.message(2, operation, writeOperation);
  for (const operation of transaction.otherwise) writer.message(3, operation, writeOperation);
  if (transaction.requestId !== null) writer.alwaysText(4, transaction.requestId);
}

export function readTransaction(reader: ProtobufReader): Transaction {
  const compare: Comparison[] = [];
  const then: Operation[] = [];
  const otherwise: Operation[] = [];
  let requestId: string | null = null;
  while (reader.next()) {
    if (reader.field === 1) compare.push(reader.message(readComparison));
    else if (reader.field === 2) then.push(reader.message(readOperation));
    else if (reader.field === 3) otherwise.push(reader.message(readOperation));
    else if (reader.field === 4) requestId = reader.text();
    else reader.skip();
  }
  return { compare, then, otherwise, requestId };
}

function writeComparison(writer: ProtobufWriter, comparison: Comparison): void {
  writer.uint(1, TARGETS.indexOf(comparison.target));
  writer.text(2, comparison.key);
  if (comparison.target === 'lease') {
    writer.uint(4, comparison.lease ?? 0);
    return;
  }
  writer.uint(3, RELATIONS.indexOf(comparison.relation));
  if (comparison.target === 'value') writer.bytes(5, comparison.value);
  else writer.uint(4, comparison.number);
}

function readComparison(reader: ProtobufReader): Comparison {
  let targetNumber = 0;
  let key = '';
  let relationNumber = 0;
  let number = 0;
  let value: Uint8Array = new Uint8Array(0);
  while (reader.next()) {
    if (reader.field === 1) targetNumber = reader.uint();
    else if (reader.field === 2) key = reader.text();
    else if (reader.field === 3) relationNumber = reader.uint();
    else if (reader.field === 4) number = reader.uint();
    else if (reader.field === 5) value = reader.bytes();
    else reader.skip();
  }
  const target = nameOf(TARGETS, targetNumber);
  const relation = nameOf(RELATIONS, relationNumber);
  if (target === 'lease') return { target, key, lease: leaseOrNull(number) };
  if (target === 'value') return { target, key, relation, value };
  return { target, key, relation, number };
}

function writeOperation(writer: ProtobufWriter, operation: Operation): void {
  switch (operation.kind) {
    case 'put':
      writer.message(1, operation, writePut);
      return;
    case 'delete':
      writer.message(2, operation, writeDelete);
      return;
    default:
      writer.message(3, operation, writeRangeOperation);
  }
}

function readOperation(reader: ProtobufReader): Operation {
  let operation: Operation | null = null;
  while (reader.next()) {
    if (reader.field === 1) operation = reader.message(readPut);
    else if (reader.field === 2) operation = reader.message(readDelete);
    else if (reader.field === 3) operation = reader.message(readRangeOperation);
    else reader.skip();
  }
  return required(operation, 'the kind of an operation');
}

function writePut(writer: ProtobufWriter, put: PutOperation): void {
  writer.text(1, put.key);
  writer.bytes(2, put.value);
  writer.uint(3, put.lease ?? 0);
}

function readPut(reader: ProtobufReader): PutOperation {
  let key = '';
  let value: Uint8Array = new Uint8Array(0);
  let lease = 0;
  while (reader.next()) {
    if (reader.field === 1) key = reader.text();
    else if (reader.field === 2) value = reader.bytes();
    else if (reader.field === 3) lease = reader.uint();
    else reader.skip();
  }
  return { kind: 'put', key, value, lease: leaseOrNull(lease) };
}

function writeDelete(writer: ProtobufWriter, operation: DeleteOperation): void {
  writer.message(1, operation.range, writeKeyRange);
}

function readDelete(reader: ProtobufReader): DeleteOperation {
  let range: KeyRange | null = null;
  while (reader.next()) {
    if (reader.field === 1) range = reader.message(readKeyRange);
    else reader.skip();
  }
  return { kind: 'delete', range: required(range, 'range') };
}

export function writeTransactionResult(writer: ProtobufWriter, result: TransactionResult): void {
  writer.uint(1, result.revision);
  writer.bool(2, result.succeeded);
  for (const each of result.results) writer.message(3, each, writeOperationResult);
  writer.bool(4, result.repeated);
}

export function readTransactionResult(reader: ProtobufReader): TransactionResult {
  let revision = 0;
  let succeeded = false;
  const results: OperationResult[] = [];
  let repeated = false;
  while (reader.next()) {
    if (reader.field === 1) revision = reader.uint();
    else if (reader.field === 2) succeeded = reader.bool();
    else if (reader.field === 3) results.push(reader.message(readOperationResult));
    else if (reader.field === 4) repeated = reader.bool();
    else reader.skip();
  }
  return { revision: revision as Revision, succeeded, results, repeated };
}

function writeOperationResult(writer: ProtobufWriter, result: OperationResult): void {
  switch (result.kind) {
    case 'put':
      writer.message(1, result.previous, writePutResult);
      return;
    case 'delete':
      writer.message(2, result.deleted, writeDeleteResult);
      return;
    default:
      writer.message(3, result, writeRangeResult);
  }
}

function readOperationResult(reader: ProtobufReader): OperationResult {
  let result: OperationResult | null = null;
  while (reader.next()) {
    if (reader.field === 1) result = { kind: 'put', previous: reader.message(readPutResult) };
    else if (reader.field === 2) result = { kind: 'delete', deleted: reader.message(readCount) };
    else if (reader.field === 3) result = reader.message(readRangeResult);
    else reader.skip();
  }
  return required(result, 'the kind of a result');
}

function writePutResult(writer: ProtobufWriter, previous: KeyValue | null): void {
  if (previous !== null) writer.message(1, previous, writeKeyValue);
}

function readPutResult(reader: ProtobufReader): KeyValue | null {
  let previous: KeyValue | null = null;
  while (reader.next()) {
    if (reader.field === 1) previous = reader.message(readKeyValue);
    else reader.skip();
  }
  return previous;
}

function writeDeleteResult(writer: ProtobufWriter, deleted: number): void {
  writer.uint(1, deleted);
}

function readCount(reader: ProtobufReader): number {
  let count = 0;
  while (reader.next()) {
    if (reader.field === 1) count = reader.uint();
    else reader.skip();
  }
  return count;
}
