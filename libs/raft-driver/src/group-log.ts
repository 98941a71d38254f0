/**
 * The log of one group on disk, for a state machine whose content is the log itself: it reads what
 * was committed where it stands, and says what the log may forget.
 */
import type { Entry, LogIndex } from '@robustmq/raft';
import type { EntryPlace } from './entry-places.ts';
import { batchEntriesOffset, SEGMENT_HEADER_BYTES, BATCH_HEADER_BYTES } from './log-format.ts';
import { encodedEntryBytes, ENTRY_HEADER_BYTES } from './entry-codec.ts';
import { FileWindow } from './file-window.ts';
import { corrupt } from './log-recovery.ts';
import {
  type DamagedBatch,
  decodeEntries,
  encodeEntries,
  lookAtSegment,
  type LookPlace,
  mendSegment,
  type SegmentLook,
} from './log-repair.ts';
import { ioFault, type RaftLogStore } from './raft-log-store.ts';
import { readBatch } from './segment-scan.ts';
import type { FileSystem } from '@robustmq/environment';

/** One file of the log. */
export interface LogSegmentView {
  /** Rises by one from file to file. */
  readonly number: number;
  readonly path: string;
  /** The index of the entry before its first one. */
  readonly previousIndex: LogIndex;
  /** Up to here its entries count; later segments replace those behind. */
  readonly lastIndex: LogIndex;
  /** Whole and durable bytes. */
  readonly bytes: number;
}

/** Positions stay valid until the segment is deleted: nothing in it is ever moved. */
export interface GroupLog {
  /** Oldest first; the last one is being written. */
  segments(): readonly LogSegmentView[];
  /** Where the data of an entry stands that is durable and not applied, or is being applied. */
  placeOf(index: LogIndex): EntryPlace | null;
  /**
   * Reads one segment front to back. Entries that a later segment replaced are left out; those
   * that are not committed are not.
   *
   * @param visit  gets each entry and the position of its data; the data is a view that may be kept
   * @throws RaftError RAFT_LOG_CORRUPT, RAFT_IO_FAILED
   */
  scan(number: number, visit: (entry: Entry, position: number) => void): Promise<void>;
  /** As `lookAtSegment`, of a segment that is complete; null when there is none such. */
  look(
    number: number,
    range: { readonly from: LookPlace | null; readonly bytesMax: number },
  ): Promise<SegmentLook | null>;
  /**
   * As `mendSegment`, with entries that `encodeEntries` of another member gave.
   *
   * @returns false when they do not fit, or the segment is gone: nothing was changed
   */
  mend(number: number, damage: DamagedBatch, entries: Uint8Array): Promise<boolean>;
  /** For another member: entries from `from` to `through`; null when some are not here. */
  encodeEntries(from: LogIndex, through: LogIndex): Promise<Uint8Array | null>;
}

export function groupLogOf(store: RaftLogStore, fileSystem: FileSystem): GroupLog {
  return {
    segments: () => store.segmentViews(),
    placeOf: (index) => store.placeOf(index),
    scan: (number, visit) => scanEntries(store, fileSystem, { number, visit }),
    look: async (number, range) => {
      const segment = store.completeSegment(number);
      return segment && lookAtSegment(fileSystem, segment, range).catch(rethrow);
    },
    mend: async (number, damage, bytes) => {
      const segment = store.completeSegment(number);
      const entries = decodeEntries(bytes);
      if (segment === null || entries === null) return false;
      const isMended = await mendSegment(fileSystem, segment, { damage, entries }).catch(rethrow);
      if (isMended) await store.forgetReader(number);
      return isMended;
    },
    encodeEntries: async (from, through) => {
      const found = await store.readAll(from, through);
      return found.length === through - from + 1 ? encodeEntries(found) : null;
    },
  };
}

function rethrow(error: unknown): never {
  throw ioFault(error);
}

async function scanEntries(
  store: RaftLogStore,
  fileSystem: FileSystem,
  {
    number,
    visit,
  }: { readonly number: number; readonly visit: (entry: Entry, position: number) => void },
): Promise<void> {
  const segment = store.segmentViews().find((each) => each.number === number);
  const salt = store.saltOf(number);
  if (segment === undefined || salt === null) return;
  const { path, bytes, lastIndex } = segment;
  try {
    const file = await fileSystem.open(path, 'read');
    try {
      const window = new FileWindow(file, bytes);
      let position = SEGMENT_HEADER_BYTES;
      while (position < bytes) {
        const batch = await readBatch(window, position, salt);
        if (batch === null) throw corrupt(path, position, 'a batch fails its checksum');
        let at = position + batchEntriesOffset(batch.body.hardState);
        for (const entry of batch.body.entries) {
          if (entry.index > lastIndex) return;
          visit(entry, at + ENTRY_HEADER_BYTES);
          at += encodedEntryBytes(entry);
        }
        position += BATCH_HEADER_BYTES + batch.header.bodyBytes;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw ioFault(error);
  }
}
