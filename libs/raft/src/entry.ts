import type { Configuration } from './configuration.ts';
import type { EntryId } from './identifiers.ts';

/** One Raft log element. Only `data` reaches the replicated state machine with content. */
export type Entry = DataEntry | NoopEntry | MembershipEntry;

/** A command of the state machine. `data` belongs to the log from the proposal on: nobody writes to it. */
export interface DataEntry extends EntryId {
  readonly kind: 'data';
  readonly data: Uint8Array;
}

/** What a leader appends first, to learn the commit index of its predecessors (Raft §8). */
export interface NoopEntry extends EntryId {
  readonly kind: 'noop';
}

/** A whole configuration, in force from the moment it is appended (Raft thesis §4.1). */
export interface MembershipEntry extends EntryId {
  readonly kind: 'membership';
  readonly configuration: Configuration;
}

/** What an entry counts against byte limits beside its data: index, term, kind, framing. */
const ENTRY_OVERHEAD_BYTES = 32;

/** The weight of an entry for every limit counted in bytes; an estimate of its size on the wire. */
export function entryBytes(entry: Entry): number {
  switch (entry.kind) {
    case 'data':
      return ENTRY_OVERHEAD_BYTES + entry.data.length;
    case 'noop':
      return ENTRY_OVERHEAD_BYTES;
    case 'membership':
      return ENTRY_OVERHEAD_BYTES + 64;
  }
}
