import { hasWildcard } from '@robustmq/topic';
import { BytePages, getUint32, putUint32 } from './byte-pages.ts';
import { copyRange, type Message } from './message.ts';
import { RetainedChanges } from './retained-changes.ts';
import { RetainedCursor } from './retained-cursor.ts';
import { RetainedNames } from './retained-names.ts';
import { SlotsByName } from './slots-by-name.ts';

/** What a message costs beyond its block: its places in the arrays. */
const FIXED_BYTES = 100;
/** u8 QoS | f64 expires at | u32 length of the headers | u32 length of the payload */
const RECORD_FIXED_BYTES = 17;
const TOPIC_LENGTH_BYTES = 2;
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * The last retained message of each topic (MQTT-5.0 [MQTT-3.3.1-5]). Bounded by count and bytes: a new
 * topic beyond either is refused, and a replacement of the same topic when it is too large.
 *
 * A message is a slot: a number by which {@link BytePages} knows its bytes. It is no object, since a
 * million objects that stay would be copied and marked by the garbage collector again and again. Its
 * block is
 *
 *     u16 length of the topic | topic | u8 QoS | f64 expires at, milliseconds since 1970, 0: never
 *     | u32 length | headers | u32 length | payload           all big endian
 *
 * of which everything behind the topic is its *record*, the form in which it is saved elsewhere.
 *
 * Cost: to store one is two hashes of the topic, two look-ups and a copy; nothing is allocated.
 *
 * LIMIT: retainedMessagesMax, retainedBytesMax
 */
export class RetainedStore {
  readonly #blocks = new BytePages();
  readonly #slots: SlotsByName;
  readonly #names = new RetainedNames();
  readonly #changes = new RetainedChanges();
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  /** By slot. */
  readonly #publisherIds: string[] = [];
  readonly #freeSlots: number[] = [];
  #bytes = 0;

  /** @param limits  `seed`: of the hash of the names, any number that strangers don't know */
  constructor(limits: {
    readonly messagesMax: number;
    readonly bytesMax: number;
    readonly seed: number;
  }) {
    this.#messagesMax = limits.messagesMax;
    this.#bytesMax = limits.bytesMax;
    this.#slots = new SlotsByName(this.#blocks, TOPIC_LENGTH_BYTES, limits.seed);
  }

  get count(): number {
    return this.#slots.count;
  }

  get bytes(): number {
    return this.#bytes + this.#names.homeBytes;
  }

  /** What the pages of the messages take, gaps included. */
  get bytesHeld(): number {
    return this.#blocks.bytesHeld;
  }

  /** Whether there is anything for `takeChanges`. */
  get hasChanges(): boolean {
    return !this.#changes.isEmpty;
  }

  /** Whether `set` would take it; a home that it needs may come on top. */
  hasRoomFor(message: Message): boolean {
    const topic = message.topic.bytes;
    const cost = FIXED_BYTES + TOPIC_LENGTH_BYTES + topic.length + recordLengthOf(message);
    if (this.bytes + cost <= this.#bytesMax && this.count < this.#messagesMax) return true;
    const known = this.slotOf(topic);
    return known >= 0 && this.bytes - this.#costOf(known) + cost <= this.#bytesMax;
  }

  /**
   * Stores a copy of a message, as a change unless the topic is the broker's own.
   *
   * @param publisherId  client identifier of who published it; empty: not known
   */
  set(message: Message, publisherId: string): void {
    const { topic } = message;
    const slot = this.#slotFor(topic.bytes, recordLengthOf(message));
    this.#publisherIds[slot] = publisherId;
    const page = this.#blocks.pageOf(slot);
    putRecord(page, this.#blocks.startOf(slot) + TOPIC_LENGTH_BYTES + topic.bytes.length, message);
    if (!topic.reserved) this.#changes.add(slot);
  }

  /**
   * Stores what `takeChanges` or {@link retainedRecordOf} has given, as no change. `topic` is the name in
   * UTF-8.
   */
  restore(topic: Uint8Array, record: Uint8Array, publisherId = ''): void {
    const slot = this.#slotFor(topic, record.length);
    this.#publisherIds[slot] = publisherId;
    const at = this.#blocks.startOf(slot) + TOPIC_LENGTH_BYTES + topic.length;
    this.#blocks.pageOf(slot).set(record, at);
  }

  /** @returns whether there was one on this topic, the name in UTF-8 */
  delete(topic: Uint8Array): boolean {
    const slot = this.slotOf(topic);
    if (slot < 0) return false;
    const name = this.#nameOf(slot);
    this.#bytes -= this.#costOf(slot);
    this.#slots.remove(slot);
    this.#names.remove(slot);
    this.#blocks.free(slot);
    this.#publisherIds[slot] = '';
    this.#freeSlots.push(slot);
    if (!isOwn(name)) this.#changes.addRemoved(name, topic.slice());
    return true;
  }

  /** The slot of the message on this topic, -1: there is none. Valid until something is deleted. */
  slotOf(topic: Uint8Array): number {
    return this.#slots.find(this.#slots.hashOf(topic), topic);
  }

  /**
   * Points `message` at the message in `slot`: everything but its topic, whose bytes are returned as a
   * copy. The ranges are valid until the next change of the store.
   */
  read(slot: number, message: Message): Uint8Array {
    const page = this.#blocks.pageOf(slot);
    const start = this.#blocks.startOf(slot);
    const topicLength = topicLengthAt(page, start);
    const topic = new Uint8Array(topicLength);
    copyRange(topic, 0, page, start + TOPIC_LENGTH_BYTES, topicLength);
    let at = start + TOPIC_LENGTH_BYTES + topicLength;
    message.qos = page[at] as number;
    message.retain = true;
    message.expiresAtMs = float64At(page, at + 1);
    message.headerBytes = page;
    message.headersStart = at + 13;
    at = message.headersStart + getUint32(page, at + 9);
    message.headersEnd = at;
    message.payloadBytes = page;
    message.payloadStart = at + 4;
    message.payloadEnd = message.payloadStart + getUint32(page, at);
    message.publisher = null;
    message.publisherId = this.#publisherIds[slot] as string;
    message.wireStart = -1;
    return topic;
  }

  /** Walks through the retained messages that match; tolerant of changes meanwhile. `bytes`: the filter in UTF-8. */
  cursor(filter: string, bytes: Uint8Array): RetainedCursor {
    if (!hasWildcard(filter)) return new RetainedCursor(this, bytes, []);
    return new RetainedCursor(this, null, this.#names.stagesOf(filter, bytes));
  }

  /** Of its topic. */
  firstByteOf(slot: number): number {
    return this.#blocks.pageOf(slot)[this.#blocks.startOf(slot) + TOPIC_LENGTH_BYTES] as number;
  }

  /** Hands over what changed since the last time: a copy of the record, or null: it was removed. */
  takeChanges(visit: (name: string, record: Uint8Array | null) => void): void {
    const { slots, removed } = this.#changes.take();
    for (const [name, topic] of removed) if (this.slotOf(topic) < 0) visit(name, null);
    for (const slot of slots) {
      if (!this.#blocks.has(slot)) continue;
      const name = this.#nameOf(slot);
      if (!isOwn(name)) visit(name, this.#recordOf(slot));
    }
  }

  /** The message on this topic, or that there is none, is a change (again). */
  markChanged(topic: Uint8Array): void {
    const slot = this.slotOf(topic);
    if (slot >= 0) this.#changes.add(slot);
    else this.#changes.addRemoved(UTF8.decode(topic), topic);
  }

  #recordOf(slot: number): Uint8Array {
    const page = this.#blocks.pageOf(slot);
    const start = this.#blocks.startOf(slot);
    const record = start + TOPIC_LENGTH_BYTES + topicLengthAt(page, start);
    return page.slice(record, this.#blocks.endOf(slot));
  }

  #nameOf(slot: number): string {
    const page = this.#blocks.pageOf(slot);
    const start = this.#blocks.startOf(slot);
    const name = start + TOPIC_LENGTH_BYTES;
    return UTF8.decode(page.subarray(name, name + topicLengthAt(page, start)));
  }

  /** The topic's slot, with its topic and room for the record. */
  #slotFor(topic: Uint8Array, recordLength: number): number {
    const hash = this.#slots.hashOf(topic);
    const known = this.#slots.find(hash, topic);
    if (known >= 0) this.#bytes -= this.#costOf(known);
    const slot = known >= 0 ? known : (this.#freeSlots.pop() ?? this.#publisherIds.length);
    const blockLength = TOPIC_LENGTH_BYTES + topic.length + recordLength;
    this.#blocks.reserve(slot, blockLength);
    this.#bytes += FIXED_BYTES + blockLength;
    const page = this.#blocks.pageOf(slot);
    const start = this.#blocks.startOf(slot);
    page[start] = topic.length >>> 8;
    page[start + 1] = topic.length;
    copyRange(page, start + TOPIC_LENGTH_BYTES, topic, 0, topic.length);
    if (known < 0) {
      this.#publisherIds[slot] = '';
      this.#slots.add(hash, slot);
      this.#names.add(slot, topic, this.#slots.prefixHash, this.#slots.prefixLength);
    }
    return slot;
  }

  #costOf(slot: number): number {
    return FIXED_BYTES + this.#blocks.endOf(slot) - this.#blocks.startOf(slot);
  }
}

/** Topics of the broker itself are made anew at each start (see `Topic.reserved`). */
function isOwn(name: string): boolean {
  return name.startsWith('$SYS/');
}

/** The record of a retained message, as `RetainedStore.restore` takes it. */
export function retainedRecordOf(message: Message): Uint8Array {
  const record = new Uint8Array(recordLengthOf(message));
  putRecord(record, 0, message);
  return record;
}

function putRecord(page: Uint8Array, start: number, message: Message): void {
  page[start] = message.qos;
  putFloat64(page, start + 1, message.expiresAtMs);
  const { headerBytes, headersStart, headersLength } = message;
  const at = putBlob(page, start + 9, headerBytes, headersStart, headersLength);
  putBlob(page, at, message.payloadBytes, message.payloadStart, message.payloadLength);
}

function recordLengthOf(message: Message): number {
  return RECORD_FIXED_BYTES + message.headersLength + message.payloadLength;
}

function topicLengthAt(page: Uint8Array, at: number): number {
  return ((page[at] as number) << 8) | (page[at + 1] as number);
}

function putBlob(
  page: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  length: number,
): number {
  putUint32(page, at, length);
  copyRange(page, at + 4, source, start, length);
  return at + 4 + length;
}

/** Most messages never expire: eight zero bytes. */
function putFloat64(page: Uint8Array, at: number, value: number): void {
  if (value === 0) {
    putUint32(page, at, 0);
    putUint32(page, at + 4, 0);
  } else new DataView(page.buffer, page.byteOffset).setFloat64(at, value);
}

function float64At(page: Uint8Array, at: number): number {
  if (getUint32(page, at) === 0) return 0;
  return new DataView(page.buffer, page.byteOffset).getFloat64(at);
}
