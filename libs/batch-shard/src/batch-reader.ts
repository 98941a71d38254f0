/**
 * Reads the wanted records of a shard in order.
 *
 * Per segment the index says which records are wanted; only their batches are fetched, several at once.
 * A reader holds no batch between calls.
 */
import { isWanted, RecordBatchReader, WantedTopics } from '@robustmq/journal';
import type {
  DamagedRange,
  JournalReader,
  JournalRecord,
  Offset,
  RecordSelector,
  SegmentIndex,
} from '@robustmq/journal';
import type { ShardSegment } from './shard-segment.ts';
import type { ShardStore } from './shard-store.ts';

/** One fetch brings wanted batches up to about this many bytes, and this many of them. */
const FETCH_BYTES = 256 * 1024;
const FETCH_BATCHES = 256;

/** What a reader asks of its shard. */
export interface ReadableShard {
  readonly store: ShardStore;
  readonly committed: Offset;
  assertOpen(): void;
}

export class BatchReader implements JournalReader {
  readonly #shard: ReadableShard;
  readonly #selector: RecordSelector;
  readonly #cursor = new RecordBatchReader();
  #position: number;
  #wanted: { readonly segment: ShardSegment; readonly topics: WantedTopics } | null = null;

  constructor(shard: ReadableShard, from: Offset, selector: RecordSelector) {
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
    const page: Page = { records: [], recordsMax, bytesLeft: bytesMax };
    try {
      // A position past what is committed has nothing to read, even if it is trimmed by then.
      shard.store.at(this.#position);
      while (this.#position < committed && !isFull(page)) await this.#readSegment(page);
    } catch (error) {
      // What was found before the failure is returned first; the next call meets it again.
      if (page.records.length === 0) throw error;
    }
    return page.records;
  }

  async #readSegment(page: Page): Promise<void> {
    const { store } = this.#shard;
    const segment = store.at(this.#position);
    const index = await store.indexOf(segment);
    const from = this.#position - segment.first;
    const damage = damageFrom(index, from, segment);
    if (damage !== null && damage.first <= from) throw store.corruptRange(segment, damage);
    const span = { segment, index, limit: damage?.first ?? index.recordsAfter };
    if (this.#selector.kind === 'topics') await this.#readTopics(span, this.#selector, page);
    else await this.#readAll(span, page);
  }

  async #readAll(span: Span, page: Page): Promise<void> {
    const { segment, index, limit } = span;
    let batch = index.findBatch(this.#position - segment.first);
    while (!isFull(page) && this.#position - segment.first < limit) {
      const run = new BatchRun(index, page.bytesLeft);
      for (let next = batch; next < index.batchCount; next += 1) {
        if (index.batchFirst(next) >= limit || !run.takes(next)) break;
      }
      for (const bytes of await this.#shard.store.batches(segment, index, run.numbers)) {
        this.#cursor.open(bytes, 0);
        while (!isFull(page) && this.#cursor.next()) {
          if (this.#cursor.offset < this.#position) continue;
          if (isWanted(this.#cursor, this.#selector)) this.#take(page);
          else this.#position = this.#cursor.offset + 1;
        }
        batch += 1;
      }
    }
  }

  async #readTopics(
    span: Span,
    selector: RecordSelector & { readonly kind: 'topics' },
    page: Page,
  ): Promise<void> {
    const { segment, index, limit } = span;
    if (this.#wanted?.segment !== segment) {
      this.#wanted = { segment, topics: new WantedTopics(selector) };
    }
    const { topics } = this.#wanted;
    topics.refresh(index);
    const found = index.collect(topics.ids, this.#position - segment.first);
    const after = Math.min(found.after, limit);
    let i = 0;
    while (i < found.ordinals.length && (found.ordinals[i] as number) < after) {
      if (isFull(page)) return;
      i = await this.#readRun({ ...span, limit: after }, { ordinals: found.ordinals, i }, page);
    }
    if (isFull(page) && i < found.ordinals.length && (found.ordinals[i] as number) < after) return;
    this.#position = segment.first + after;
  }

  /** Takes wanted records from one fetch. @returns the first ordinal that is left */
  async #readRun(
    span: Span,
    wanted: { readonly ordinals: Uint32Array; readonly i: number },
    page: Page,
  ): Promise<number> {
    const { segment, index, limit } = span;
    const { ordinals } = wanted;
    let { i } = wanted;
    this.#position = segment.first + (ordinals[i] as number);
    const run = new BatchRun(index, page.bytesLeft);
    for (let next = i; next < ordinals.length; next += 1) {
      const ordinal = ordinals[next] as number;
      if (ordinal >= limit || !run.takes(index.findBatch(ordinal))) break;
    }
    const batches = await this.#shard.store.batches(segment, index, run.numbers);
    for (const [n, bytes] of batches.entries()) {
      const after = Math.min(limit, index.batchAfter(run.numbers[n] as number));
      this.#cursor.open(bytes, 0);
      for (; i < ordinals.length && !isFull(page); i += 1) {
        const ordinal = ordinals[i] as number;
        if (ordinal >= after) break;
        this.#skipTo(segment.first + ordinal);
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
}

/** The distinct batches of one fetch, in order. */
class BatchRun {
  readonly numbers: number[] = [];
  readonly #index: SegmentIndex;
  #bytesLeft: number;

  constructor(index: SegmentIndex, bytesMax: number) {
    this.#index = index;
    this.#bytesLeft = Math.min(FETCH_BYTES, bytesMax);
  }

  /** Adds a batch, or says that the fetch is full. */
  takes(number: number): boolean {
    if (this.numbers.at(-1) === number) return true;
    const isFirst = this.numbers.length === 0;
    if (!isFirst && (this.#bytesLeft <= 0 || this.numbers.length >= FETCH_BATCHES)) return false;
    this.numbers.push(number);
    this.#bytesLeft -= this.#index.batchLength(number);
    return true;
  }
}

/** A part of one segment without damage: ordinals below `limit`. */
interface Span {
  readonly segment: ShardSegment;
  readonly index: SegmentIndex;
  readonly limit: number;
}

interface Page {
  readonly records: JournalRecord[];
  readonly recordsMax: number;
  bytesLeft: number;
}

function isFull(page: Page): boolean {
  return page.records.length > 0 && (page.records.length >= page.recordsMax || page.bytesLeft <= 0);
}

/** The first damage that is not wholly before `from`. */
function damageFrom(index: SegmentIndex, from: number, segment: ShardSegment): DamagedRange | null {
  for (const damage of index.damage) if (damage.after > from) return damage;
  const after = segment.after - segment.first;
  if (index.recordsAfter >= after) return null;
  return { first: index.recordsAfter, after, position: segment.span };
}
