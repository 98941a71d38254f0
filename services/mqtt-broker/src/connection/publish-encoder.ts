import { copyRange, type Delivery, type Message, type Topic } from '@robustmq/broker';
import { variableByteIntegerSize, writeVariableByteInteger } from '@robustmq/mqtt-codec';
import type { OutputStream } from './output-stream.ts';

/** How a PUBLISH is laid out for a receiver: 3.1 and 3.1.1 alike, or 5.0 with properties. */
export const WireFlavour = { plain: 0, properties: 1 } as const;

/** One way to encode the current message: everything but first byte and packet identifier is final. */
interface Template {
  bytes: Uint8Array;
  start: number;
  length: number;
  /** Position of the packet identifier relative to `start`; -1 without. */
  identifierAt: number;
  ready: boolean;
  scratch: Uint8Array;
}

/** Properties that differ from receiver to receiver. */
export interface ReceiverProperties {
  readonly identifiers: readonly number[];
  readonly topicAlias: number;
  /** False when the receiver knows the alias: the topic name is left out. */
  readonly withTopic: boolean;
}

/**
 * Encodes each message at most once per layout (flavour x with or without packet identifier); a
 * receiver costs one copy and the patch of two fields. When the packet came in with just that
 * layout, its own bytes are the template.
 *
 * Cost: 10 to 20 ns per receiver and 32 bytes; no allocation unless scratch space must grow.
 */
export class PublishEncoder {
  #message: Message | null = null;
  readonly #templates: readonly [Template, Template, Template, Template] = [
    newTemplate(),
    newTemplate(),
    newTemplate(),
    newTemplate(),
  ];
  #expiryNowMs = 0;

  /** Makes `message` the current one. Call again when a reused message has new content. */
  load(message: Message, nowMs: number): void {
    this.#message = message;
    this.#expiryNowMs = nowMs;
    const templates = this.#templates;
    templates[0].ready = false;
    templates[1].ready = false;
    templates[2].ready = false;
    templates[3].ready = false;
  }

  /** Size in bytes for a receiver without properties of its own. */
  sizeFor(flavour: number, qos: number): number {
    return this.#templateFor(flavour, qos).length;
  }

  /**
   * Appends the current message to `output`.
   *
   * @param header  first byte: 0x30, DUP, QoS and RETAIN
   * @param identifier  packet identifier, 0 for QoS 0
   */
  write(output: OutputStream, flavour: number, header: number, identifier: number): void {
    const template = this.#templateFor(flavour, header & 0x06);
    const length = template.length;
    const target = output.reserve(length);
    const at = output.length;
    const source = template.bytes;
    if (length > 64) {
      target.set(source.subarray(template.start, template.start + length), at);
    } else {
      let from = template.start;
      for (let to = at, end = at + length; to < end; to += 1, from += 1) {
        target[to] = source[from] as number;
      }
    }
    target[at] = header;
    const identifierAt = template.identifierAt;
    if (identifierAt >= 0) {
      target[at + identifierAt] = identifier >>> 8;
      target[at + identifierAt + 1] = identifier & 0xff;
    }
    output.length = at + length;
  }

  /** As `write`, for a 5.0 receiver with subscription identifiers or a topic alias. */
  writeFor(
    output: OutputStream,
    packet: { readonly header: number; readonly identifier: number },
    receiver: ReceiverProperties,
  ): void {
    const message = this.#current();
    const layout = this.#layoutOf(message, packet.header & 0x06, receiver);
    const target = output.reserve(layout.total);
    encodeInto(target, output.length, { message, layout, receiver, ...packet });
    output.length += layout.total;
  }

  /** Size of what `writeFor` would write. */
  sizeWith(qos: number, receiver: ReceiverProperties): number {
    return this.#layoutOf(this.#current(), qos, receiver).total;
  }

  #current(): Message {
    if (this.#message === null) throw new Error('no message is loaded');
    return this.#message;
  }

  #templateFor(flavour: number, qos: number): Template {
    const index = (flavour << 1) | (qos === 0 ? 0 : 1);
    const template = this.#templates[index] as Template;
    if (!template.ready) this.#prepare(template, flavour, qos);
    return template;
  }

  #prepare(template: Template, flavour: number, qos: number): void {
    const message = this.#current();
    template.ready = true;
    const sameIdentifier = message.wireIdentifierAt >= 0 === qos > 0;
    if (message.wireStart >= 0 && message.wireFlavour === flavour && sameIdentifier) {
      template.bytes = message.payloadBytes;
      template.start = message.wireStart;
      template.length = message.wireEnd - message.wireStart;
      template.identifierAt = message.wireIdentifierAt;
      return;
    }
    const receiver = flavour === WireFlavour.plain ? null : NOTHING_OWN;
    const layout = this.#layoutOf(message, qos, receiver);
    if (template.scratch.length < layout.total) {
      template.scratch = new Uint8Array(Math.max(layout.total, 256));
    }
    template.bytes = template.scratch;
    template.start = 0;
    template.length = layout.total;
    template.identifierAt = layout.identifierAt;
    encodeInto(template.scratch, 0, { message, layout, receiver, header: 0x30, identifier: 0 });
  }

  #layoutOf(message: Message, qos: number, receiver: ReceiverProperties | null): Layout {
    const topicLength = receiver?.withTopic === false ? 0 : message.topic.bytes.length;
    const identifierLength = qos === 0 ? 0 : 2;
    const expirySeconds = this.#expirySeconds(message);
    const propertiesLength =
      receiver === null
        ? -1
        : message.headersLength +
          (expirySeconds >= 0 ? 5 : 0) +
          (receiver.topicAlias > 0 ? 3 : 0) +
          identifiersSize(receiver.identifiers);
    const propertiesTotal =
      propertiesLength < 0 ? 0 : variableByteIntegerSize(propertiesLength) + propertiesLength;
    const remaining = 2 + topicLength + identifierLength + propertiesTotal + message.payloadLength;
    const fixed = 1 + variableByteIntegerSize(remaining);
    return {
      total: fixed + remaining,
      remaining,
      topicLength,
      propertiesLength,
      expirySeconds,
      identifierAt: identifierLength === 0 ? -1 : fixed + 2 + topicLength,
    };
  }

  /** The interval that is left, counted down while the message waited (MQTT-5.0 [MQTT-3.3.2-6]). */
  #expirySeconds(message: Message): number {
    if (message.expiresAtMs === 0) return -1;
    return Math.max(0, Math.ceil((message.expiresAtMs - this.#expiryNowMs) / 1000));
  }
}

const NOTHING_OWN: ReceiverProperties = { identifiers: [], topicAlias: 0, withTopic: true };

interface Layout {
  readonly total: number;
  readonly remaining: number;
  readonly topicLength: number;
  /** -1: no properties at all (3.x). */
  readonly propertiesLength: number;
  /** -1: no message expiry. */
  readonly expirySeconds: number;
  readonly identifierAt: number;
}

interface Encoding {
  readonly message: Message;
  readonly layout: Layout;
  readonly receiver: ReceiverProperties | null;
  readonly header: number;
  readonly identifier: number;
}

function encodeInto(target: Uint8Array, start: number, encoding: Encoding): void {
  const { message, layout, receiver } = encoding;
  let at = start;
  target[at] = encoding.header;
  at = writeVariableByteInteger(target, at + 1, layout.remaining);
  target[at] = layout.topicLength >>> 8;
  target[at + 1] = layout.topicLength & 0xff;
  copyRange(target, at + 2, message.topic.bytes, 0, layout.topicLength);
  at += 2 + layout.topicLength;
  if (layout.identifierAt >= 0) {
    target[at] = encoding.identifier >>> 8;
    target[at + 1] = encoding.identifier & 0xff;
    at += 2;
  }
  if (receiver !== null) at = writeProperties(target, at, message, layout, receiver);
  copyRange(target, at, message.payloadBytes, message.payloadStart, message.payloadLength);
}

function writeProperties(
  target: Uint8Array,
  start: number,
  message: Message,
  layout: Layout,
  receiver: ReceiverProperties,
): number {
  let at = writeVariableByteInteger(target, start, layout.propertiesLength);
  copyRange(target, at, message.headerBytes, message.headersStart, message.headersLength);
  at += message.headersLength;
  if (layout.expirySeconds >= 0) {
    target[at] = 0x02; // Message Expiry Interval (MQTT-5.0 §3.3.2.3.3)
    target[at + 1] = layout.expirySeconds >>> 24;
    target[at + 2] = (layout.expirySeconds >>> 16) & 0xff;
    target[at + 3] = (layout.expirySeconds >>> 8) & 0xff;
    target[at + 4] = layout.expirySeconds & 0xff;
    at += 5;
  }
  if (receiver.topicAlias > 0) {
    target[at] = 0x23; // Topic Alias (MQTT-5.0 §3.3.2.3.4)
    target[at + 1] = receiver.topicAlias >>> 8;
    target[at + 2] = receiver.topicAlias & 0xff;
    at += 3;
  }
  for (const identifier of receiver.identifiers) {
    target[at] = 0x0b; // Subscription Identifier (MQTT-5.0 §3.3.2.3.8)
    at = writeVariableByteInteger(target, at + 1, identifier);
  }
  return at;
}

function identifiersSize(identifiers: readonly number[]): number {
  let size = 0;
  for (const identifier of identifiers) size += 1 + variableByteIntegerSize(identifier);
  return size;
}

function newTemplate(): Template {
  const scratch = new Uint8Array(256);
  return { bytes: scratch, start: 0, length: 0, identifierAt: -1, ready: false, scratch };
}

/** Whether a receiver of 5.0 needs properties of its own. */
export function needsOwnProperties(delivery: Delivery, alias: number): boolean {
  return delivery.identifiers.length > 0 || alias > 0;
}

export type { Topic };
