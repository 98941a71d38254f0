/**
 * Requests and replies in etcd's words (etcd API v3.4, `rpc.proto`).
 *
 * Keys are UTF-8, so both sides order them alike. Numbers of 64 bits come as text; revisions and our own
 * leases fit a JavaScript number. etcd says "to the end of all keys" with the byte 0, and takes an empty
 * end for a single key: an empty range is therefore never sent.
 */

import type {
  Comparison,
  KeyEvent,
  KeyRange,
  KeyValue,
  LeaseId,
  Operation,
  OperationResult,
  RangeOperation,
  RangeResult,
  Revision,
} from '@robustmq/placement';
import { isEmptyRange } from '@robustmq/placement';
import type {
  ICompare,
  IEvent,
  IKeyValue,
  IRangeRequest,
  IRangeResponse,
  IRequestOp,
  IResponseOp,
} from 'etcd3';

const END_OF_KEYS = Buffer.of(0);

/** The bounds of a range that is not empty. */
export function boundsOf(range: KeyRange): { readonly key: Buffer; readonly range_end: Buffer } {
  return {
    // The empty key does not exist; the first possible one is the byte 0.
    key: range.first === '' ? Buffer.of(0) : Buffer.from(range.first),
    range_end: range.after === null ? END_OF_KEYS : Buffer.from(range.after),
  };
}

/** A range that is not empty. */
export function rangeRequest(
  operation: RangeOperation | Omit<RangeOperation, 'kind'>,
): IRangeRequest {
  const { range, limit, content } = operation;
  return {
    ...boundsOf(range),
    limit: content === 'count' ? 0 : limit,
    keys_only: content === 'keys',
    count_only: content === 'count',
  };
}

/** One request for each operation, but for those on empty ranges. */
export function requestsOf(operations: readonly Operation[]): IRequestOp[] {
  return operations.filter((operation) => !isOnNothing(operation)).map(requestOf);
}

function requestOf(operation: Operation): IRequestOp {
  switch (operation.kind) {
    case 'put':
      return { request_put: putRequest(operation) };
    case 'delete':
      return { request_delete_range: boundsOf(operation.range) };
    default:
      return { request_range: rangeRequest(operation) };
  }
}

function putRequest({ key, value, lease }: Extract<Operation, { kind: 'put' }>) {
  return { key: Buffer.from(key), value: bufferOf(value), lease: lease ?? 0, prev_kv: true };
}

/** The results of `operations`, from the responses to {@link requestsOf}. */
export function resultsOf(
  operations: readonly Operation[],
  responses: readonly IResponseOp[],
): readonly OperationResult[] {
  let next = 0;
  return operations.map((operation) => {
    if (isOnNothing(operation)) return nothingOf(operation);
    const response = responses[next];
    next += 1;
    if (response === undefined) throw new Error('etcd answered with fewer results than operations');
    return resultOf(operation, response);
  });
}

function resultOf(operation: Operation, response: IResponseOp): OperationResult {
  switch (operation.kind) {
    case 'put': {
      const previous = response.response_put.prev_kv as IKeyValue | null;
      return { kind: 'put', previous: previous === null ? null : keyValueOf(previous) };
    }
    case 'delete':
      return { kind: 'delete', deleted: Number(response.response_delete_range.deleted) };
    default:
      return rangeResultOf(operation, response.response_range);
  }
}

/** What a range tells, of the content that was asked for. */
export function rangeResultOf(
  { content }: Pick<RangeOperation, 'content'>,
  response: IRangeResponse,
): RangeResult {
  const keyValues = response.kvs.map(keyValueOf);
  const count = content === 'count' ? Number(response.count) : keyValues.length;
  return { kind: 'range', keyValues, count, more: content !== 'count' && response.more };
}

function isOnNothing(operation: Operation): boolean {
  return operation.kind !== 'put' && isEmptyRange(operation.range);
}

function nothingOf(operation: Operation): OperationResult {
  if (operation.kind === 'delete') return { kind: 'delete', deleted: 0 };
  return { kind: 'range', keyValues: [], count: 0, more: false };
}

/** One key as it stands; its value belongs to whoever decodes. */
export function keyValueOf(from: IKeyValue): KeyValue {
  return {
    key: from.key.toString(),
    value: from.value,
    createRevision: Number(from.create_revision) as Revision,
    modRevision: Number(from.mod_revision) as Revision,
    version: Number(from.version),
    lease: from.lease === '0' ? null : (Number(from.lease) as LeaseId),
  };
}

/** One change to one key. */
export function eventOf({ type, kv }: IEvent): KeyEvent {
  if (String(type).toUpperCase() !== 'DELETE') return { kind: 'put', keyValue: keyValueOf(kv) };
  const modRevision = Number(kv.mod_revision) as Revision;
  return { kind: 'delete', key: kv.key.toString(), modRevision };
}

/** etcd's numbers of `CompareResult` and `CompareTarget`. */
const RESULTS = { equal: 0, greater: 1, less: 2, notEqual: 3 } as const;
const TARGETS = { version: 0, createRevision: 1, modRevision: 2, value: 3, lease: 4 } as const;

/** One comparison. A key that does not exist compares as in the contract: all numbers 0, and no value. */
export function compareOf(comparison: Comparison): ICompare {
  const key = Buffer.from(comparison.key);
  const target = TARGETS[comparison.target];
  switch (comparison.target) {
    case 'lease':
      return { key, target, result: RESULTS.equal, lease: comparison.lease ?? 0 };
    case 'value':
      return {
        key,
        target,
        result: RESULTS[comparison.relation],
        value: bufferOf(comparison.value),
      };
    default: {
      const result = RESULTS[comparison.relation];
      const name = {
        version: 'version',
        createRevision: 'create_revision',
        modRevision: 'mod_revision',
      };
      return { key, target, result, [name[comparison.target]]: comparison.number };
    }
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
