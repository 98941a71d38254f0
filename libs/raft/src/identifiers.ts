import type { Branded } from '@robustmq/errors';

/** Names one member of a group for ever: a node that lost its disk returns under a new one. From 1. */
export type NodeId = Branded<number, 'NodeId'>;

/** Raft's logical clock (Raft §5.1). 0 before the first election. */
export type Term = Branded<number, 'Term'>;

/** A position in the Raft log (Raft §5.3). The first entry has index 1; 0 stands before it. */
export type LogIndex = Branded<number, 'LogIndex'>;

/** Counts the persists of one run of a node, from 1 (see `Persist` in output.ts). */
export type PersistNumber = Branded<number, 'PersistNumber'>;

/** What identifies an entry: two logs that agree here agree on everything before (Raft §5.3). */
export interface EntryId {
  readonly term: Term;
  readonly index: LogIndex;
}

/** The place before the first entry of an empty log. */
export const LOG_START: EntryId = Object.freeze({ term: 0 as Term, index: 0 as LogIndex });

/** The index `distance` after (or, when negative, before) `index`. */
export function offsetIndex(index: LogIndex, distance: number): LogIndex {
  return (index + distance) as LogIndex;
}

/** The smaller of two log indexes. */
export function lowerIndex(left: LogIndex, right: LogIndex): LogIndex {
  return left < right ? left : right;
}

/** The larger of two log indexes. */
export function higherIndex(left: LogIndex, right: LogIndex): LogIndex {
  return left > right ? left : right;
}
