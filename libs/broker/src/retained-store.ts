import { NameTree } from '@robustmq/topic';
import { BytePages, getUint32, putUint32 } from './byte-pages.ts';
import { copyRange, type Message } from './message.ts';
import { RetainedChanges } from './retained-changes.ts';
import { RetainedCursor } from './retained-cursor.ts';

/** What a message costs beyond its block and its name as text: its places in the tree and in the arrays. */
const FIXED_BYTES = 240;
/** u8 QoS | f64 expires at | u32 length of the headers | u32 length of the payload */
const RECORD_FIXED_BYTES = 17;
const TOPIC_LENGTH_BYTES = 2;

/**
 * The last retained message of each topic (MQTT-5.0 [MQTT-3.3.1-5]). Bounded by count and bytes: a new
 * topic beyond either is refused, and a replacement of the same topic when it is too large.
 *
 * A message is a slot: a number by which the arrays below and {@link BytePages} know it. It is no
 * object, since a million objects that stay would be copied and marked by the garbage collector again
 * and again. Its block is
 *
 *     u16 length of the topic | topic | u8 QoS | f64 expires at, milliseconds since 1970, 0: never
 *     | u32 length | headers | u32 length | payload           all big endian
 *
 * of which everything behind the topic is its *record*, the form in which it is saved elsewhere.
 *
 * LIMIT: retainedMessagesMax, retainedBytesMax
 */
export class RetainedStore {
  readonly #tree = new NameTree<number>();
  readonly #blocks = new BytePages();
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  /** By slot; empty: the slot is free. */
  readonly #names: string[] = [];
  readonly #publisherIds: string[] = [];
  readonly #freeSlots: number[] = [];
  readonly #changes = new RetainedChanges();
  #bytes = 0;
  #removals = 0;

  constructor(limits: { readonly messagesMax: number; readonly bytesMax: number }) {
    this.#messagesMax = limits.messagesMax;
    this.#bytesMax = limits.bytesMax;
  }

  get count(): number {
    return this.#tree.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What the pages of the messages take, gaps included. */
  get bytesHeld(): number {
    return this.#blocks.bytesHeld;
  }

  /** Whether there is anything for `takeChanges`. */
  get hasChanges(): boolean {
    return !this.#changes.isEmpty;
  }

  /** Whether `set` would take it. */
  hasRoomFor(message: Message): boolean {
    const cost = FIXED_BYTES + message.topic.bytes.length + blockLengthOf(message);
    if (this.#bytes + cost <= this.#bytesMax && this.count < this.#messagesMax) return true;
    const known = this.#tree.get(message.topic.name);
    return known !== undefined && this.#bytes - this.#costOf(known) + cost <= this.#bytesMax;
  }

  /**
   * Stores a copy of a message, as a change unless the topic is the broker's own.
   *
   * @param publisherId  client identifier of who published it; empty: not known
   */
  set(message: Message, publisherId: string): void {
    const { name, bytes } = message.topic;
    const slot = this.#slotFor(name, bytes.length, recordLengthOf(message));
    this.#publisherIds[slot] = publisherId;
    const page = this.#blocks.pageOf(slot);
    let at = putTopic(page, this.#blocks.startOf(slot), bytes);
    page[at] = message.qos;
    putFloat64(page, at + 1, message.expiresAtMs);
    at = putBlob(page, at + 9, message.headerBytes, message.headersStart, message.headersLength);
    putBlob(page, at, message.payloadBytes, message.payloadStart, message.payloadLength);
    if (!message.topic.reserved) this.#changes.add(slot);
  }

  /** Stores what `takeChanges` has given, as no change. `topic` is the name in UTF-8. */
  restore(name: string, topic: Uint8Array, record: Uint8Array): void {
    const slot = this.#slotFor(name, topic.length, record.length);
    this.#publisherIds[slot] = '';
    const page = this.#blocks.pageOf(slot);
    page.set(record, putTopic(page, this.#blocks.startOf(slot), topic));
  }

  /** @returns whether there was one */
  delete(name: string): boolean {
    const slot = this.#tree.delete(name);
    if (slot === undefined) return false;
    this.#bytes -= this.#costOf(slot);
    this.#blocks.free(slot);
    this.#names[slot] = '';
    this.#publisherIds[slot] = '';
    this.#freeSlots.push(slot);
    this.#removals += 1;
    if (!isOwn(name)) this.#changes.addRemoved(name);
    return true;
  }

  /** The slot of the message on this topic, -1: there is none. Valid until something is deleted. */
  slotOf(name: string): number {
    return this.#tree.get(name) ?? -1;
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

  /** Pages through the retained messages that match; tolerant of changes between two pages. */
  cursor(filter: string): RetainedCursor {
    return new RetainedCursor(this, this.#tree.cursor(filter));
  }

  /** How many were deleted so far: while it stands, a name's slot stays. */
  get removals(): number {
    return this.#removals;
  }

  /** Hands over what changed since the last time: a copy of the record, or null: it was removed. */
  takeChanges(visit: (name: string, record: Uint8Array | null) => void): void {
    const { slots, removed } = this.#changes.take();
    for (const name of removed) if (this.slotOf(name) < 0) visit(name, null);
    for (const slot of slots) {
      const name = this.#names[slot] as string;
      if (name !== '' && !isOwn(name)) visit(name, this.#recordOf(slot));
    }
  }

  /** The message on this topic, or that there is none, is a change (again). */
  markChanged(name: string): void {
    const slot = this.slotOf(name);
    if (slot >= 0) this.#changes.add(slot);
    else this.#changes.addRemoved(name);
  }

  #recordOf(slot: number): Uint8Array {
    const page = this.#blocks.pageOf(slot);
    const start = this.#blocks.startOf(slot);
    const record = start + TOPIC_LENGTH_BYTES + topicLengthAt(page, start);
    return page.slice(record, this.#blocks.endOf(slot));
  }

  /** The topic's slot with a block of the right length, whose content is to be written. */
  #slotFor(name: string, topicLength: number, recordLength: number): number {
    const blockLength = TOPIC_LENGTH_BYTES + topicLength + recordLength;
    const free = this.#freeSlots.at(-1) ?? this.#names.length;
    const known = this.#tree.add(name, free);
    const slot = known ?? free;
    if (known === undefined) {
      this.#freeSlots.pop();
      this.#names[slot] = name;
    } else {
      this.#bytes -= this.#costOf(slot);
    }
    this.#blocks.reserve(slot, blockLength);
    this.#bytes += FIXED_BYTES + topicLength + blockLength;
    return slot;
  }

  #costOf(slot: number): number {
    const start = this.#blocks.startOf(slot);
    const topicLength = topicLengthAt(this.#blocks.pageOf(slot), start);
    return FIXED_BYTES + topicLength + this.#blocks.endOf(slot) - start;
  }
}

/** Topics of the broker itself are made anew at each start (see `Topic.reserved`). */
function isOwn(name: string): boolean {
  return name.startsWith('$SYS/');
}

function blockLengthOf(message: Message): number {
  return TOPIC_LENGTH_BYTES + message.topic.bytes.length + recordLengthOf(message);
}

function recordLengthOf(message: Message): number {
  return RECORD_FIXED_BYTES + message.headersLength + message.payloadLength;
}

function putTopic(page: Uint8Array, at: number, topic: Uint8Array): number {
  page[at] = topic.length >>> 8;
  page[at + 1] = topic.length;
  copyRange(page, at + TOPIC_LENGTH_BYTES, topic, 0, topic.length);
  return at + TOPIC_LENGTH_BYTES + topic.length;
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
