/** Any value of the placement contract, for property tests. */
import type {
  Comparison,
  KeyEvent,
  KeyRange,
  KeyValue,
  Lease,
  LeaseId,
  LeaseStatus,
  Operation,
  OperationResult,
  PlacementFault,
  RangeReply,
  RangeRequest,
  RangeResult,
  Revision,
  Transaction,
  TransactionResult,
  WatchRequest,
} from '@robustmq/placement';
import fc from 'fast-check';
import type { PipelineCall, PipelineOutcome, PipelineReply, PipelineRequest } from './pipeline.ts';
import type { WatchMessage } from './watch.ts';

type Any<Value> = fc.Arbitrary<Value>;

const number: Any<number> = fc.oneof(fc.maxSafeNat(), fc.nat(300), fc.constant(2 ** 32));
const revision: Any<Revision> = number.map((value) => value as Revision);
const leaseId: Any<LeaseId> = number.map((value) => Math.max(1, value) as LeaseId);
const leaseOrNull: Any<LeaseId | null> = fc.option(leaseId);
const uint32: Any<number> = fc.nat(0xffff_ffff);
const text: Any<string> = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.string({ maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 200 }),
);
const bytes: Any<Uint8Array> = fc.uint8Array({ maxLength: 200 });
const requestId: Any<string | null> = fc.option(text);

const keyRange: Any<KeyRange> = fc.record({ first: text, after: fc.option(text) });
const keyValue: Any<KeyValue> = fc.record({
  key: text,
  value: bytes,
  createRevision: revision,
  modRevision: revision,
  version: number,
  lease: leaseOrNull,
});
const content = fc.constantFrom('whole', 'keys', 'count');
const range = fc.record({ range: keyRange, limit: uint32, content });
const rangeOperation = range.map((facts) => ({ kind: 'range' as const, ...facts }));
const consistency = fc.constantFrom('linearizable', 'serializable');
const rangeResult: Any<RangeResult> = fc.record({
  kind: fc.constant('range'),
  keyValues: fc.array(keyValue, { maxLength: 3 }),
  count: number,
  more: fc.boolean(),
});
const relation = fc.constantFrom('equal', 'notEqual', 'less', 'greater');
const comparison: Any<Comparison> = fc.oneof(
  fc.record({
    target: fc.constantFrom('version', 'createRevision', 'modRevision'),
    key: text,
    relation,
    number,
  }),
  fc.record({ target: fc.constant('value'), key: text, relation, value: bytes }),
  fc.record({ target: fc.constant('lease'), key: text, lease: leaseOrNull }),
);
const operation: Any<Operation> = fc.oneof(
  fc.record({ kind: fc.constant('put'), key: text, value: bytes, lease: leaseOrNull }),
  fc.record({ kind: fc.constant('delete'), range: keyRange }),
  rangeOperation,
);
const operations = fc.array(operation, { maxLength: 4 });
const operationResult: Any<OperationResult> = fc.oneof(
  fc.record({ kind: fc.constant('put'), previous: fc.option(keyValue) }),
  fc.record({ kind: fc.constant('delete'), deleted: number }),
  rangeResult,
);
const keyEvent: Any<KeyEvent> = fc.oneof(
  fc.record({ kind: fc.constant('put'), keyValue }),
  fc.record({ kind: fc.constant('delete'), key: text, modRevision: revision }),
);

export const anyKeyValue: Any<KeyValue> = keyValue;
export const anyRevision: Any<Revision> = revision;
export const anyLeaseId: Any<LeaseId> = leaseId;
export const anyText: Any<string> = text;
export const anyBytes: Any<Uint8Array> = bytes;
export const anyUint32: Any<number> = uint32;
export const anyLeaseOrNull: Any<LeaseId | null> = leaseOrNull;
export const anyRequestId: Any<string | null> = requestId;
export const anyRangeRequest: Any<RangeRequest> = fc
  .tuple(range, consistency)
  .map(([facts, each]) => ({ ...facts, consistency: each }));
export const anyRangeReply: Any<RangeReply> = fc
  .tuple(rangeResult, revision)
  .map(([result, at]) => ({ ...result, revision: at }));
export const anyTransaction: Any<Transaction> = fc
  .tuple(fc.array(comparison, { maxLength: 4 }), operations, operations, requestId)
  .map(([compare, first, second, id]) => ({
    compare,
    then: first,
    otherwise: second,
    requestId: id,
  }));
export const anyTransactionResult: Any<TransactionResult> = fc.record({
  revision,
  succeeded: fc.boolean(),
  results: fc.array(operationResult, { maxLength: 3 }),
  repeated: fc.boolean(),
});
export const anyLease: Any<Lease> = fc.record({ id: leaseId, ttlSeconds: number });
export const anyLeaseStatus: Any<LeaseStatus> = fc.record({
  id: leaseId,
  ttlSeconds: number,
  remainingSeconds: fc.double({ min: 0, max: 1e10, noNaN: true }).map((value) => value + 0),
  keys: fc.array(text, { maxLength: 4 }),
});
export const anyWatchRequest: Any<WatchRequest> = fc.record({
  range: keyRange,
  from: fc.option(number.map((value) => Math.max(1, value) as Revision)),
  progressEveryMs: fc.option(uint32.map((value) => Math.max(1, value))),
});
export const anyWatchMessage: Any<WatchMessage> = fc.record({
  revision,
  events: fc.array(keyEvent, { maxLength: 5 }),
  more: fc.boolean(),
});
export const anyFault: Any<PlacementFault> = fc.oneof(
  fc.record({ code: fc.constant('PLACEMENT_NOT_LEADER'), leader: fc.option(text) }),
  fc.record({
    code: fc.constantFrom(
      'PLACEMENT_UNAVAILABLE',
      'PLACEMENT_OUTCOME_UNKNOWN',
      'PLACEMENT_OVERLOADED',
      'PLACEMENT_FULL',
      'PLACEMENT_INVALID',
      'PLACEMENT_UNAUTHENTICATED',
    ),
    detail: text,
  }),
  fc.record({
    code: fc.constantFrom('PLACEMENT_LEASE_NOT_FOUND', 'PLACEMENT_LEASE_EXISTS'),
    lease: leaseId,
  }),
  fc.record({
    code: fc.constant('PLACEMENT_REVISION_COMPACTED'),
    requested: revision,
    oldest: revision,
  }),
  fc.record({
    code: fc.constant('PLACEMENT_REVISION_FUTURE'),
    requested: revision,
    current: revision,
  }),
  fc.record({ code: fc.constant('PLACEMENT_CLOSED') }),
);
const call: Any<PipelineCall> = fc.oneof(
  fc.record({ kind: fc.constant('range'), request: anyRangeRequest }),
  fc.record({ kind: fc.constant('transact'), transaction: anyTransaction }),
  fc.record({ kind: fc.constant('grant'), ttlSeconds: number, requestId }),
  fc.record({ kind: fc.constantFrom('keep', 'revoke', 'readLease'), id: leaseId }),
  fc.record({ kind: fc.constant('compact'), revision }),
);
const outcome: Any<PipelineOutcome> = fc.oneof(
  fc.record({ kind: fc.constant('range'), reply: anyRangeReply }),
  fc.record({ kind: fc.constant('transact'), result: anyTransactionResult }),
  fc.record({ kind: fc.constantFrom('grant', 'keep'), lease: anyLease }),
  fc.record({ kind: fc.constantFrom('revoke', 'compact') }),
  fc.record({ kind: fc.constant('readLease'), status: anyLeaseStatus }),
  fc.record({ kind: fc.constant('fault'), fault: anyFault }),
);
export const anyPipelineRequests: Any<readonly PipelineRequest[]> = fc.array(
  fc.record({ id: number, deadlineMs: uint32, call }),
  { maxLength: 4 },
);
export const anyPipelineReplies: Any<readonly PipelineReply[]> = fc.array(
  fc.record({ id: number, outcome }),
  { maxLength: 4 },
);
