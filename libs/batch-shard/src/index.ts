export type {
  BatchMedium,
  BatchSpot,
  BatchStore,
  SealedSegment,
  SegmentStart,
  ShardContents,
  StoredBatch,
} from './batch-medium.ts';
export { openBatchJournal } from './batch-journal.ts';
export type { BatchJournalOptions } from './batch-journal.ts';
export { CommitQueue } from './commit-queue.ts';
export type { CommitSteps, QueuedAppend } from './commit-queue.ts';
