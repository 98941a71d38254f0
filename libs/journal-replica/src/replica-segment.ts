/** One file of a shard's log, as its replica keeps it in memory. */
import type { CachedChunk, ReadableSegment } from '@robustmq/journal-segment';
import type { TimedIndex } from './timed-index.ts';

export interface ReplicaSegment extends ReadableSegment {
  /** Of the file in the Raft log. */
  readonly number: number;
  readonly indexPath: string;
  /** No record here was appended earlier. */
  readonly beginMs: number;
  /** Raft entries up to this index are not part of it. */
  readonly previousIndex: number;
  bytes: number;
  after: number;
  /** While it grows; null once sealed. */
  growing: TimedIndex | null;
}

/** What a segment begins with: of the state before its first entry. */
export interface SegmentBegin {
  readonly appliedIndex: number;
  readonly next: number;
  readonly lastAppendedAtMs: number;
}

export function newReplicaSegment(
  file: { readonly number: number; readonly path: string; readonly bytes: number },
  begin: SegmentBegin,
  indexPath: string,
): ReplicaSegment {
  return {
    number: file.number,
    path: file.path,
    indexPath,
    baseOffset: begin.next,
    beginMs: begin.lastAppendedAtMs,
    previousIndex: begin.appliedIndex,
    bytes: file.bytes,
    after: begin.next,
    growing: null,
    cached: new Map<number, CachedChunk>(),
  };
}
