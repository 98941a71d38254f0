/** Walks through the records of one batch without copying or allocating per record. */
import type { JournalRecord, Offset } from './journal.ts';
import {
  ATTRIBUTE_FLAG,
  attributesAt,
  type IndexedAttribute,
  MESSAGE_ID_BYTES,
  newAttributePlaces,
  placeAttributes,
} from './record-attributes.ts';
import {
  BATCH_HEADER_BYTES,
  RECORD_HEADER_BYTES,
  batchAppendedAtMsAt,
  batchBaseOffsetAt,
  batchLengthAt,
  batchRecordCountAt,
  readUint32,
} from './record-batch.ts';
import { TopicTexts } from './topic-texts.ts';

const EMPTY = new Uint8Array(0);

/**
 * A cursor over a batch that `inspectBatch` found valid. Reusable: `open` starts over.
 *
 * After `next()` returned true the fields describe one record by ranges in `bytes`.
 */
export class RecordBatchReader {
  bytes: Uint8Array = EMPTY;
  baseOffset = 0;
  recordCount = 0;
  appendedAtMs = 0;
  offset = -1;
  kind = 0;
  topicStart = 0;
  topicLength = 0;
  /** Which attributes the record has; most have none. */
  flags = 0;
  bodyStart = 0;
  bodyLength = 0;
  #after = 0;
  #position = 0;
  readonly #topics = new TopicTexts();
  readonly #attributes = newAttributePlaces();

  open(bytes: Uint8Array, start: number): void {
    this.bytes = bytes;
    this.baseOffset = batchBaseOffsetAt(bytes, start);
    this.recordCount = batchRecordCountAt(bytes, start);
    this.appendedAtMs = batchAppendedAtMsAt(bytes, start);
    this.offset = this.baseOffset - 1;
    this.#after = start + batchLengthAt(bytes, start);
    this.#position = start + BATCH_HEADER_BYTES;
  }

  /** Where the medium, not the batch's header, says which records these are: after `open`. */
  placeAt(baseOffset: number, appendedAtMs: number): void {
    this.baseOffset = baseOffset;
    this.appendedAtMs = appendedAtMs;
    this.offset = baseOffset - 1;
  }

  /** Steps to the next record; false at the end, and at a record whose lengths contradict the batch. */
  next(): boolean {
    const start = this.#position;
    if (start + RECORD_HEADER_BYTES > this.#after) return false;
    const bytes = this.bytes;
    const length = readUint32(bytes, start);
    const topicLength = (bytes[start + 4] as number) | ((bytes[start + 5] as number) << 8);
    const topicStart = start + RECORD_HEADER_BYTES;
    let bodyStart = topicStart + topicLength;
    const after = start + length;
    if (after > this.#after || bodyStart > after) return false;
    const flags = bytes[start + 7] as number;
    if (flags !== 0) {
      const range = { flags, start: bodyStart, after };
      bodyStart = placeAttributes(this.#attributes, bytes, range);
      if (bodyStart < 0) return false;
    }
    this.flags = flags;
    this.offset += 1;
    this.kind = bytes[start + 6] as number;
    this.topicStart = topicStart;
    this.topicLength = topicLength;
    this.bodyStart = bodyStart;
    this.bodyLength = after - bodyStart;
    this.#position = after;
    return true;
  }

  /** Whether nothing follows the current record. */
  get isAtEnd(): boolean {
    return this.#position === this.#after;
  }

  /** Where the value of an attribute starts in `bytes`; -1 when the record has none. */
  attributeStart(attribute: IndexedAttribute): number {
    if ((this.flags & ATTRIBUTE_FLAG[attribute]) === 0) return -1;
    switch (attribute) {
      case 'key':
        return this.#attributes.keyStart;
      case 'sender':
        return this.#attributes.senderStart;
      case 'messageId':
        return this.#attributes.messageIdStart;
    }
  }

  /** Of an attribute that the record has. */
  attributeLength(attribute: IndexedAttribute): number {
    switch (attribute) {
      case 'key':
        return this.#attributes.keyLength;
      case 'sender':
        return this.#attributes.senderLength;
      case 'messageId':
        return MESSAGE_ID_BYTES;
    }
  }

  /** The current record as an object. Its arrays are views of `bytes`. */
  record(): JournalRecord {
    const record = {
      offset: this.offset as Offset,
      appendedAtMs: this.appendedAtMs,
      kind: this.kind,
      topic: this.topic(),
      body: this.bytes.subarray(this.bodyStart, this.bodyStart + this.bodyLength),
    };
    if (this.flags === 0) return record;
    return { ...record, attributes: attributesAt(this.bytes, this.#attributes) };
  }

  topic(): string {
    return this.#topics.textOf(this.bytes, this.topicStart, this.topicLength);
  }
}

/** Whether a valid batch holds as many whole records as its header says, and nothing else. */
export function isWellFormed(bytes: Uint8Array, start: number): boolean {
  const reader = new RecordBatchReader();
  reader.open(bytes, start);
  let count = 0;
  while (reader.next()) count += 1;
  return count === reader.recordCount && reader.isAtEnd;
}

/** Every record of a valid batch. The bodies are views of `bytes`. */
export function recordsOf(bytes: Uint8Array): JournalRecord[] {
  const reader = new RecordBatchReader();
  const records: JournalRecord[] = [];
  reader.open(bytes, 0);
  while (reader.next()) records.push(reader.record());
  return records;
}
