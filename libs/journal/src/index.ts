export type {
  Journal,
  JournalCapabilities,
  JournalReader,
  JournalRecord,
  JournalShard,
  Offset,
  RecordBatch,
  RecordSelector,
  RecoveryReport,
  SegmentSummary,
  ShardStats,
} from './journal.ts';
export { JournalError } from './journal-error.ts';
export type { JournalFault } from './journal-error.ts';
