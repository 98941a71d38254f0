import { copyRange, type Message } from '@robustmq/broker';
import { EntryKind, FLAG_RETAIN, FRAME_VERSION } from './link-frame.ts';

const BYTES_FIRST = 4096;
const UTF8 = new TextEncoder();

/**
 * Gathers the entries of one frame. Hot path: a message is copied once, into the frame, and nothing
 * else is made for it.
 */
export class FrameWriter {
  #bytes: Uint8Array = new Uint8Array(BYTES_FIRST);
  #length = 0;
  /** Entries since the frame began. */
  entries = 0;
  /** Of them, messages of QoS 1 and 2. */
  acknowledged = 0;

  get length(): number {
    return this.#length;
  }

  /** @param nowMs  what the expiry of the message counts from, in milliseconds since 1970 */
  message(message: Message, publisherId: string, nowMs: number): void {
    const body = bodyLength(message, publisherId, nowMs);
    this.#begin(EntryKind.message, body);
    this.#message(message, publisherId, nowMs);
  }

  shared(
    message: Message,
    publisherId: string,
    to: { readonly group: string; readonly slot: number; readonly nowMs: number },
  ): void {
    const group = utf8Length(to.group);
    const place = varintSize(group) + group + varintSize(to.slot);
    this.#begin(EntryKind.shared, place + bodyLength(message, publisherId, to.nowMs));
    this.#text(to.group, group);
    this.#varint(to.slot);
    this.#message(message, publisherId, to.nowMs);
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
    const frame = this.#bytes.slice(0, this.#length);
    // A burst does not hold its memory for ever.
    if (this.#bytes.length > BYTES_KEPT_MAX) this.#bytes = new Uint8Array(BYTES_FIRST);
    this.#length = 0;
    this.entries = 0;
    this.acknowledged = 0;
    return frame;
  }

  #begin(kind: number, bodyBytes: number): void {
    const room = 2 + varintSize(bodyBytes) + bodyBytes;
    if (this.#length + room > this.#bytes.length) this.#grow(room);
    if (this.#length === 0) this.#u8(FRAME_VERSION);
    this.entries += 1;
    this.#u8(kind);
    this.#varint(bodyBytes);
  }

  #message(message: Message, publisherId: string, nowMs: number): void {
    if (message.qos > 0) this.acknowledged += 1;
    this.#u8(message.qos | (message.retain ? FLAG_RETAIN : 0));
    const topic = message.topic.bytes;
    this.#varint(topic.length);
    this.#range(topic, 0, topic.length);
    this.#varint(lifetimeOf(message, nowMs));
    this.#text(publisherId, utf8Length(publisherId));
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

const BYTES_KEPT_MAX = 1024 * 1024;

function bodyLength(message: Message, publisherId: string, nowMs: number): number {
  const topic = message.topic.bytes.length;
  const publisher = utf8Length(publisherId);
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
