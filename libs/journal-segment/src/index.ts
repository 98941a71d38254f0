export { BatchCache } from './batch-cache.ts';
export type { CachedChunk, CachedSegment } from './batch-cache.ts';
export { corruptBatch, corruptRange } from './corrupt-records.ts';
export type { ReadableSegment } from './corrupt-records.ts';
export { decodeShardName, encodeShardName, openSegmentJournal } from './segment-journal.ts';
export type { SegmentJournalEnvironment, SegmentJournalOptions } from './segment-journal.ts';
export { SegmentReader } from './segment-reader.ts';
export type { BatchOf, BatchRange, ReadableSegments, ReadableShard } from './segment-reader.ts';
