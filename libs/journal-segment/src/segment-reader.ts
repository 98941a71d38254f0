/**
 * Reads the wanted records of a shard in order.
 *
 * Per segment the index says which ordinals are wanted, so the cost follows what is read; batches
 * come from the cache, or from the disk in runs. A reader holds no file and no batch between calls.
 */
import { attributeHash, isWanted, RecordBatchReader, WantedTopics } from '@robustmq/journal';
import type {
  DamagedRange,
  JournalReader,
  JournalRecord,
  Offset,
  RecordSelector,
  SegmentIndex,
  WantedOrdinals,
} from '@robustmq/journal';
import type { CachedChunk } from './batch-cache.ts';
import { corruptRange, type ReadableSegment } from './corrupt-records.ts';

/** Batches that are not wanted are read over if that saves a read of the disk. */
const GAP_BATCHES_MAX = 8;

/** The segments of a shard, and how their batches come into memory. */
export interface ReadableSegments<Segment extends ReadableSegment> {
  /** The segment with `offset`; throws JOURNAL_OFFSET_TRIMMED below the oldest. */
  at(offset: number): Segment;
  indexInMemory(segment: Segment): SegmentIndex | undefined;
  loadIndex(segment: Segment): Promise<SegmentIndex>;
  /** The batch's bytes if they are in memory. */
  batchInMemory(segment: Segment, position: number): CachedChunk | undefined;
  /**
   * Reads the batches from `first` up to `last`, as many as one chunk holds, and at least the first.
   *
   * @throws JournalError JOURNAL_RECORD_CORRUPT  the first one fails its checksum
   */
  loadBatches(segment: Segment, index: SegmentIndex, range: BatchRange): Promise<CachedChunk>;
  /** Puts the cursor before the first record of a batch that the chunk holds. */
  openBatch(cursor: RecordBatchReader, chunk: CachedChunk, batch: BatchOf<Segment>): void;
}

/** Numbers of batches in the index of a segment. */
export interface BatchRange {
  readonly first: number;
  readonly last: number;
}

export interface BatchOf<Segment> {
  readonly segment: Segment;
  readonly index: SegmentIndex;
  readonly batch: number;
}

/** What a reader asks of its shard. */
export interface ReadableShard<Segment extends ReadableSegment> {
  readonly segments: ReadableSegments<Segment>;
  readonly committed: Offset;
  assertOpen(): void;
}

export class SegmentReader<Segment extends ReadableSegment> implements JournalReader {
  readonly #shard: ReadableShard<Segment>;
  readonly #selector: RecordSelector;
  readonly #cursor = new RecordBatchReader();
  #position: number;
  #wanted: { readonly segment: Segment; readonly topics: WantedTopics } | null = null;

  constructor(shard: ReadableShard<Segment>, from: Offset, selector: RecordSelector) {
    this.#shard = shard;
    this.#selector = selector;
    this.#position = from;
  }

  get position(): Offset {
    return this.#position as Offset;
  }

  async read(recordsMax: number, bytesMax: number): Promise<readonly JournalRecord[]> {
    const shard = this.#shard;
    shard.assertOpen();
    const committed = shard.committed;
    const page: Page = { records: [], recordsMax, bytesLeft: bytesMax, chunk: null };
    try {
      // Told even where nothing is left to read; a shard without a record may have no segment yet.
      if (committed > 0) shard.segments.at(Math.max(0, this.#position));
      while (this.#position < committed && !isFull(page)) await this.#readSegment(page);
    } catch (error) {
      // What was found before the failure is returned first; the next call meets it again.
      if (page.records.length === 0) throw error;
    }
    return page.records;
  }

  async #readSegment(page: Page): Promise<void> {
    const { segments } = this.#shard;
    const segment = segments.at(this.#position);
    const index = segments.indexInMemory(segment) ?? (await segments.loadIndex(segment));
    const from = this.#position - segment.baseOffset;
    const damage = damageFrom(index, from, segment);
    if (damage !== null && damage.first <= from) throw corruptRange(segment, damage);
    const limit = damage?.first ?? index.recordsAfter;
    const span = { segment, index, limit };
    if (this.#selector.kind === 'everything') return this.#readAll(span, page);
    await this.#readFound(span, this.#find(span, this.#selector), page);
  }

  /** What the index of the segment finds from the position on. */
  #find(
    { segment, index }: Span<Segment>,
    selector: Exclude<RecordSelector, { readonly kind: 'everything' }>,
  ): WantedOrdinals {
    const from = this.#position - segment.baseOffset;
    if (selector.kind === 'attribute') {
      const { attribute, value } = selector;
      return index.collectAttribute(attribute, attributeHash(value, 0, value.length), from);
    }
    if (this.#wanted?.segment !== segment) {
      this.#wanted = { segment, topics: new WantedTopics(selector) };
    }
    const { topics } = this.#wanted;
    topics.refresh(index);
    return index.collect(topics.ids, from);
  }

  async #readAll(span: Span<Segment>, page: Page): Promise<void> {
    const { segment, index, limit } = span;
    let batch = index.findBatch(this.#position - segment.baseOffset);
    while (!isFull(page) && this.#position - segment.baseOffset < limit) {
      await this.#openBatch(span, { first: batch, last: () => index.batchCount - 1 }, page);
      while (!isFull(page) && this.#cursor.next()) {
        if (this.#cursor.offset < this.#position) continue;
        this.#take(page);
      }
      batch += 1;
    }
  }

  async #readFound(span: Span<Segment>, found: WantedOrdinals, page: Page): Promise<void> {
    const { segment, index, limit } = span;
    const { ordinals } = found;
    let i = 0;
    while (i < ordinals.length && (ordinals[i] as number) < limit) {
      if (isFull(page)) return;
      const ordinal = ordinals[i] as number;
      const batch = index.findBatch(ordinal);
      this.#position = segment.baseOffset + ordinal;
      const start = i;
      await this.#openBatch(
        span,
        { first: batch, last: () => lastOfRun(index, ordinals, start) },
        page,
      );
      const after = Math.min(limit, index.batchAfter(batch));
      i = this.#takeOrdinals(ordinals, i, { base: segment.baseOffset, after, page });
    }
    if (isFull(page) && i < ordinals.length && (ordinals[i] as number) < limit) return;
    this.#position = segment.baseOffset + Math.min(found.after, limit);
  }

  /** Takes wanted ordinals below `after` from the open batch. @returns the first that is left */
  #takeOrdinals(
    ordinals: Uint32Array,
    from: number,
    where: { readonly base: number; readonly after: number; readonly page: Page },
  ): number {
    const { base, after, page } = where;
    let i = from;
    for (; i < ordinals.length && !isFull(page); i += 1) {
      const ordinal = ordinals[i] as number;
      if (ordinal >= after) break;
      this.#skipTo(base + ordinal);
      // An index of attributes may find others that have the same hash.
      if (this.#selector.kind !== 'attribute' || isWanted(this.#cursor, this.#selector)) {
        this.#take(page);
      }
    }
    return i;
  }

  /** Apart from the loop that calls it: compiled code that is entered within an inner loop is left again at its end. */
  #skipTo(offset: number): void {
    const cursor = this.#cursor;
    while (cursor.offset < offset && cursor.next());
  }

  #take(page: Page): void {
    const cursor = this.#cursor;
    page.records.push(cursor.record());
    page.bytesLeft -= cursor.bodyLength + cursor.topicLength;
    this.#position = cursor.offset + 1;
  }

  async #openBatch(
    span: Span<Segment>,
    range: { readonly first: number; readonly last: () => number },
    page: Page,
  ): Promise<void> {
    const { segment, index } = span;
    const { segments } = this.#shard;
    const position = index.batchPosition(range.first);
    if (!holds(page.chunk, segment, position)) {
      page.chunk =
        segments.batchInMemory(segment, position) ??
        (await segments.loadBatches(segment, index, { first: range.first, last: range.last() }));
    }
    const chunk = page.chunk as CachedChunk;
    segments.openBatch(this.#cursor, chunk, { segment, index, batch: range.first });
  }
}

/** A part of one segment without damage: ordinals below `limit`. */
interface Span<Segment> {
  readonly segment: Segment;
  readonly index: SegmentIndex;
  readonly limit: number;
}

interface Page {
  readonly records: JournalRecord[];
  readonly recordsMax: number;
  bytesLeft: number;
  /** The chunk that the last batch came from. */
  chunk: CachedChunk | null;
}

function isFull(page: Page): boolean {
  return page.records.length > 0 && (page.records.length >= page.recordsMax || page.bytesLeft <= 0);
}

function holds(chunk: CachedChunk | null, segment: ReadableSegment, position: number): boolean {
  if (chunk === null || chunk.segment !== segment || position < chunk.position) return false;
  return position < chunk.position + chunk.bytes.length && chunk.positions.includes(position);
}

/** The first damage that is not wholly before `from`; a sealed segment that ends early counts. */
function damageFrom(
  index: SegmentIndex,
  from: number,
  segment: ReadableSegment,
): DamagedRange | null {
  for (const damage of index.damage) if (damage.after > from) return damage;
  const after = segment.after - segment.baseOffset;
  if (index.recordsAfter >= after) return null;
  return { first: index.recordsAfter, after, position: segment.bytes };
}

/** The last batch worth fetching together with that of `ordinals[i]`. */
function lastOfRun(index: SegmentIndex, ordinals: Uint32Array, i: number): number {
  let last = index.findBatch(ordinals[i] as number);
  for (let next = i + 1; next < ordinals.length; next += 1) {
    const ordinal = ordinals[next] as number;
    if (ordinal < index.batchAfter(last)) continue;
    const batch = index.findBatch(ordinal);
    if (batch - last > GAP_BATCHES_MAX) break;
    last = batch;
    if (last - index.findBatch(ordinals[i] as number) > 256) break;
  }
  return last;
}
