/**
 * What a command does to the records of a keyed shard. The same on every replica: whatever could
 * differ between them, time and limits, is in the command.
 *
 * Cost of a write: one read, and two or three writes, of records.
 */
import { encodeUtf8 } from '@robustmq/bytes';
import { unreachable } from '@robustmq/errors';
import type { KeyedChange, KeyedRecord, KeyedWrite } from '@robustmq/journal';
import type { KeyedCall, KeyedCommand, KeyedResult, KeyedTerms } from './keyed-command.ts';
import { decodeMeta, encodeMeta, type KeyedMeta } from './keyed-meta.ts';
import {
  decodeRemoval,
  decodeStanding,
  encodeRemoval,
  encodeStanding,
  keyRecord,
  META_RECORD,
  removalRecord,
  revisionRecord,
  type Standing,
} from './record-layout.ts';

/** Records by name. Values that are put are not changed afterwards. */
export interface KeyedRecords {
  get(name: string): Uint8Array | undefined;
  put(name: string, value: Uint8Array): void;
  delete(name: string): void;
}

export interface AppliedKeyedCommand {
  /** One per call. */
  readonly results: readonly KeyedResult[];
  /** In order of their revisions. Values are views of the command's bytes. */
  readonly changes: readonly KeyedChange[];
}

/** What each key counts beside its name and value. */
const KEY_OVERHEAD_BYTES = 64;
/** Places among the removals that a command looks at, beside two for each of its writes. */
const PLACES_PER_COMMAND = 16;

type Draft = { -readonly [Field in keyof KeyedMeta]: KeyedMeta[Field] };

export function applyKeyedCommand(
  records: KeyedRecords,
  command: KeyedCommand,
): AppliedKeyedCommand {
  return new Application(records, command.terms).run(command.calls);
}

class Application {
  readonly #records: KeyedRecords;
  readonly #terms: KeyedTerms;
  readonly #meta: Draft;
  readonly #changes: KeyedChange[] = [];
  #steps = 0;

  constructor(records: KeyedRecords, terms: KeyedTerms) {
    this.#records = records;
    this.#terms = terms;
    this.#meta = { ...decodeMeta(records.get(META_RECORD)) };
    this.#meta.nowMs = Math.max(this.#meta.nowMs, terms.nowMs);
  }

  run(calls: readonly KeyedCall[]): AppliedKeyedCommand {
    const results = calls.map((call) => this.#call(call));
    this.#forgetRemovals();
    this.#records.put(META_RECORD, encodeMeta(this.#meta));
    return { results, changes: this.#changes };
  }

  #call(call: KeyedCall): KeyedResult {
    switch (call.kind) {
      case 'write':
        return this.#write(call.writes);
      case 'claim':
        return this.#claim(call.key, call.fence);
      default:
        return unreachable(call);
    }
  }

  #write(writes: readonly KeyedWrite[]): KeyedResult {
    const { storedBytesMax } = this.#terms;
    if (this.#isBeyond(writes)) {
      return { kind: 'full', storedBytes: this.#meta.storedBytes, storedBytesMax };
    }
    const taken: boolean[] = [];
    for (const write of writes) taken.push(this.#writeOne(write));
    return { kind: 'written', taken };
  }

  /** Whether the puts would take the shard beyond its limit; removals alone never do. */
  #isBeyond(writes: readonly KeyedWrite[]): boolean {
    let more = 0;
    for (const { key, value } of writes) if (value !== null) more += storedBytesOf(key, value);
    if (more === 0 || this.#meta.storedBytes + more <= this.#terms.storedBytesMax) return false;
    for (const { key, value } of writes) {
      const standing = value === null ? null : this.#standingAt(key);
      if (standing !== null) more -= storedBytesOf(key, standing.value);
    }
    return more > 0 && this.#meta.storedBytes + more > this.#terms.storedBytesMax;
  }

  #writeOne({ key, fence, value }: KeyedWrite): boolean {
    this.#steps += 1;
    const standing = this.#standingAt(key);
    if (standing !== null && standing.fence > fence) return false;
    if (standing !== null) this.#takeAway(key, standing);
    this.#meta.revision += 1;
    const { revision } = this.#meta;
    this.#records.put(revisionRecord(revision), encodeUtf8(key));
    this.#stand(key, { fence, revision, value, place: 0 });
    this.#changes.push({ key, fence, value, revision });
    return true;
  }

  #claim(key: string, fence: number): KeyedResult {
    this.#steps += 1;
    const standing = this.#standingAt(key);
    if (standing !== null && standing.fence > fence) {
      return { kind: 'claimed', taken: false, record: recordAt(key, standing) };
    }
    const { revision, value } = standing ?? { revision: 0, value: null };
    const claimed = { fence, revision, value, place: 0 };
    if (standing?.fence !== fence) {
      if (standing !== null) this.#takeAway(key, { ...standing, revision: 0 });
      this.#stand(key, claimed);
    }
    return { kind: 'claimed', taken: true, record: recordAt(key, claimed) };
  }

  #standingAt(key: string): Standing | null {
    const record = this.#records.get(keyRecord(key));
    return record === undefined ? null : decodeStanding(record);
  }

  /** Counts what stands at the key out, and deletes the records beside it; a revision of 0 has none. */
  #takeAway(key: string, { revision, value, place }: Standing): void {
    this.#meta.storedBytes -= storedBytesOf(key, value);
    if (revision > 0) this.#records.delete(revisionRecord(revision));
    if (value !== null) this.#meta.keys -= 1;
    else {
      this.#meta.removals -= 1;
      this.#records.delete(removalRecord(place));
    }
  }

  #stand(key: string, standing: Standing): void {
    let { place } = standing;
    this.#meta.storedBytes += storedBytesOf(key, standing.value);
    if (standing.value !== null) this.#meta.keys += 1;
    else {
      this.#meta.removals += 1;
      place = this.#meta.nextPlace;
      this.#meta.nextPlace += 1;
      this.#records.put(removalRecord(place), encodeRemoval(this.#meta.nowMs, key));
    }
    this.#records.put(keyRecord(key), encodeStanding({ ...standing, place }));
  }

  /** Oldest first; a bounded number of places with each command, which is more than it can add. */
  #forgetRemovals(): void {
    const meta = this.#meta;
    let places = PLACES_PER_COMMAND + 2 * this.#steps;
    for (; places > 0 && meta.oldestPlace < meta.nextPlace; places -= 1) {
      const removal = this.#records.get(removalRecord(meta.oldestPlace));
      if (removal !== undefined) {
        const { atMs, key } = decodeRemoval(removal);
        const isKept = meta.nowMs - atMs < this.#terms.keepRemovalsMs;
        if (isKept && meta.removals <= this.#terms.removalsMax) return;
        this.#forget(key);
      }
      meta.oldestPlace += 1;
    }
  }

  #forget(key: string): void {
    const standing = this.#standingAt(key);
    if (standing === null) return;
    this.#takeAway(key, standing);
    this.#records.delete(keyRecord(key));
    this.#meta.forgottenRevision = Math.max(this.#meta.forgottenRevision, standing.revision);
  }
}

/** Of a removal only its name counts. */
function storedBytesOf(key: string, value: Uint8Array | null): number {
  return KEY_OVERHEAD_BYTES + key.length + (value === null ? 0 : value.length);
}

/** null: it has no value. */
function recordAt(key: string, { fence, revision, value }: Standing): KeyedRecord | null {
  return value === null ? null : { key, fence, value, revision };
}
