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
export { attributeHash } from './attribute-index.ts';
export { GrowingIndex } from './growing-index.ts';
export { PackedIndex } from './packed-index.ts';
export {
  BATCH_BYTES_MAX,
  BATCH_FIELD,
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  batchBaseOffsetAt,
  batchLengthAt,
  batchRecordCountAt,
  inspectBatch,
  readUint32,
  readUint64,
  writeUint32,
  writeUint64,
} from './record-batch.ts';
export { RecordBatchBuilder } from './record-batch-builder.ts';
export { checkBatch } from './checked-batch.ts';
export type { CheckedBatch } from './checked-batch.ts';
export { INDEXED_ATTRIBUTES, MESSAGE_ID_BYTES } from './record-attributes.ts';
export type { IndexedAttribute, RecordAttributes, RecordHeader } from './record-attributes.ts';
export { isWellFormed, RecordBatchReader, recordsOf } from './record-batch-reader.ts';
export {
  APPEND_HEADER_BYTES,
  decodeShardCommand,
  encodeAppend,
  encodedAppendBytes,
  appendHeaderBytes,
  encodeFence,
  encodeTrim,
} from './shard-command.ts';
export type { AppendFacts, ShardCommand } from './shard-command.ts';
export { ShardForecast } from './shard-forecast.ts';
export { PRODUCERS_MAX, RECENT_APPENDS_MAX } from './shard-producers.ts';
export { retentionTarget } from './shard-retention.ts';
export type { RetainedSegment, ShardRetention } from './shard-retention.ts';
export { ShardState } from './shard-state.ts';
export type { ShardOutcome } from './shard-state.ts';
export type { DamagedRange, SegmentIndex, WantedOrdinals } from './segment-index.ts';
export { isWanted } from './wanted-records.ts';
export type { AttributeSelector } from './wanted-records.ts';
export { WantedTopics } from './wanted-topics.ts';
export type {
  AppendAcknowledgement,
  AppendOptions,
  KeyedChange,
  KeyedRecord,
  KeyedShard,
  KeyedTail,
  KeyedWrite,
  ProducerName,
  SharedJournal,
  SharedShard,
  ShardTail,
} from './shared-journal.ts';
