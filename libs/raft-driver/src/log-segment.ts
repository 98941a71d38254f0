import type { Entry, EntryId, LogIndex, MembershipEntry, Term } from '@robustmq/raft';

/** One file of a log: where it is, and where in it entries are. */
export interface LogSegment {
  readonly number: number;
  readonly path: string;
  readonly salt: number;
  /** The entry before the first one here. */
  readonly previous: EntryId;
  /** Of the last entry written here; later segments may have replaced it. */
  lastIndex: LogIndex;
  /** Bytes that are whole. */
  bytes: number;
  /** Up to here a flush has succeeded for sure. */
  trustedBytes: number;
  /** Index of the first entry, and position, of every batch that begins a stretch of the file. */
  readonly marks: { readonly index: number; readonly position: number }[];
  /** Where the terms of its entries begin. */
  readonly runs: { readonly term: Term; readonly first: LogIndex }[];
  readonly memberships: MembershipEntry[];
  /** Whether what is known of it lies in a file beside it (log-seal.ts). */
  hasSeal: boolean;
}

/** Of a segment without entries. */
export function newLogSegment(
  place: { readonly number: number; readonly path: string },
  header: { readonly salt: number; readonly previous: EntryId },
  bytes: number,
): LogSegment {
  const { salt, previous } = header;
  return {
    ...place,
    salt,
    previous,
    lastIndex: previous.index,
    bytes,
    trustedBytes: bytes,
    marks: [],
    runs: [],
    memberships: [],
    hasSeal: false,
  };
}

/** Notes entries that were written to the segment, or found in it. */
export function noteEntries(segment: LogSegment, entries: readonly Entry[]): void {
  for (const entry of entries) {
    if (segment.runs.at(-1)?.term !== entry.term) {
      segment.runs.push({ term: entry.term, first: entry.index });
    }
    if (entry.kind === 'membership') segment.memberships.push(entry);
  }
  segment.lastIndex = entries.at(-1)?.index ?? segment.lastIndex;
}

/** Stretches between two marks: what a read may have to skip. */
const MARK_EVERY_BYTES = 64 * 1024;

export function markBatch(segment: LogSegment, firstIndex: number, position: number): void {
  const last = segment.marks.at(-1);
  if (last !== undefined && position - last.position < MARK_EVERY_BYTES) return;
  segment.marks.push({ index: firstIndex, position });
}

/** Where to begin reading for `index`, which is in the segment. */
export function positionBefore(segment: LogSegment, index: number): number {
  let low = 0;
  let high = segment.marks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((segment.marks[middle]?.index ?? 0) <= index) low = middle;
    else high = middle - 1;
  }
  return segment.marks[low]?.position ?? segment.bytes;
}
