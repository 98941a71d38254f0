import { copyRange, type Message } from '@robustmq/broker';
import { EntryKind, FLAG_PROPERTIES, FLAG_RETAIN, FRAME_VERSION } from './link-frame.ts';

const BYTES_FIRST = 4096;
const UTF8 = new TextEncoder();
const NO_BYTES = new Uint8Array(0);

/**
 * Gathers the entries of one frame. Hot path: a message is copied once, into the frame, and nothing
 * else is made for it.
 */
export class FrameWriter {
  #bytes: Uint8Array = new Uint8Array(BYTES_FIRST);
  #length = 0;
  /** Entries since the frame began; each of several packets counts. */
  entries = 0;
  /** Of them, messages of QoS 1 and 2. */
  acknowledged = 0;
  /** The publisher named last, and its bytes. */
  #publisherId = '';
  #publisher: Uint8Array = NO_BYTES;
  /** Where the length of the packets that are open stands; 0: the entry written last is another. */
  #packetsAt = 0;
  #packetsFlavour = 0;

  get length(): number {
    return this.#length;
  }

  /** @param nowMs  what the expiry of the message counts from, in milliseconds since 1970 */
  message(message: Message, publisherId: string, nowMs: number): void {
    if (message.wireStart >= 0) {
      this.#packet(message, publisherId);
      return;
    }
    const publisher = this.#publisherBytes(publisherId);
    this.#begin(EntryKind.message, bodyLength(message, publisher, nowMs));
    this.#message(message, publisher, nowMs);
  }

  shared(
    message: Message,
    publisherId: string,
    to: { readonly group: string; readonly slot: number; readonly nowMs: number },
  ): void {
    const group = utf8Length(to.group);
    const place = varintSize(group) + group + varintSize(to.slot);
    const publisher = this.#publisherBytes(publisherId);
    this.#begin(EntryKind.shared, place + bodyLength(message, publisher, to.nowMs));
    this.#text(to.group, group);
    this.#varint(to.slot);
    this.#message(message, publisher, to.nowMs);
  }

  request(id: number, question: Uint8Array): void {
    this.#begin(EntryKind.request, varintSize(id) + question.length);
    this.#varint(id);
    this.#range(question, 0, question.length);
  }

  /** @param answer  null: refused */
  reply(id: number, answer: Uint8Array | null): void {
    const length = answer?.length ?? 0;
    this.#begin(EntryKind.reply, varintSize(id) + 1 + length);
    this.#varint(id);
    this.#u8(answer === null ? 1 : 0);
    if (answer !== null) this.#range(answer, 0, length);
  }

  /** The frame so far, with bytes of its own; the next begins empty. */
  take(): Uint8Array {
    this.#closePackets();
    const frame = Buffer.allocUnsafe(this.#length);
    frame.set(this.#bytes.subarray(0, this.#length));
    // A burst does not hold its memory for ever.
    if (this.#bytes.length > BYTES_KEPT_MAX) this.#bytes = new Uint8Array(BYTES_FIRST);
    this.#length = 0;
    this.entries = 0;
    this.acknowledged = 0;
    return frame;
  }

  #begin(kind: number, bodyBytes: number): void {
    this.#closePackets();
    const room = 2 + varintSize(bodyBytes) + bodyBytes;
    if (this.#length + room > this.#bytes.length) this.#grow(room);
    if (this.#length === 0) this.#u8(FRAME_VERSION);
    this.entries += 1;
    this.#u8(kind);
    this.#varint(bodyBytes);
  }

  /** The PUBLISH as it came in: one copy, behind those of the same client. */
  #packet(message: Message, publisherId: string): void {
    const length = message.wireEnd - message.wireStart;
    const isNext =
      publisherId === this.#publisherId && message.wireFlavour === this.#packetsFlavour;
    if (this.#packetsAt === 0 || !isNext) this.#beginPackets(message.wireFlavour, publisherId);
    if (this.#length + length > this.#bytes.length) this.#grow(length);
    if (message.qos > 0) this.acknowledged += 1;
    this.entries += 1;
    this.#range(message.payloadBytes, message.wireStart, length);
  }

  #beginPackets(flavour: number, publisherId: string): void {
    this.#closePackets();
    const publisher = this.#publisherBytes(publisherId);
    const room = PACKETS_HEADER_BYTES + varintSize(publisher.length) + publisher.length;
    if (this.#length + room > this.#bytes.length) this.#grow(room);
    if (this.#length === 0) this.#u8(FRAME_VERSION);
    this.#u8(EntryKind.packets);
    this.#packetsAt = this.#length;
    this.#packetsFlavour = flavour;
    this.#length += PACKETS_LENGTH_BYTES;
    this.#u8(flavour === 0 ? 0 : FLAG_PROPERTIES);
    this.#blob(publisher);
  }

  /** Their length is known now. */
  #closePackets(): void {
    if (this.#packetsAt === 0) return;
    const at = this.#packetsAt;
    let rest = this.#length - at - PACKETS_LENGTH_BYTES;
    for (let index = 0; index < PACKETS_LENGTH_BYTES; index += 1) {
      const isLast = index === PACKETS_LENGTH_BYTES - 1;
      this.#bytes[at + index] = (rest & 0x7f) | (isLast ? 0 : 0x80);
      rest >>>= 7;
    }
    this.#packetsAt = 0;
  }

  #message(message: Message, publisher: Uint8Array, nowMs: number): void {
    if (message.qos > 0) this.acknowledged += 1;
    this.#u8(message.qos | (message.retain ? FLAG_RETAIN : 0));
    const topic = message.topic.bytes;
    this.#varint(topic.length);
    this.#range(topic, 0, topic.length);
    this.#varint(lifetimeOf(message, nowMs));
    this.#blob(publisher);
    this.#varint(message.headersLength);
    this.#range(message.headerBytes, message.headersStart, message.headersLength);
    this.#range(message.payloadBytes, message.payloadStart, message.payloadLength);
  }

  #u8(value: number): void {
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#u8((rest % 128) | 0x80);
      rest = Math.floor(rest / 128);
    }
    this.#u8(rest);
  }

  /** Publishers send many messages in one read: the last one is likely the next. */
  #publisherBytes(publisherId: string): Uint8Array {
    if (publisherId !== this.#publisherId) {
      this.#publisherId = publisherId;
      this.#publisher = UTF8.encode(publisherId);
    }
    return this.#publisher;
  }

  #blob(bytes: Uint8Array): void {
    this.#varint(bytes.length);
    this.#range(bytes, 0, bytes.length);
  }

  #text(text: string, byteLength: number): void {
    this.#varint(byteLength);
    UTF8.encodeInto(text, this.#bytes.subarray(this.#length, this.#length + byteLength));
    this.#length += byteLength;
  }

  #range(source: Uint8Array, start: number, length: number): void {
    copyRange(this.#bytes, this.#length, source, start, length);
    this.#length += length;
  }

  #grow(room: number): void {
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + room));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** A varint of a fixed size: 2^28 - 1 at most, more than any frame may hold. */
const PACKETS_LENGTH_BYTES = 4;
/** Version, kind, length and flags. */
const PACKETS_HEADER_BYTES = 3 + PACKETS_LENGTH_BYTES;
const BYTES_KEPT_MAX = 1024 * 1024;

function bodyLength(message: Message, publisherBytes: Uint8Array, nowMs: number): number {
  const topic = message.topic.bytes.length;
  const publisher = publisherBytes.length;
  const headers = message.headersLength;
  return (
    1 +
    (varintSize(topic) + topic) +
    varintSize(lifetimeOf(message, nowMs)) +
    (varintSize(publisher) + publisher) +
    (varintSize(headers) + headers) +
    message.payloadLength
  );
}

function lifetimeOf(message: Message, nowMs: number): number {
  return message.expiresAtMs === 0 ? 0 : Math.max(0, Math.ceil(message.expiresAtMs - nowMs)) + 1;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) size += 1;
  return size;
}

/** Of well-formed text. */
function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x80) continue;
    // Of a surrogate pair's four bytes, each half counts two.
    bytes += code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 1 : 2;
  }
  return bytes;
}

/** Fields of a question or an answer, in the encoding of frames. */
export class FieldWriter {
  readonly #parts: number[] = [];

  u8(value: number): this {
    this.#parts.push(value);
    return this;
  }

  varint(value: number): this {
    let rest = value;
    while (rest > 0x7f) {
      this.#parts.push((rest % 128) | 0x80);
      rest = Math.floor(rest / 128);
    }
    this.#parts.push(rest);
    return this;
  }

  text(text: string): this {
    const bytes = UTF8.encode(text);
    this.varint(bytes.length);
    for (const byte of bytes) this.#parts.push(byte);
    return this;
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#parts);
  }
}
