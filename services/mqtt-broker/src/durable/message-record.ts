import { Message, type Topic } from '@robustmq/broker';
import type { RecordBatchBuilder } from '@robustmq/journal';
import { RECORD_KIND } from './operations.ts';

/**
 * A message in the journal; the topic name is the record's own.
 *
 *     u8 flags (QoS 0-1, retain 2, expiry 3, origin 4) | u32 publisher's session, 0: none
 *     | f64 expires at, milliseconds since 1970 (flag 3) | origin (flag 4) | u32 length of headers
 *     | headers | payload
 *
 * In a cluster session numbers mean nothing, and the *origin* tells who published it ({@link
 * MessageOrigin}): f64 tenure | u16 packet identifier | u16 length of client id | client id.
 *
 * A *direct* message is for one session alone (a retained message that it subscribed to): its record
 * topic is `directTopicOf(session)` and the real name stands before the headers: u16 length | name. One
 * that a shared group *dealt* to a member, or got back from one, has the origin of a {@link Deal}: its
 * client id is U+0000 and the group's key, its tenure the offset of the record that it was made of.
 */
const RETAIN = 0x04;
const EXPIRES = 0x08;
const ORIGIN = 0x10;
const ORIGIN_FIXED_BYTES = 12;

/** Where a message of a cluster came from: for "no local", and to find a QoS 2 message that is repeated. */
export interface MessageOrigin {
  readonly clientId: Uint8Array;
  /** Of the PUBLISH with QoS 2; 0: none. */
  readonly packetIdentifier: number;
  /** Epoch by which the publisher's broker came to own the session; 0: none. */
  readonly tenure: number;
}

/** @returns where the body lies in `builder.bytes` */
export function writeMessageRecord(
  builder: RecordBatchBuilder,
  message: Message,
  publisherSession: number,
): number {
  const topic = message.topic.bytes;
  builder.beginRecord(RECORD_KIND.message, topic, 0, topic.length);
  return finishRecord(builder, message, publisherSession, 0, null);
}

/** As above, with who published it. */
export function writeOriginRecord(
  builder: RecordBatchBuilder,
  message: Message,
  origin: MessageOrigin,
): void {
  const topic = message.topic.bytes;
  builder.beginRecord(RECORD_KIND.message, topic, 0, topic.length);
  finishRecord(builder, message, 0, 0, origin);
}

/** The topic under which direct messages of a session are indexed. U+0000 can't occur in a name. */
export function directTopicOf(session: number | string): string {
  return `\u0000${session}`;
}

export function writeDirectRecord(
  builder: RecordBatchBuilder,
  message: Message,
  session: number | string,
): number {
  const index = new TextEncoder().encode(directTopicOf(session));
  builder.beginRecord(RECORD_KIND.direct, index, 0, index.length);
  return finishRecord(builder, message, 0, 2 + message.topic.bytes.length, null);
}

/** Where a direct message of a shared group came from. */
export interface Deal {
  /** Key of the group. */
  readonly group: string;
  /** Offset, in the same shard, of the record whose message this is. */
  readonly source: number;
}

/** @param index  `directTopicOf` a member, or {@link returnTopicOf} the group */
export function writeDealtRecord(
  builder: RecordBatchBuilder,
  message: Message,
  to: { readonly index: string; readonly deal: Deal },
): void {
  const encoder = new TextEncoder();
  const index = encoder.encode(to.index);
  const clientId = encoder.encode(`\u0000${to.deal.group}`);
  const origin = { clientId, packetIdentifier: 0, tenure: to.deal.source };
  builder.beginRecord(RECORD_KIND.direct, index, 0, index.length);
  finishRecord(builder, message, 0, 2 + message.topic.bytes.length, origin);
}

/** The topic under which messages that members gave back are indexed: no client identifier is like it. */
export function returnTopicOf(groupKey: string): string {
  return directTopicOf(`\u0000${groupKey}`);
}

/** Under which it is indexed what a group gave to ephemeral members with QoS 2: nobody reads it. */
export const GIVEN_TOPIC: string = directTopicOf('\u0000\u0000');

/** null: no shared group dealt the direct message whose body is `body`. */
export function dealOf(body: Uint8Array): Deal | null {
  const origin = originOf(body);
  if (origin === null || origin.clientId[0] !== 0) return null;
  return { group: new TextDecoder().decode(origin.clientId.subarray(1)), source: origin.tenure };
}

function finishRecord(
  builder: RecordBatchBuilder,
  message: Message,
  publisherSession: number,
  nameLength: number,
  origin: MessageOrigin | null,
): number {
  const originLength = origin === null ? 0 : ORIGIN_FIXED_BYTES + origin.clientId.length;
  const expires = message.expiresAtMs !== 0;
  const headersLength = message.headersLength;
  const payloadLength = message.payloadLength;
  const length =
    5 + (expires ? 8 : 0) + originLength + nameLength + 4 + headersLength + payloadLength;
  const start = builder.reserve(length);
  const bytes = builder.bytes;
  bytes[start] = message.qos | (message.retain ? RETAIN : 0) | (expires ? EXPIRES : 0);
  if (origin !== null) bytes[start] = (bytes[start] as number) | ORIGIN;
  let at = putUint32(bytes, start + 1, publisherSession);
  if (expires) {
    new DataView(bytes.buffer, bytes.byteOffset).setFloat64(at, message.expiresAtMs);
    at += 8;
  }
  if (origin !== null) at = putOrigin(bytes, at, origin);
  if (nameLength > 0) {
    const name = message.topic.bytes;
    bytes[at] = name.length >>> 8;
    bytes[at + 1] = name.length & 0xff;
    bytes.set(name, at + 2);
    at += nameLength;
  }
  at = putUint32(bytes, at, headersLength);
  at = putRange(bytes, at, message.headerBytes, message.headersStart, headersLength);
  putRange(bytes, at, message.payloadBytes, message.payloadStart, payloadLength);
  builder.endRecord();
  return start;
}

/** Points `message` into `bytes[start, end)`: valid as long as those bytes are. */
export function readMessageRecord(
  bytes: Uint8Array,
  range: { readonly start: number; readonly end: number },
  target: { readonly message: Message; readonly topic: Topic; readonly kind: number },
): void {
  const { message } = target;
  const flags = bytes[range.start] as number;
  let at = range.start + 5;
  message.topic = target.topic;
  message.qos = flags & 0x03;
  message.retain = (flags & RETAIN) !== 0;
  message.expiresAtMs = 0;
  if ((flags & EXPIRES) !== 0) {
    message.expiresAtMs = new DataView(bytes.buffer, bytes.byteOffset).getFloat64(at);
    at += 8;
  }
  if ((flags & ORIGIN) !== 0) {
    at += ORIGIN_FIXED_BYTES + getUint16(bytes, at + ORIGIN_FIXED_BYTES - 2);
  }
  if (target.kind === RECORD_KIND.direct) at += 2 + getUint16(bytes, at);
  const headersLength = getUint32(bytes, at);
  message.headerBytes = bytes;
  message.headersStart = at + 4;
  message.headersEnd = at + 4 + headersLength;
  message.payloadBytes = bytes;
  message.payloadStart = message.headersEnd;
  message.payloadEnd = range.end;
  message.wireStart = -1;
  message.publisher = null;
}

/** Session number of the publisher, for "no local". */
export function publisherSessionOf(bytes: Uint8Array, start: number): number {
  return getUint32(bytes, start + 1);
}

/** Who published the message whose body is `body`; null: it does not say. */
export function originOf(body: Uint8Array): MessageOrigin | null {
  const flags = body[0] as number;
  if ((flags & ORIGIN) === 0) return null;
  const at = 5 + ((flags & EXPIRES) === 0 ? 0 : 8);
  const start = at + ORIGIN_FIXED_BYTES;
  return {
    tenure: new DataView(body.buffer, body.byteOffset).getFloat64(at),
    packetIdentifier: getUint16(body, at + 8),
    clientId: body.subarray(start, start + getUint16(body, at + 10)),
  };
}

/** The real topic name of a direct message. */
export function directNameOf(bytes: Uint8Array, start: number): string {
  const flags = bytes[start] as number;
  let at = start + 5 + ((flags & EXPIRES) === 0 ? 0 : 8);
  if ((flags & ORIGIN) !== 0) {
    at += ORIGIN_FIXED_BYTES + getUint16(bytes, at + ORIGIN_FIXED_BYTES - 2);
  }
  const length = getUint16(bytes, at);
  return new TextDecoder().decode(bytes.subarray(at + 2, at + 2 + length));
}

function putOrigin(bytes: Uint8Array, at: number, origin: MessageOrigin): number {
  const { clientId, packetIdentifier, tenure } = origin;
  new DataView(bytes.buffer, bytes.byteOffset).setFloat64(at, tenure);
  bytes[at + 8] = packetIdentifier >>> 8;
  bytes[at + 9] = packetIdentifier & 0xff;
  bytes[at + 10] = clientId.length >>> 8;
  bytes[at + 11] = clientId.length & 0xff;
  bytes.set(clientId, at + ORIGIN_FIXED_BYTES);
  return at + ORIGIN_FIXED_BYTES + clientId.length;
}

function putUint32(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 24;
  bytes[at + 1] = (value >>> 16) & 0xff;
  bytes[at + 2] = (value >>> 8) & 0xff;
  bytes[at + 3] = value & 0xff;
  return at + 4;
}

function getUint32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

function getUint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function putRange(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  length: number,
): number {
  if (length > 48) target.set(source.subarray(start, start + length), at);
  else
    for (let index = 0; index < length; index += 1)
      target[at + index] = source[start + index] as number;
  return at + length;
}
