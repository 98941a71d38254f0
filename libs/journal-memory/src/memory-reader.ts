/** Reads the wanted records of a shard in memory, segment by segment. */
import { isWanted, JournalError, RecordBatchReader, WantedTopics } from '@robustmq/journal';
import type { JournalReader, JournalRecord, Offset, RecordSelector } from '@robustmq/journal';
import type { MemorySegment, MemoryShard } from './memory-shard.ts';

export class MemoryReader implements JournalReader {
  readonly #shard: MemoryShard;
  readonly #selector: RecordSelector;
  readonly #cursor = new RecordBatchReader();
  #position: number;
  /** The wanted topics of one segment. */
  #wanted: { readonly segmentFirst: number; readonly topics: WantedTopics } | null = null;

  constructor(shard: MemoryShard, from: Offset, selector: RecordSelector) {
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
    const { oldest } = shard;
    if (this.#position < oldest) {
      const requested = this.#position as Offset;
      throw new JournalError({ code: 'JOURNAL_OFFSET_TRIMMED', requested, oldest });
    }
    const page: Page = { records: [], recordsMax, bytesLeft: bytesMax };
    while (this.#position < shard.committed && !isFull(page)) {
      const segment = shard.segmentOf(this.#position);
      if (this.#selector.kind === 'topics') this.#readTopics(segment, this.#selector, page);
      else this.#readBatch(segment, page);
    }
    return page.records;
  }

  #readBatch(segment: MemorySegment, page: Page): void {
    const batch = segment.index.findBatch(this.#position - segment.first);
    const cursor = this.#cursor;
    cursor.open(segment.batches[batch] as Uint8Array, 0);
    while (!isFull(page) && cursor.next()) {
      if (cursor.offset < this.#position) continue;
      if (isWanted(cursor, this.#selector)) take(cursor, page);
      this.#position = cursor.offset + 1;
    }
  }

  #readTopics(
    segment: MemorySegment,
    selector: RecordSelector & { readonly kind: 'topics' },
    page: Page,
  ): void {
    if (this.#wanted?.segmentFirst !== segment.first) {
      this.#wanted = { segmentFirst: segment.first, topics: new WantedTopics(selector) };
    }
    const { topics } = this.#wanted;
    topics.refresh(segment.index);
    const found = segment.index.collect(topics.ids, this.#position - segment.first);
    for (const ordinal of found.ordinals) {
      if (isFull(page)) return;
      this.#takeOrdinal(segment, ordinal, page);
    }
    this.#position = segment.first + found.after;
  }

  #takeOrdinal(segment: MemorySegment, ordinal: number, page: Page): void {
    const cursor = this.#cursor;
    const offset = segment.first + ordinal;
    const bytes = segment.batches[segment.index.findBatch(ordinal)] as Uint8Array;
    if (cursor.bytes !== bytes || cursor.offset >= offset) cursor.open(bytes, 0);
    while (cursor.offset < offset && cursor.next());
    take(cursor, page);
    this.#position = offset + 1;
  }
}

interface Page {
  readonly records: JournalRecord[];
  readonly recordsMax: number;
  bytesLeft: number;
}

function isFull(page: Page): boolean {
  return page.records.length > 0 && (page.records.length >= page.recordsMax || page.bytesLeft <= 0);
}

function take(cursor: RecordBatchReader, page: Page): void {
  page.records.push(cursor.record());
  page.bytesLeft -= cursor.bodyLength + cursor.topicLength;
}
