/**
 * What one broker tells another in one turn of the event loop, or a part of it, as bytes.
 *
 *     frame    u8 version (2) | entry …
 *     entry    u8 kind | varint length | body of that length
 *     packets  u8 flags | blob publisher | PUBLISH packets as the client sent them, one behind the other
 *     message  u8 flags | blob topic | varint lifetime | blob publisher | blob headers | payload
 *     shared   blob group | varint slot | as message
 *     request  varint id | question
 *     reply    varint id | u8 0: answered, 1: refused | answer
 *     blob     varint length | bytes
 *     varint   seven bits a byte, least significant first; at most 2^53 - 1
 *
 * | kind | entry | | flag | meaning |
 * |---|---|---|---|---|
 * | 1 | message | | 0x03 | QoS |
 * | 2 | shared | | 0x04 | retain, as it was published |
 * | 3 | request | | | |
 * | 4 | reply | | | |
 * | 5 | packets | | 0x01 | MQTT 5.0 with its properties; else 3.1 or 3.1.1 |
 *
 * Each of the packets is a message whose encoding a subscriber of the same version gets byte for byte, but
 * for two fields: it names its topic and never expires. Their entry's length may be longer than it need be.
 * The lifetime is what is left of the message's expiry, in milliseconds and plus one; 0: it never
 * expires. It is a duration, so that the clocks of two brokers need not agree. The publisher is its
 * client identifier. Payload, question and answer reach to the end of their entry.
 */
export const FRAME_VERSION = 2;

export const EntryKind = { message: 1, shared: 2, request: 3, reply: 4, packets: 5 } as const;

export const FLAG_QOS = 0x03;
export const FLAG_RETAIN = 0x04;
export const FLAG_PROPERTIES = 0x01;

/** Bytes that are no frame: the peer is of another version, or broken. */
export class LinkFrameError extends Error {
  override readonly name = 'LinkFrameError';
}

/** One message in a frame: ranges of the frame's bytes. Reused for the next entry. */
export interface FramedMessage {
  bytes: Uint8Array;
  qos: number;
  retain: boolean;
  topicStart: number;
  topicEnd: number;
  /** Milliseconds; -1: it never expires. */
  lifetimeMs: number;
  publisherStart: number;
  publisherEnd: number;
  headersStart: number;
  headersEnd: number;
  payloadStart: number;
  payloadEnd: number;
}

/** PUBLISH packets of one client in a frame: ranges of the frame's bytes. Reused for the next entry. */
export interface FramedPackets {
  bytes: Uint8Array;
  /** Whether they are of MQTT 5.0. */
  hasProperties: boolean;
  publisherStart: number;
  publisherEnd: number;
  start: number;
  end: number;
}

/** Told of each entry, in order. The bytes are borrowed until the call returns. */
export interface FrameEntries {
  message(message: FramedMessage): void;
  /** They are not yet looked at. */
  packets(packets: FramedPackets): void;
  /** For one member of a shared subscription; `slot` is the turn among this broker's members. */
  shared(message: FramedMessage, group: string, slot: number): void;
  request(id: number, question: Uint8Array): void;
  reply(id: number, answer: Uint8Array | null): void;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws LinkFrameError; entries before the fault have been told */
export function readFrame(bytes: Uint8Array, entries: FrameEntries): void {
  const reader = new FrameReader(bytes);
  const version = reader.u8();
  if (version !== FRAME_VERSION) {
    throw new LinkFrameError(`frame version ${version}; this broker speaks ${FRAME_VERSION}`);
  }
  while (!reader.done) readEntry(reader, entries);
}

function readEntry(reader: FrameReader, entries: FrameEntries): void {
  const kind = reader.u8();
  const whole = reader.end;
  const length = reader.varint();
  if (length > whole - reader.at) throw new LinkFrameError(`entry of ${length} bytes is cut off`);
  reader.end = reader.at + length;
  switch (kind) {
    case EntryKind.message:
      entries.message(readMessage(reader));
      break;
    case EntryKind.packets:
      entries.packets(readPackets(reader));
      break;
    case EntryKind.shared: {
      const group = reader.text();
      const slot = reader.varint();
      entries.shared(readMessage(reader), group, slot);
      break;
    }
    case EntryKind.request:
      entries.request(reader.varint(), reader.rest());
      break;
    case EntryKind.reply: {
      const id = reader.varint();
      const refused = reader.u8() !== 0;
      const answer = reader.rest();
      entries.reply(id, refused ? null : answer);
      break;
    }
    default:
      throw new LinkFrameError(`entry of kind ${kind}`);
  }
  reader.at = reader.end;
  reader.end = whole;
}

const scratch: FramedMessage = {
  bytes: new Uint8Array(0),
  qos: 0,
  retain: false,
  topicStart: 0,
  topicEnd: 0,
  lifetimeMs: -1,
  publisherStart: 0,
  publisherEnd: 0,
  headersStart: 0,
  headersEnd: 0,
  payloadStart: 0,
  payloadEnd: 0,
};

const scratchPackets: FramedPackets = {
  bytes: new Uint8Array(0),
  hasProperties: false,
  publisherStart: 0,
  publisherEnd: 0,
  start: 0,
  end: 0,
};

function readPackets(reader: FrameReader): FramedPackets {
  const flags = reader.u8();
  if ((flags & ~FLAG_PROPERTIES) !== 0) {
    throw new LinkFrameError(`packet flags 0x${flags.toString(16)}`);
  }
  scratchPackets.bytes = reader.bytes;
  scratchPackets.hasProperties = flags !== 0;
  scratchPackets.publisherEnd = reader.blobEnd();
  scratchPackets.publisherStart = reader.at;
  scratchPackets.start = scratchPackets.publisherEnd;
  scratchPackets.end = reader.end;
  return scratchPackets;
}

function readMessage(reader: FrameReader): FramedMessage {
  const flags = reader.u8();
  const qos = flags & FLAG_QOS;
  if (qos === 3 || (flags & ~(FLAG_QOS | FLAG_RETAIN)) !== 0) {
    throw new LinkFrameError(`message flags 0x${flags.toString(16)}`);
  }
  scratch.bytes = reader.bytes;
  scratch.qos = qos;
  scratch.retain = (flags & FLAG_RETAIN) !== 0;
  scratch.topicEnd = reader.blobEnd();
  scratch.topicStart = reader.at;
  reader.at = scratch.topicEnd;
  scratch.lifetimeMs = reader.varint() - 1;
  scratch.publisherEnd = reader.blobEnd();
  scratch.publisherStart = reader.at;
  reader.at = scratch.publisherEnd;
  scratch.headersEnd = reader.blobEnd();
  scratch.headersStart = reader.at;
  reader.at = scratch.headersEnd;
  scratch.payloadStart = reader.at;
  scratch.payloadEnd = reader.end;
  if (scratch.topicEnd === scratch.topicStart)
    throw new LinkFrameError('a message without a topic');
  return scratch;
}

/** Reads the fields of frames and of what travels in requests. */
export class FrameReader {
  readonly bytes: Uint8Array;
  at = 0;
  end: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.end = bytes.length;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  u8(): number {
    if (this.at >= this.end) throw new LinkFrameError('a field is cut off');
    const value = this.bytes[this.at] as number;
    this.at += 1;
    return value;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte >= 0x80) continue;
      if (!Number.isSafeInteger(value)) break;
      return value;
    }
    throw new LinkFrameError('a number exceeds 2^53 - 1');
  }

  /** Where the blob that begins here ends; `at` is then its first byte. */
  blobEnd(): number {
    const length = this.varint();
    if (length > this.end - this.at)
      throw new LinkFrameError(`a blob of ${length} bytes is cut off`);
    return this.at + length;
  }

  text(): string {
    const end = this.blobEnd();
    const view = this.bytes.subarray(this.at, end);
    this.at = end;
    try {
      return UTF8.decode(view);
    } catch (cause) {
      throw new LinkFrameError('a text is not UTF-8', { cause });
    }
  }

  rest(): Uint8Array {
    const view = this.bytes.subarray(this.at, this.end);
    this.at = this.end;
    return view;
  }
}
