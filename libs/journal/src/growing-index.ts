/**
 * The index of the segment that still grows.
 *
 * Each record holds its topic and the previous record of the same topic, so adding one is two
 * array writes and a look-up in the topic dictionary; no list per topic grows. Memory: 8 bytes per
 * record, 16 per batch, and the dictionary.
 */
import { GrowingAttributes } from './attribute-index.ts';
import type { IndexedAttribute } from './record-attributes.ts';
import { RecordBatchReader } from './record-batch-reader.ts';
import { batchBaseOffsetAt, batchLengthAt, batchRecordCountAt } from './record-batch.ts';
import { WANTED_MAX, lastAtMost } from './segment-index.ts';
import type { DamagedRange, SegmentIndex, WantedOrdinals } from './segment-index.ts';
import { grownUint32 } from './grown-array.ts';
import { TopicDictionary, findTopicIn } from './topic-dictionary.ts';

/** Stands for "no topic" and for "no previous record". */
const NONE = 0xffffffff;
/** With at most this many records left, looking at each is cheaper than following lists. */
const SCAN_RECORDS_MAX = 8192;

export class GrowingIndex implements SegmentIndex {
  recordsAfter = 0;
  batchCount = 0;
  readonly damage: DamagedRange[] = [];
  readonly topics: TopicDictionary = new TopicDictionary();
  /** How many records each topic has. */
  postingCounts: Uint32Array = new Uint32Array(32);
  topicOfRecord: Uint32Array = new Uint32Array(256);
  batchFirsts: Uint32Array = new Uint32Array(32);
  batchRecordCounts: Uint32Array = new Uint32Array(32);
  batchPositions: Uint32Array = new Uint32Array(32);
  batchLengths: Uint32Array = new Uint32Array(32);
  readonly attributes: GrowingAttributes = new GrowingAttributes();
  #previous: Uint32Array = new Uint32Array(256);
  #lastOfTopic: Uint32Array = new Uint32Array(32);
  readonly #baseOffset: number;
  readonly #reader = new RecordBatchReader();
  /** `#marks[id] === #generation` marks a wanted topic while `collect` scans. */
  #marks: Uint32Array = new Uint32Array(32);
  #generation = 0;

  constructor(baseOffset: number) {
    this.#baseOffset = baseOffset;
  }

  get topicCount(): number {
    return this.topics.count;
  }

  get byteLength(): number {
    return (
      this.topics.byteLength +
      this.topicOfRecord.byteLength * 2 +
      this.#lastOfTopic.byteLength * 3 +
      this.batchFirsts.byteLength * 4 +
      this.attributes.byteLength
    );
  }

  /**
   * Adds the valid batch at `start` of `bytes`, which stands at `position` of the segment file.
   *
   * @param baseOffset  of its first record; what its header says when absent
   */
  addBatch(
    bytes: Uint8Array,
    start: number,
    position: number,
    baseOffset: number = batchBaseOffsetAt(bytes, start),
  ): void {
    const first = baseOffset - this.#baseOffset;
    const recordCount = batchRecordCountAt(bytes, start);
    this.#addBatchPlace(first, recordCount, position, batchLengthAt(bytes, start));
    this.#skipTo(first);
    this.topicOfRecord = grownUint32(this.topicOfRecord, first + recordCount);
    this.#previous = grownUint32(this.#previous, first + recordCount);
    const reader = this.#reader;
    reader.open(bytes, start);
    let ordinal = first;
    while (reader.next()) {
      this.#addRecord(ordinal, bytes, reader.topicStart, reader.topicLength);
      if (reader.flags !== 0) this.attributes.add(ordinal, reader);
      ordinal += 1;
    }
    this.#skipTo(first + recordCount);
  }

  /** Notes that the ordinals up to `after` are lost to damage at `position`. */
  addDamage(after: number, position: number): void {
    this.damage.push({ first: this.recordsAfter, after, position });
    this.#skipTo(after);
  }

  topicText(id: number): string {
    return this.topics.text(id);
  }

  findTopic(topic: Uint8Array): number {
    return findTopicIn(this.topics, topic);
  }

  collect(topicIds: Uint32Array, from: number): WantedOrdinals {
    const after = this.recordsAfter;
    if (from >= after || topicIds.length === 0) return { ordinals: new Uint32Array(0), after };
    let total = 0;
    for (const id of topicIds) total += this.postingCounts[id] as number;
    if (after - from <= SCAN_RECORDS_MAX || total > WANTED_MAX) return this.#scan(topicIds, from);
    return this.#follow(topicIds, from, total);
  }

  collectAttribute(attribute: IndexedAttribute, hash: number, from: number): WantedOrdinals {
    return this.attributes.collect(attribute, hash, { from, after: this.recordsAfter });
  }

  findBatch(ordinal: number): number {
    return lastAtMost(this.batchFirsts, this.batchCount, ordinal);
  }

  batchFirst(batch: number): number {
    return this.batchFirsts[batch] as number;
  }

  batchAfter(batch: number): number {
    return (this.batchFirsts[batch] as number) + (this.batchRecordCounts[batch] as number);
  }

  batchPosition(batch: number): number {
    return this.batchPositions[batch] as number;
  }

  batchLength(batch: number): number {
    return this.batchLengths[batch] as number;
  }

  #addBatchPlace(first: number, recordCount: number, position: number, length: number): void {
    const batch = this.batchCount;
    this.batchFirsts = grownUint32(this.batchFirsts, batch + 1);
    this.batchRecordCounts = grownUint32(this.batchRecordCounts, batch + 1);
    this.batchPositions = grownUint32(this.batchPositions, batch + 1);
    this.batchLengths = grownUint32(this.batchLengths, batch + 1);
    this.batchFirsts[batch] = first;
    this.batchRecordCounts[batch] = recordCount;
    this.batchPositions[batch] = position;
    this.batchLengths[batch] = length;
    this.batchCount = batch + 1;
  }

  #addRecord(ordinal: number, bytes: Uint8Array, topicStart: number, topicLength: number): void {
    this.recordsAfter = ordinal + 1;
    if (topicLength === 0) {
      this.topicOfRecord[ordinal] = NONE;
      return;
    }
    const known = this.topics.count;
    const id = this.topics.idOf(bytes, topicStart, topicLength);
    if (id === known) this.#addTopic(id);
    this.topicOfRecord[ordinal] = id;
    this.#previous[ordinal] = this.#lastOfTopic[id] as number;
    this.#lastOfTopic[id] = ordinal;
    this.postingCounts[id] = (this.postingCounts[id] as number) + 1;
  }

  #addTopic(id: number): void {
    this.#lastOfTopic = grownUint32(this.#lastOfTopic, id + 1);
    this.postingCounts = grownUint32(this.postingCounts, id + 1);
    this.#lastOfTopic[id] = NONE;
  }

  /** Leaves the ordinals up to `after` without a topic. */
  #skipTo(after: number): void {
    if (after <= this.recordsAfter) return;
    this.topicOfRecord = grownUint32(this.topicOfRecord, after);
    this.#previous = grownUint32(this.#previous, after);
    this.topicOfRecord.fill(NONE, this.recordsAfter, after);
    this.recordsAfter = after;
  }

  #scan(topicIds: Uint32Array, from: number): WantedOrdinals {
    this.#marks = grownUint32(this.#marks, this.topics.count);
    this.#generation += 1;
    for (const id of topicIds) this.#marks[id] = this.#generation;
    const found = new Uint32Array(Math.min(WANTED_MAX, this.recordsAfter - from));
    let count = 0;
    let ordinal = from;
    for (; ordinal < this.recordsAfter && count < found.length; ordinal += 1) {
      const id = this.topicOfRecord[ordinal] as number;
      if (id !== NONE && this.#marks[id] === this.#generation) {
        found[count] = ordinal;
        count += 1;
      }
    }
    return { ordinals: found.slice(0, count), after: ordinal };
  }

  #follow(topicIds: Uint32Array, from: number, total: number): WantedOrdinals {
    const found = new Uint32Array(total);
    let count = 0;
    for (const id of topicIds) {
      let ordinal = this.#lastOfTopic[id] as number;
      while (ordinal !== NONE && ordinal >= from) {
        found[count] = ordinal;
        count += 1;
        ordinal = this.#previous[ordinal] as number;
      }
    }
    const ordinals = found.slice(0, count);
    // Each list is followed from its end: one alone is in order, backwards.
    return {
      ordinals: topicIds.length === 1 ? ordinals.reverse() : ordinals.sort(),
      after: this.recordsAfter,
    };
  }
}
