export type { Command, CommandRefusal, CommandResult } from './command.ts';
export { type LeaseId, NO_REVISION, type Revision } from './identifiers.ts';
export type { DeleteEvent, KeyEvent, KeyRange, KeyValue, PutEvent } from './key-value.ts';
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
export type { RecordReader, RecordWrite } from './record-store.ts';
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
