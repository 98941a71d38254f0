/**
 * The state machine of the placement center on one simulated node: the real commands over the real
 * records, with a digest that costs the same in any state. A message shard shares its group.
 */
import { RecordStreamReader, RecordStreamWriter } from '@robustmq/level-state';
import {
  applyCommand,
  type AppliedCommand,
  type Command,
  decodeKeyValue,
  DEFAULT_STATE_MACHINE_LIMITS,
  eventsFromHistory,
  historyRecordRange,
  type KeyRange,
  keyRecord,
  type Lease,
  LEASE_RECORDS,
  type LeaseId,
  leaseRecord,
  matchesRange,
  MemoryRecords,
  metaOf,
  rangesOf,
  recordedLease,
  recordedTtlSeconds,
  type RecordReader,
  type RecordWrite,
  type Revision,
  type RevisionEvents,
  type StateMachineLimits,
} from '@robustmq/placement';
import { ShardLog } from './shard-log.ts';
import { Violation } from './violation.ts';
import { bytesHash, mixed, textHash } from './trace.ts';
import type { Value } from './history.ts';
import { valueOf } from './client-command.ts';

const STREAM_NAME = 'RMQPLSN\u0001';

/** Small, so that histories are compacted and request ids forgotten within a simulated minute. */
const LIMITS: StateMachineLimits = Object.freeze({
  ...DEFAULT_STATE_MACHINE_LIMITS,
  historyRevisionsMax: 200,
  historyBytesMax: 1 << 20,
  leasesMax: 1_000,
  outcomesMax: 2_048,
  touchedKeysMax: 1_000,
  touchedBytesMax: 1 << 20,
});

/** Among the letters of `serialize`: who appended what to the shard. */
export const SHARD_PRODUCERS = '*';

export class PlacementState {
  readonly #records = new MemoryRecords();
  /** Sum of the hashes of all records, so that one change costs the same in any state. */
  #digest = 0;
  /** Nobody reads these any more; removed when the next ones come, as a lazy store would. */
  #dead: KeyRange | null = null;
  shard: ShardLog = new ShardLog();

  /** Equal states have equal digests; different ones almost never. */
  get digest(): number {
    return mixed(this.#digest, this.shard.digest);
  }

  get revision(): Revision {
    return metaOf(this.#records).revision;
  }

  /** The value of a key that clients wrote; 0 when there is none. */
  get(key: string): Value {
    const record = this.#records.get(keyRecord(key));
    return record === undefined ? 0 : valueOf(decodeKeyValue(key, record).value);
  }

  apply(command: Command): AppliedCommand {
    const applied = applyCommand(announcedReader(this.#records, command), command, LIMITS);
    this.write(applied.writes);
    return applied;
  }

  /** Performs the writes of one command: also those that a restart finds on disk. */
  write(writes: readonly RecordWrite[]): void {
    for (const write of writes) {
      switch (write.kind) {
        case 'put':
          this.#subtract(write.key);
          this.#records.put(write.key, write.value);
          this.#add(write.key, write.value);
          break;
        case 'delete':
          this.#subtract(write.key);
          this.#records.delete(write.key);
          break;
        case 'forget':
          this.#forget(write.range);
      }
    }
  }

  /** Every living lease. */
  leases(): readonly Lease[] {
    return [...this.#records.range(LEASE_RECORDS)].map(([record, content]) => ({
      id: recordedLease(record),
      ttlSeconds: recordedTtlSeconds(content),
    }));
  }

  hasLease(id: LeaseId): boolean {
    return this.#records.get(leaseRecord(id)) !== undefined;
  }

  /** Every change from `first` on; null when that is compacted. */
  changesFrom(first: Revision): readonly RevisionEvents[] | null {
    if (first <= metaOf(this.#records).compactedRevision) return null;
    return eventsFromHistory(this.#records.range(historyRecordRange(first, null)));
  }

  /** @param without  the first letters of records that are left out, by mistake */
  serialize(without: string): Uint8Array {
    const writer = new RecordStreamWriter(STREAM_NAME);
    const producers = without.includes(SHARD_PRODUCERS) ? 'withoutProducers' : 'whole';
    const shard = this.shard.serialize(producers);
    const pieces: Uint8Array[] = [lengthOf(shard), shard];
    for (const [key, value] of this.#living()) {
      if (without.includes(key.charAt(0))) continue;
      const piece = writer.add(key, value);
      if (piece !== null) pieces.push(piece);
    }
    pieces.push(writer.end());
    return joined(pieces);
  }

  static parse(content: Uint8Array): PlacementState {
    const state = new PlacementState();
    const reader = new RecordStreamReader(STREAM_NAME);
    const { buffer, byteOffset } = content;
    const placementAt = 4 + new DataView(buffer, byteOffset).getUint32(0);
    state.shard = ShardLog.parse(content.subarray(4, placementAt));
    for (const [key, value] of reader.push(content.subarray(placementAt))) state.#take(key, value);
    reader.end();
    return state;
  }

  clone(): PlacementState {
    const copy = new PlacementState();
    copy.shard = this.shard.clone();
    for (const [key, value] of this.#living()) copy.#take(key, value);
    return copy;
  }

  *#living(): Iterable<readonly [string, Uint8Array]> {
    for (const record of this.#records) {
      if (this.#dead === null || !matchesRange(this.#dead, record[0])) yield record;
    }
  }

  #take(key: string, value: Uint8Array): void {
    this.#records.put(key, value);
    this.#add(key, value);
  }

  #forget(range: KeyRange): void {
    for (const [key, value] of this.#records.range(range)) this.#digest -= hashOf(key, value);
    this.#digest |= 0;
    if (this.#dead !== null) this.#records.apply([{ kind: 'forget', range: this.#dead }]);
    this.#dead = range;
  }

  #add(key: string, value: Uint8Array): void {
    this.#digest = (this.#digest + hashOf(key, value)) | 0;
  }

  #subtract(key: string): void {
    const value = this.#records.get(key);
    if (value !== undefined) this.#digest = (this.#digest - hashOf(key, value)) | 0;
  }
}

/** What a store on disk gives a command: single records, and the ranges it announced. */
function announcedReader(records: MemoryRecords, command: Command): RecordReader {
  const announced = rangesOf(command);
  return {
    get: (key) => records.get(key),
    range: (range) => {
      const known = announced.find(
        ({ first, after }) => first === range.first && after === range.after,
      );
      if (known === undefined) {
        throw new Violation('assertion', `a range is not announced: ${JSON.stringify(range)}`);
      }
      return known.recordsMax === null ? records.range(range) : firstOf(records, known);
    },
  };
}

function* firstOf(
  records: MemoryRecords,
  { first, after, recordsMax }: KeyRange & { readonly recordsMax: number | null },
): Iterable<readonly [string, Uint8Array]> {
  let left = recordsMax ?? Number.POSITIVE_INFINITY;
  for (const record of records.range({ first, after })) {
    if (left === 0) return;
    left -= 1;
    yield record;
  }
}

function hashOf(key: string, value: Uint8Array): number {
  return mixed(textHash(key), bytesHash(value));
}

function lengthOf(bytes: Uint8Array): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return length;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
