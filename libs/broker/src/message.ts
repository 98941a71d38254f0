import type { Topic } from './topic-table.ts';

const NO_BYTES = new Uint8Array(0);

/**
 * An application message on its way through the broker.
 *
 * One mutable instance is reused for every message that passes straight through: its byte ranges
 * point into the receive buffer and are valid only during the call that hands it over. Whoever
 * needs it later takes a {@link keepMessage copy}. One class for both, so that delivery code sees
 * one shape.
 *
 * `headers` are the message's properties in the broker's common header encoding (MQTT 5.0 property
 * bytes without topic alias and message expiry, in the publisher's order); a protocol without
 * properties leaves them empty.
 */
export class Message {
  topic: Topic;
  qos = 0;
  retain = false;
  /** Buffer that holds the headers, and their range. */
  headerBytes: Uint8Array = NO_BYTES;
  headersStart = 0;
  headersEnd = 0;
  /** Buffer that holds the payload, and its range. */
  payloadBytes: Uint8Array = NO_BYTES;
  payloadStart = 0;
  payloadEnd = 0;
  /** Milliseconds since 1970 at which the message is no longer delivered; 0: never. */
  expiresAtMs = 0;
  /** Who published it, by identity: for "no local" and for back-pressure. Null: the broker itself. */
  publisher: object | null = null;
  /** Client identifier of who published a retained message; empty: not known. */
  publisherId = '';
  /**
   * The packet as it came in, for a subscriber whose encoding is the same byte for byte: start and
   * end in `payloadBytes`, the flavour it is encoded in, and where its packet identifier lies
   * (relative to the start; -1 without). `wireStart` is -1 when there is none.
   */
  wireStart = -1;
  wireEnd = 0;
  wireFlavour = 0;
  wireIdentifierAt = -1;
  /** It has bytes of its own, made by {@link keepMessage}, and nobody writes to it any more. */
  kept = false;

  constructor(topic: Topic) {
    this.topic = topic;
  }

  get payloadLength(): number {
    return this.payloadEnd - this.payloadStart;
  }

  get headersLength(): number {
    return this.headersEnd - this.headersStart;
  }

  /** What the message counts against byte limits of queues, which often share it. */
  get byteCost(): number {
    return 200 + this.payloadLength + this.headersLength;
  }
}

/** A copy with bytes of its own, to be queued or retained. The wire form is dropped. */
export function keepMessage(message: Message): Message {
  const kept = new Message(message.topic);
  kept.qos = message.qos;
  kept.retain = message.retain;
  const headersLength = message.headersLength;
  const payloadLength = message.payloadLength;
  const bytes = new Uint8Array(headersLength + payloadLength);
  copyRange(bytes, 0, message.headerBytes, message.headersStart, headersLength);
  copyRange(bytes, headersLength, message.payloadBytes, message.payloadStart, payloadLength);
  kept.headerBytes = bytes;
  kept.headersEnd = headersLength;
  kept.payloadBytes = bytes;
  kept.payloadStart = headersLength;
  kept.payloadEnd = headersLength + payloadLength;
  kept.expiresAtMs = message.expiresAtMs;
  kept.publisher = message.publisher;
  kept.publisherId = message.publisherId;
  kept.kept = true;
  return kept;
}

/** Below about 48 bytes a loop costs less than the call to the engine's copy. */
export function copyRange(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  length: number,
): void {
  if (length > 48) {
    target.set(source.subarray(start, start + length), at);
    return;
  }
  for (let index = 0; index < length; index += 1) {
    target[at + index] = source[start + index] as number;
  }
}
