/**
 * What the state machine stands on: an ordered map from text to bytes that it reads synchronously.
 *
 * Point reads go to the store behind; ranges that a command needs are loaded before it is applied
 * (`rangesOf` in state-machine.ts), because a database on disk scans only asynchronously.
 */
import type { KeyRange } from './key-value.ts';

export interface RecordReader {
  /** undefined when there is none. */
  get(key: string): Uint8Array | undefined;
  /** Ascending by UTF-8 bytes. Only ranges announced by `rangesOf` may be asked for. */
  range(range: KeyRange): Iterable<readonly [key: string, value: Uint8Array]>;
}

/** A range of records that a command reads, so that it can be loaded before. */
export interface AnnouncedRange extends KeyRange {
  /** Only the first so many records are read; null: all. */
  readonly recordsMax: number | null;
}

/** One change to the store behind; the batch of one log entry is written as a whole. */
export type RecordWrite =
  | { readonly kind: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: 'delete'; readonly key: string }
  /**
   * Nothing reads these records any more: they are removed at once or later, in any pieces, and stand
   * in no snapshot and no digest.
   */
  | { readonly kind: 'forget'; readonly range: KeyRange };
