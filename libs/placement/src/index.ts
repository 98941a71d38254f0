export type { Command, CommandRefusal, CommandResult } from './command.ts';
export { type CommandFault, decodeCommand, encodeCommand } from './command-codec.ts';
export { eventsFromHistory, type RevisionEvents } from './history.ts';
export { type LeaseId, NO_REVISION, type Revision } from './identifiers.ts';
export type { DeleteEvent, KeyEvent, KeyRange, KeyValue, PutEvent } from './key-value.ts';
export {
  ALL_KEYS,
  compareKeys,
  isEmptyRange,
  isSingleKey,
  keyBytes,
  matchesRange,
  prefixRange,
  singleKeyRange,
} from './keys.ts';
export { recordedTtlSeconds } from './lease-commands.ts';
export {
  type CommandLimits,
  DEFAULT_COMMAND_LIMITS,
  DEFAULT_STATE_MACHINE_LIMITS,
  LEASE_TTL_SECONDS_MAX,
  RANGE_BYTES_MAX,
  limitsMark,
  RANGE_KEYS_MAX,
  STATE_MACHINE_VERSION,
  type StateMachineLimits,
} from './limits.ts';
export { MemoryRecords } from './memory-records.ts';
export type {
  CallOptions,
  Lease,
  LeaseStatus,
  Placement,
  RangeReply,
  RangeRequest,
  Watch,
  WatchBatch,
  WatchRequest,
} from './placement.ts';
export { PlacementError, type PlacementFault } from './placement-error.ts';
export { keysWanted, RangeCollector, rangeResult } from './range-result.ts';
export { RecordDigest } from './record-digest.ts';
export {
  attachedKey,
  attachmentRecordRange,
  decodeKeyValue,
  historyRecordRange,
  keyRecord,
  keyRecordRange,
  LEASE_RECORDS,
  leaseRecord,
  META_RECORD,
  recordedKey,
  recordedLease,
  recordedRevision,
} from './record-layout.ts';
export { TouchBudget } from './touch-budget.ts';
export type { AnnouncedRange, RecordReader, RecordWrite } from './record-store.ts';
export { faultOfRefusal } from './refusal-fault.ts';
export { type AppliedCommand, applyCommand, rangesOf } from './state-machine.ts';
export {
  assertSameLimits,
  decodeMeta,
  EMPTY_META,
  metaOf,
  type StoreMeta,
  storedBytes,
} from './store-meta.ts';
export type {
  Comparison,
  DeleteOperation,
  Operation,
  OperationResult,
  PutOperation,
  RangeOperation,
  RangeResult,
  Relation,
  Transaction,
  TransactionResult,
} from './transaction.ts';
export {
  type InvalidRequest,
  validateRange,
  validateTransaction,
  validateTtl,
} from './validate-transaction.ts';
