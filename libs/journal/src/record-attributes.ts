/**
 * What a record may carry beside topic and body, and where it stands in the record.
 *
 * ```text
 * flags   1 key   2 sender   4 message id   8 headers; those that are set follow the topic in a row
 *
 * key         length u16, bytes
 * sender      length u16, UTF-8
 * message id  16 bytes; the first six are the time in milliseconds, big-endian, so that ids ascend
 * headers     length u32 of what follows, count u16, then each: name length u16, name UTF-8,
 *             value length u32, value
 * ```
 */
import { assert } from '@robustmq/errors';
import { readUint32, writeUint32 } from './record-batch.ts';

/** Each is absent, or as its writer gave it. Arrays of a record that was read share its buffer. */
export interface RecordAttributes {
  /** At most 65,535 bytes. */
  readonly key?: Uint8Array;
  /** Who sent it; at most 65,535 bytes of UTF-8. */
  readonly sender?: string;
  /** 16 bytes, ascending with the time at which they were made. */
  readonly messageId?: Uint8Array;
  /** In the order of the sender; at most 65,535. */
  readonly headers?: readonly RecordHeader[];
}

export interface RecordHeader {
  /** At most 65,535 bytes of UTF-8. */
  readonly name: string;
  readonly value: Uint8Array;
}

/** The attributes that records are found by. */
export type IndexedAttribute = 'key' | 'sender' | 'messageId';

export const INDEXED_ATTRIBUTES: readonly IndexedAttribute[] = ['key', 'sender', 'messageId'];
export const MESSAGE_ID_BYTES = 16;
export const ATTRIBUTE_FLAG = { key: 1, sender: 2, messageId: 4, headers: 8 } as const;
const FLAGS_ALL = 15;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Ranges of a record's buffer. What is absent has start -1. Reused from record to record. */
export interface AttributePlaces {
  keyStart: number;
  keyLength: number;
  senderStart: number;
  senderLength: number;
  messageIdStart: number;
  headersStart: number;
  headersLength: number;
}

export function newAttributePlaces(): AttributePlaces {
  return {
    keyStart: -1,
    keyLength: 0,
    senderStart: -1,
    senderLength: 0,
    messageIdStart: -1,
    headersStart: -1,
    headersLength: 0,
  };
}

/** The bytes of the attributes, and their flags. */
export function encodeAttributes(attributes: RecordAttributes): {
  readonly flags: number;
  readonly parts: readonly Uint8Array[];
} {
  const { key, sender, messageId, headers } = attributes;
  let flags = 0;
  const parts: Uint8Array[] = [];
  if (key !== undefined) {
    flags |= ATTRIBUTE_FLAG.key;
    parts.push(uint16Of(key.length), key);
  }
  if (sender !== undefined) {
    flags |= ATTRIBUTE_FLAG.sender;
    const bytes = encoder.encode(sender);
    parts.push(uint16Of(bytes.length), bytes);
  }
  if (messageId !== undefined) {
    assert(messageId.length === MESSAGE_ID_BYTES, 'a message id has 16 bytes');
    flags |= ATTRIBUTE_FLAG.messageId;
    parts.push(messageId);
  }
  if (headers !== undefined) {
    flags |= ATTRIBUTE_FLAG.headers;
    const encoded = headers.flatMap((header) => headerParts(header));
    const length = encoded.reduce((sum, part) => sum + part.length, 2);
    parts.push(uint32Of(length), uint16Of(headers.length), ...encoded);
  }
  return { flags, parts };
}

/**
 * Finds the attributes that stand from `start` on.
 *
 * @returns where the body begins; -1 when they do not end by `after`, or are of an unknown kind
 */
export function placeAttributes(
  places: AttributePlaces,
  bytes: Uint8Array,
  range: { readonly flags: number; readonly start: number; readonly after: number },
): number {
  const { flags, after } = range;
  let at = range.start;
  places.keyStart = -1;
  places.senderStart = -1;
  places.messageIdStart = -1;
  places.headersStart = -1;
  if ((flags & ~FLAGS_ALL) !== 0) return -1;
  if ((flags & ATTRIBUTE_FLAG.key) !== 0) {
    places.keyStart = at + 2;
    places.keyLength = readUint16(bytes, at);
    at = places.keyStart + places.keyLength;
    if (at > after) return -1;
  }
  if ((flags & ATTRIBUTE_FLAG.sender) !== 0) {
    places.senderStart = at + 2;
    places.senderLength = readUint16(bytes, at);
    at = places.senderStart + places.senderLength;
    if (at > after) return -1;
  }
  if ((flags & ATTRIBUTE_FLAG.messageId) !== 0) {
    places.messageIdStart = at;
    at += MESSAGE_ID_BYTES;
    if (at > after) return -1;
  }
  if ((flags & ATTRIBUTE_FLAG.headers) !== 0) {
    places.headersStart = at + 4;
    if (places.headersStart > after) return -1;
    places.headersLength = readUint32(bytes, at);
    at = places.headersStart + places.headersLength;
    if (at > after || !areHeadersWhole(bytes, places.headersStart, at)) return -1;
  }
  return at;
}

/** The attributes at the places found. */
export function attributesAt(bytes: Uint8Array, places: AttributePlaces): RecordAttributes {
  const { keyStart, senderStart, messageIdStart, headersStart } = places;
  return {
    ...(keyStart < 0 ? {} : { key: bytes.subarray(keyStart, keyStart + places.keyLength) }),
    ...(senderStart < 0
      ? {}
      : { sender: textIn(bytes, senderStart, senderStart + places.senderLength) }),
    ...(messageIdStart < 0
      ? {}
      : { messageId: bytes.subarray(messageIdStart, messageIdStart + MESSAGE_ID_BYTES) }),
    ...(headersStart < 0 ? {} : { headers: headersAt(bytes, headersStart) }),
  };
}

function headerParts({ name, value }: RecordHeader): Uint8Array[] {
  const bytes = encoder.encode(name);
  return [uint16Of(bytes.length), bytes, uint32Of(value.length), value];
}

function areHeadersWhole(bytes: Uint8Array, start: number, after: number): boolean {
  if (start + 2 > after) return false;
  let at = start + 2;
  for (let count = readUint16(bytes, start); count > 0; count -= 1) {
    if (at + 2 > after) return false;
    at += 2 + readUint16(bytes, at);
    if (at + 4 > after) return false;
    at += 4 + readUint32(bytes, at);
    if (at > after) return false;
  }
  return at === after;
}

function headersAt(bytes: Uint8Array, start: number): RecordHeader[] {
  const headers: RecordHeader[] = [];
  let at = start + 2;
  for (let count = readUint16(bytes, start); count > 0; count -= 1) {
    const nameAfter = at + 2 + readUint16(bytes, at);
    const valueStart = nameAfter + 4;
    const valueAfter = valueStart + readUint32(bytes, nameAfter);
    const value = bytes.subarray(valueStart, valueAfter);
    headers.push({ name: textIn(bytes, at + 2, nameAfter), value });
    at = valueAfter;
  }
  return headers;
}

function textIn(bytes: Uint8Array, start: number, after: number): string {
  return decoder.decode(bytes.subarray(start, after));
}

function readUint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

function uint16Of(value: number): Uint8Array {
  assert(value <= 0xffff, `${value} does not fit into 16 bits`);
  return Uint8Array.of(value, value >>> 8);
}

function uint32Of(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeUint32(bytes, 0, value);
  return bytes;
}
