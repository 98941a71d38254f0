/** The segments of one shard, oldest first, and how their indexes and batches are read. */
import {
  GrowingIndex,
  JournalError,
  PackedIndex,
  batchBaseOffsetAt,
  batchRecordCountAt,
  inspectBatch,
} from '@robustmq/journal';
import type { DamagedRange, Offset, SegmentIndex } from '@robustmq/journal';
import { ShardCache } from './batch-cache.ts';
import type { BatchCache } from './batch-cache.ts';
import type { BatchMedium, BatchSpot, StoredBatch } from './batch-medium.ts';
import type { IndexCache } from './index-cache.ts';
import { mediumFault } from './medium-fault.ts';
import type { ShardSegment } from './shard-segment.ts';

/** What all shards of a journal share. */
export interface SharedCaches {
  readonly batches: BatchCache;
  readonly indexes: IndexCache;
}

/** Damage that was found: the range of offsets that is missing, and why. */
export type ReportDamage = (segment: ShardSegment, damage: DamagedRange) => void;

export class ShardStore {
  /** Invariant: ascending, never empty; only the last one grows. */
  readonly list: ShardSegment[];
  readonly medium: BatchMedium;
  readonly cache: ShardCache;
  readonly indexes: IndexCache;
  readonly #report: ReportDamage;
  readonly #loading = new Map<ShardSegment, Promise<PackedIndex>>();

  constructor(
    parts: { readonly list: ShardSegment[]; readonly medium: BatchMedium },
    caches: SharedCaches,
    report: ReportDamage,
  ) {
    this.list = parts.list;
    this.medium = parts.medium;
    this.cache = new ShardCache(caches.batches);
    this.indexes = caches.indexes;
    this.#report = report;
  }

  get oldest(): Offset {
    return (this.list[0] as ShardSegment).first as Offset;
  }

  get active(): ShardSegment {
    return this.list.at(-1) as ShardSegment;
  }

  /** The segment with `offset`; throws JOURNAL_OFFSET_TRIMMED below the oldest. */
  at(offset: number): ShardSegment {
    if (offset < this.oldest) throw this.#trimmed(offset);
    let low = 0;
    let high = this.list.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.list[middle] as ShardSegment).first <= offset) low = middle;
      else high = middle - 1;
    }
    return this.list[low] as ShardSegment;
  }

  /** The index of a segment; readers that ask at once share one load. */
  async indexOf(segment: ShardSegment): Promise<SegmentIndex> {
    const known = segment.growing ?? this.indexes.find(segment);
    if (known !== undefined) return known;
    let loading = this.#loading.get(segment);
    if (loading === undefined) {
      loading = this.#loadIndex(segment).finally(() => this.#loading.delete(segment));
      this.#loading.set(segment, loading);
    }
    return loading;
  }

  /**
   * The batches of these numbers, as far as they are intact, at least the first.
   *
   * @throws JournalError JOURNAL_RECORD_CORRUPT for the first one
   */
  async batches(
    segment: ShardSegment,
    index: SegmentIndex,
    numbers: readonly number[],
  ): Promise<readonly Uint8Array[]> {
    const spots = numbers.map((number) => spotOf(segment, index, number));
    const found = spots.map((spot) => this.cache.find(spot.first));
    const missing = spots.filter((_, i) => found[i] === undefined);
    const read = missing.length === 0 ? [] : await this.#read(segment, missing);
    const batches: Uint8Array[] = [];
    let taken = 0;
    for (const [i, spot] of spots.entries()) {
      let bytes = found[i];
      if (bytes === undefined) {
        const fresh = read[taken];
        taken += 1;
        if (fresh == null || !isIntact(fresh, spot)) {
          if (i === 0) throw this.#corrupt(segment, spot);
          break;
        }
        bytes = fresh;
        this.cache.add(spot.first, bytes);
      }
      batches.push(bytes);
    }
    return batches;
  }

  corruptRange(segment: ShardSegment, damage: DamagedRange): JournalError {
    return this.#corrupt(segment, {
      first: segment.first + damage.first,
      after: segment.first + damage.after,
      place: segment.place + damage.position,
      byteLength: 0,
    });
  }

  forget(segment: ShardSegment): void {
    this.indexes.drop(segment);
    this.cache.dropBefore(segment.after);
  }

  async #read(
    segment: ShardSegment,
    spots: readonly BatchSpot[],
  ): Promise<readonly (Uint8Array | null)[]> {
    try {
      return await this.medium.read(segment, spots);
    } catch (error) {
      throw this.#readFault(segment, error);
    }
  }

  async #loadIndex(segment: ShardSegment): Promise<PackedIndex> {
    try {
      const bytes = await this.medium.readIndex(segment);
      const index =
        (bytes && PackedIndex.open(bytes, segment.first, segment.span)) ??
        (await this.#rebuild(segment));
      this.indexes.keep(segment, index);
      return index;
    } catch (error) {
      throw this.#readFault(segment, error);
    }
  }

  async #rebuild(segment: ShardSegment): Promise<PackedIndex> {
    const { index } = await scanSegment(this.medium, segment, segment.after);
    const missing = segment.after - segment.first;
    if (index.recordsAfter < missing) index.addDamage(missing, segment.span);
    for (const damage of index.damage) this.#report(segment, damage);
    return PackedIndex.pack(index, segment.first, segment.span);
  }

  #readFault(segment: ShardSegment, error: unknown): JournalError {
    if (segment.first < this.oldest) return this.#trimmed(segment.first);
    return mediumFault(error, 'read');
  }

  #corrupt(segment: ShardSegment, spot: BatchSpot): JournalError {
    if (segment.first < this.oldest) return this.#trimmed(spot.first);
    return new JournalError({
      code: 'JOURNAL_RECORD_CORRUPT',
      file: this.medium.nameOf(spot),
      position: spot.place,
      first: spot.first as Offset,
      after: spot.after as Offset,
    });
  }

  #trimmed(offset: number): JournalError {
    const requested = offset as Offset;
    return new JournalError({ code: 'JOURNAL_OFFSET_TRIMMED', requested, oldest: this.oldest });
  }
}

/** What a walk through the batches of a segment found. */
export interface SegmentScan {
  readonly index: GrowingIndex;
  readonly bytes: number;
  readonly span: number;
}

/** Builds the index anew; batches that are missing or damaged become damaged ranges. */
export async function scanSegment(
  medium: BatchMedium,
  segment: { readonly first: number; readonly place: number },
  after: number | null,
): Promise<SegmentScan> {
  const index = new GrowingIndex(segment.first);
  let bytes = 0;
  let span = 0;
  for await (const batch of medium.scan(segment, after)) {
    const position = batch.place - segment.place;
    const first = batch.first - segment.first;
    // Offsets that nobody wrote: the batches between were lost.
    if (first > index.recordsAfter) index.addDamage(first, span);
    if (isIntact(batch.bytes, batch)) index.addBatch(batch.bytes, 0, position);
    else index.addDamage(batch.after - segment.first, position);
    bytes += batch.bytes.length;
    span = position + medium.placesOf(batch.bytes.length);
  }
  return { index, bytes, span };
}

/** Whether the bytes are the whole, undamaged batch of these offsets. */
function isIntact(bytes: Uint8Array, spot: Omit<BatchSpot, 'byteLength'> | StoredBatch): boolean {
  if (inspectBatch(bytes, 0, bytes.length) !== 'valid') return false;
  if (batchBaseOffsetAt(bytes, 0) !== spot.first) return false;
  return batchRecordCountAt(bytes, 0) === spot.after - spot.first;
}

function spotOf(segment: ShardSegment, index: SegmentIndex, number: number): BatchSpot {
  return {
    first: segment.first + index.batchFirst(number),
    after: segment.first + index.batchAfter(number),
    place: segment.place + index.batchPosition(number),
    byteLength: index.batchLength(number),
  };
}
