/**
 * The index of a sealed segment: one block of bytes, kept in an index file and used as it is.
 *
 * ```text
 * words  0  magic "RMJI"      1  version            2  CRC-32C of the bytes from 12
 *        3  length in bytes   4  base offset, low   5  base offset, high
 *        6  bytes of the segment that it describes  7  records (ordinals below it)
 *        8  topics            9  topic bytes       10  postings
 *       11  batches          12  slots             13  damaged ranges
 *       14  records with a key   15  with a sender   16  with a message id
 *       17  topic starts [topics + 1]     posting starts [topics + 1]    postings (ascending per topic)
 *           slots   batch firsts, record counts, positions, lengths   damage (first, after, position)
 *           of each attribute: hashes (ascending), ordinals
 *           topic bytes
 * ```
 *
 * Words are in the machine's byte order: on another machine the magic differs and the index is
 * rebuilt from the segment. Memory: 4 bytes per record, 16 per batch, 16 and its bytes per topic.
 */
import { crc32c } from '@robustmq/bytes';
import { collectSorted } from './attribute-index.ts';
import type { GrowingIndex } from './growing-index.ts';
import { INDEXED_ATTRIBUTES, type IndexedAttribute } from './record-attributes.ts';
import { WANTED_MAX, lastAtMost } from './segment-index.ts';
import type { DamagedRange, SegmentIndex, WantedOrdinals } from './segment-index.ts';
import { findTopicIn, topicTextIn } from './topic-dictionary.ts';

const MAGIC = 0x494a4d52;
const VERSION = 2;
const ATTRIBUTES_AT = 14;
const HEADER_WORDS: number = ATTRIBUTES_AT + INDEXED_ATTRIBUTES.length;
const CHECKSUM_START = 12;

export class PackedIndex implements SegmentIndex {
  readonly bytes: Uint8Array;
  readonly recordsAfter: number;
  readonly topicCount: number;
  readonly batchCount: number;
  readonly damage: readonly DamagedRange[];
  /** How many bytes of the segment the index describes. */
  readonly segmentBytes: number;
  readonly #arena: Uint8Array;
  readonly #starts: Uint32Array;
  readonly #slots: Uint32Array;
  readonly #postingStarts: Uint32Array;
  readonly #postings: Uint32Array;
  readonly #batchFirsts: Uint32Array;
  readonly #batchRecordCounts: Uint32Array;
  readonly #batchPositions: Uint32Array;
  readonly #batchLengths: Uint32Array;
  /** Hashes and ordinals. */
  readonly #attributes: ReadonlyMap<IndexedAttribute, readonly [Uint32Array, Uint32Array]>;

  /** `bytes` must be whole, checked and start at a multiple of four of their buffer. */
  private constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
    const header = (word: number): number => words[word] as number;
    this.segmentBytes = header(6);
    this.recordsAfter = header(7);
    this.topicCount = header(8);
    this.batchCount = header(11);
    let at = HEADER_WORDS;
    const take = (count: number): Uint32Array => {
      at += count;
      return words.subarray(at - count, at);
    };
    this.#starts = take(this.topicCount + 1);
    this.#postingStarts = take(this.topicCount + 1);
    this.#postings = take(header(10));
    this.#slots = take(header(12));
    this.#batchFirsts = take(this.batchCount);
    this.#batchRecordCounts = take(this.batchCount);
    this.#batchPositions = take(this.batchCount);
    this.#batchLengths = take(this.batchCount);
    this.damage = damageOf(take(header(13) * 3));
    const attributes = INDEXED_ATTRIBUTES.map((attribute, i) => {
      const count = header(ATTRIBUTES_AT + i);
      return [attribute, [take(count), take(count)] as const] as const;
    });
    this.#attributes = new Map(attributes);
    this.#arena = bytes.subarray(at * 4, at * 4 + header(9));
  }

  /** Packs the index of a segment that is complete, `segmentBytes` long. */
  static pack(source: GrowingIndex, baseOffset: number, segmentBytes: number): PackedIndex {
    return new PackedIndex(packedBytes(source, baseOffset, segmentBytes));
  }

  /** Checks and opens the bytes of an index file; null when they are not the index of this segment. */
  static open(bytes: Uint8Array, baseOffset: number, segmentBytes: number): PackedIndex | null {
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
    if (aligned.length < HEADER_WORDS * 4) return null;
    const words = new Uint32Array(aligned.buffer, aligned.byteOffset, HEADER_WORDS);
    if (words[0] !== MAGIC || words[1] !== VERSION || words[3] !== aligned.length) return null;
    if (words[2] !== crc32c(aligned, CHECKSUM_START, aligned.length)) return null;
    const base = (words[5] as number) * 0x1_0000_0000 + (words[4] as number);
    if (base !== baseOffset || words[6] !== segmentBytes) return null;
    return new PackedIndex(aligned);
  }

  get byteLength(): number {
    return this.bytes.length;
  }

  topicText(id: number): string {
    return topicTextIn(this.#arena, this.#starts, id);
  }

  findTopic(topic: Uint8Array): number {
    const table = { arena: this.#arena, starts: this.#starts, slots: this.#slots };
    return findTopicIn(table, topic);
  }

  collect(topicIds: Uint32Array, from: number): WantedOrdinals {
    if (from >= this.recordsAfter) return { ordinals: new Uint32Array(0), after: from };
    let total = 0;
    for (const id of topicIds) total += this.#postingsOf(id, from, this.recordsAfter).length;
    if (total <= WANTED_MAX) {
      return this.#merge(topicIds, from, this.recordsAfter, total);
    }
    let span = Math.ceil(((this.recordsAfter - from) * WANTED_MAX) / total);
    for (;;) {
      const after = Math.min(this.recordsAfter, from + span);
      let count = 0;
      for (const id of topicIds) count += this.#postingsOf(id, from, after).length;
      if (count > 0) return this.#merge(topicIds, from, after, count);
      span *= 2;
    }
  }

  collectAttribute(attribute: IndexedAttribute, hash: number, from: number): WantedOrdinals {
    const sorted = this.#attributes.get(attribute);
    const range = { from, after: this.recordsAfter };
    return sorted === undefined
      ? { ordinals: new Uint32Array(0), after: range.after }
      : collectSorted(sorted, hash, range);
  }

  findBatch(ordinal: number): number {
    return lastAtMost(this.#batchFirsts, this.batchCount, ordinal);
  }

  batchFirst(batch: number): number {
    return this.#batchFirsts[batch] as number;
  }

  batchAfter(batch: number): number {
    return (this.#batchFirsts[batch] as number) + (this.#batchRecordCounts[batch] as number);
  }

  batchPosition(batch: number): number {
    return this.#batchPositions[batch] as number;
  }

  batchLength(batch: number): number {
    return this.#batchLengths[batch] as number;
  }

  /** The ordinals of one topic from `from` to before `after`, a view. */
  #postingsOf(id: number, from: number, after: number): Uint32Array {
    const list = this.#postings.subarray(this.#postingStarts[id], this.#postingStarts[id + 1]);
    const start = from === 0 ? 0 : lastAtMost(list, list.length, from - 1) + 1;
    return list.subarray(start, lastAtMost(list, list.length, after - 1) + 1);
  }

  #merge(topicIds: Uint32Array, from: number, after: number, count: number): WantedOrdinals {
    const ordinals = new Uint32Array(count);
    let filled = 0;
    for (const id of topicIds) {
      const list = this.#postingsOf(id, from, after);
      ordinals.set(list, filled);
      filled += list.length;
    }
    if (topicIds.length > 1) ordinals.sort();
    return { ordinals, after };
  }
}

function damageOf(words: Uint32Array): DamagedRange[] {
  const damage: DamagedRange[] = [];
  for (let i = 0; i + 2 < words.length; i += 3) {
    damage.push({
      first: words[i] as number,
      after: words[i + 1] as number,
      position: words[i + 2] as number,
    });
  }
  return damage;
}

function packedBytes(source: GrowingIndex, baseOffset: number, segmentBytes: number): Uint8Array {
  const topics = source.topics;
  const topicBytes = topics.starts[topics.count] as number;
  const lists = postingLists(source);
  const attributes = INDEXED_ATTRIBUTES.map((each) => source.attributes.sorted(each));
  const sections: Uint32Array[] = [
    topics.starts.subarray(0, topics.count + 1),
    lists.starts,
    lists.postings,
    topics.slots,
    source.batchFirsts.subarray(0, source.batchCount),
    source.batchRecordCounts.subarray(0, source.batchCount),
    source.batchPositions.subarray(0, source.batchCount),
    source.batchLengths.subarray(0, source.batchCount),
    Uint32Array.from(source.damage.flatMap((range) => [range.first, range.after, range.position])),
    ...attributes.flat(),
  ];
  const wordCount = sections.reduce((sum, section) => sum + section.length, HEADER_WORDS);
  const bytes = new Uint8Array(wordCount * 4 + ((topicBytes + 3) & ~3));
  const words = new Uint32Array(bytes.buffer);
  words.set([MAGIC, VERSION, 0, bytes.length]);
  words.set([baseOffset >>> 0, Math.floor(baseOffset / 0x1_0000_0000)], 4);
  words.set([segmentBytes, source.recordsAfter, topics.count, topicBytes], 6);
  words.set([lists.postings.length, source.batchCount, topics.slots.length], 10);
  words[13] = source.damage.length;
  for (const [i, [hashes]] of attributes.entries()) words[ATTRIBUTES_AT + i] = hashes.length;
  let at = HEADER_WORDS;
  for (const section of sections) {
    words.set(section, at);
    at += section.length;
  }
  bytes.set(topics.arena.subarray(0, topicBytes), at * 4);
  words[2] = crc32c(bytes, CHECKSUM_START, bytes.length);
  return bytes;
}

/** Sorts the records by topic, keeping their order: one counting pass, one placing pass. */
function postingLists(source: GrowingIndex): { starts: Uint32Array; postings: Uint32Array } {
  const topicCount = source.topicCount;
  const starts = new Uint32Array(topicCount + 1);
  for (let id = 0; id < topicCount; id += 1) {
    starts[id + 1] = (starts[id] as number) + (source.postingCounts[id] as number);
  }
  const postings = new Uint32Array(starts[topicCount] as number);
  const next = starts.slice();
  for (let ordinal = 0; ordinal < source.recordsAfter; ordinal += 1) {
    const id = source.topicOfRecord[ordinal] as number;
    if (id >= topicCount) continue;
    const at = next[id] as number;
    postings[at] = ordinal;
    next[id] = at + 1;
  }
  return { starts, postings };
}
