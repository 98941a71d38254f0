/**
 * Where entries stand in the log's files, from when they are written until they are applied.
 *
 * Memory: two numbers per entry that is not applied yet.
 */
import type { Entry } from '@robustmq/raft';
import { ENTRY_HEADER_BYTES, encodedEntryBytes } from './entry-codec.ts';

export interface EntryPlace {
  /** The number of the segment. */
  readonly segment: number;
  /** Of the first byte of the entry's data in the file. */
  readonly position: number;
}

export class EntryPlaces {
  /** The index that the arrays begin with. */
  #first = 1;
  #segments: number[] = [];
  #positions: number[] = [];

  /** Consecutive entries that stand from `position` of a segment on; what was known from there on is replaced. */
  put(segment: number, position: number, entries: readonly Entry[]): void {
    const from = entries[0]?.index;
    if (from === undefined) return;
    const kept = from - this.#first;
    if (kept < 0 || kept > this.#segments.length) {
      this.#segments = [];
      this.#positions = [];
      this.#first = from;
    } else {
      this.#segments.length = kept;
      this.#positions.length = kept;
    }
    let at = position;
    for (const entry of entries) {
      this.#segments.push(segment);
      this.#positions.push(at + ENTRY_HEADER_BYTES);
      at += encodedEntryBytes(entry);
    }
  }

  find(index: number): EntryPlace | null {
    const segment = this.#segments[index - this.#first];
    const position = this.#positions[index - this.#first];
    return segment === undefined || position === undefined ? null : { segment, position };
  }

  forgetThrough(index: number): void {
    const count = Math.min(index + 1 - this.#first, this.#segments.length);
    if (count <= 0) return;
    this.#segments.splice(0, count);
    this.#positions.splice(0, count);
    this.#first += count;
  }
}
