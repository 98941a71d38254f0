import { type Delivery, type SharedGroup, type Topic } from '@robustmq/broker';
import { decodePublish, FrameStatus, readFrame as readPacket } from '@robustmq/mqtt-codec';
import {
  type FramedMessage,
  type FramedPackets,
  LinkFrameError,
  readFrame,
} from '@robustmq/node-link';
import type { BrokerContext } from '../broker-context.ts';
import { WireFlavour } from '../connection/publish-encoder.ts';
import { memberCanQueue, memberCanTake } from '../durable/group-members.ts';
import { PeerMember, PeerNode } from './peer-node.ts';

const UTF8 = new TextDecoder();

/** Who published a message that came from another broker: nobody here. */
class RemotePublisher {
  clientId = '';
}

/** What is not a message in a frame. */
export interface ReceivedCalls {
  request(from: number, id: number, question: Uint8Array): void;
  reply(from: number, id: number, answer: Uint8Array | null): void;
  /** Frames that cannot be read: the peer is of another version. */
  malformed(from: number, error: LinkFrameError): void;
}

/**
 * Frames from other brokers: each message goes to the subscribers that are online here and is forwarded
 * to nobody. Durable sessions read QoS 1 and 2 from the journal, so only QoS 0 is for them.
 */
export class FrameReceiver {
  readonly #context: BrokerContext;
  readonly #calls: ReceivedCalls;
  readonly #publisher = new RemotePublisher();
  /** Of `#publisher`, as they came. */
  #publisherBytes: Uint8Array = new Uint8Array(0);
  /** A packet of the frame that could not be taken. */
  #refused: LinkFrameError | null = null;
  /** Of the packet before in its entry. */
  #lastTopic: Topic | null = null;

  constructor(context: BrokerContext, calls: ReceivedCalls) {
    this.#context = context;
    this.#calls = calls;
  }

  frame(from: number, bytes: Uint8Array): void {
    try {
      readFrame(bytes, {
        message: (framed) => this.#deliver(framed),
        packets: (framed) => this.#forwardAll(framed),
        shared: (framed, group, slot) => this.#deal(framed, group, slot),
        request: (id, question) => this.#calls.request(from, id, question),
        reply: (id, answer) => this.#calls.reply(from, id, answer),
      });
    } catch (error) {
      if (!(error instanceof LinkFrameError)) throw error;
      this.#calls.malformed(from, error);
    }
    if (this.#refused !== null) this.#calls.malformed(from, this.#refused);
    this.#refused = null;
    this.#context.scheduleFlush();
  }

  #deliver(framed: FramedMessage): void {
    if (this.#describe(framed)) this.#toAll();
  }

  #forwardAll(framed: FramedPackets): void {
    const { bytes, end, hasProperties } = framed;
    const { frame, publishFields } = this.#context;
    this.#lastTopic = null;
    this.#publishedBy(bytes, framed.publisherStart, framed.publisherEnd);
    for (let at = framed.start; at < end; at = frame.bodyEnd) {
      if (readPacket(bytes, at, end, frame) !== FrameStatus.complete) {
        throw new LinkFrameError('a packet is cut off');
      }
      const fault = decodePublish(bytes, frame, hasProperties ? 5 : 4, publishFields);
      if (fault === 0 && publishFields.topicLength > 0) this.#forward(bytes, hasProperties);
      // Limits may differ between brokers. What is behind it is for others.
      else this.#refused = new LinkFrameError(`a packet is refused with ${fault}`);
    }
  }

  /** Hot path, as `receivePublish`: the message's ranges point into the frame. */
  #forward(bytes: Uint8Array, hasProperties: boolean): void {
    const { message, frame, publishFields: fields } = this.#context;
    const { topicStart, topicLength } = fields;
    message.topic = this.#topicAt(bytes, topicStart, topicLength);
    message.qos = fields.qos;
    message.retain = fields.retain;
    message.publisher = this.#publisher;
    message.headerBytes = bytes;
    message.headersStart = fields.propertiesStart;
    message.headersEnd = fields.propertiesEnd;
    message.payloadBytes = bytes;
    message.payloadStart = fields.payloadStart;
    message.payloadEnd = fields.payloadEnd;
    message.wireStart = frame.start;
    message.wireEnd = frame.bodyEnd;
    message.wireFlavour = hasProperties ? WireFlavour.properties : WireFlavour.plain;
    message.wireIdentifierAt = fields.qos === 0 ? -1 : topicStart + topicLength - frame.start;
    message.expiresAtMs = 0;
    this.#context.forgetKept();
    this.#toAll();
  }

  /** A client often repeats its topic. One that was forgotten meanwhile is not used again. */
  #topicAt(bytes: Uint8Array, start: number, length: number): Topic {
    const last = this.#lastTopic;
    if (last !== null && isRange(last.bytes, bytes, start, start + length)) return last;
    const { topics } = this.#context.router;
    const known = topics.lookup(bytes, start, length);
    this.#lastTopic = known;
    return known ?? topics.addIfRepeated(bytes.slice(start, start + length));
  }

  #toAll(): void {
    const context = this.#context;
    const { message, encoder } = context;
    const { live, durable } = context.router.match(message.topic);
    encoder.load(message, message.expiresAtMs === 0 ? 0 : context.nowMs());
    for (let index = 0; index < live.length; index += 1) {
      toLocal(live[index] as Delivery, message);
    }
    if (message.qos > 0 || durable.length === 0) return;
    for (const delivery of durable) toLocal(delivery, message);
  }

  #deal(framed: FramedMessage, key: string, slot: number): void {
    const context = this.#context;
    const { message } = context;
    if (!this.#describe(framed)) return;
    const group = context.router.groupNamed(key);
    context.encoder.load(message, message.expiresAtMs === 0 ? 0 : context.nowMs());
    const member = group === null ? null : this.#memberFor(group, slot);
    if (member === null) {
      context.counters.droppedNoSubscriber += 1;
      return;
    }
    member.subscriber.deliver(message, member);
  }

  /** Its own members alone; the one whose turn it is, if it can take the message. */
  #memberFor(group: SharedGroup, slot: number): Delivery | null {
    const { message } = this.#context;
    const local = group.members.filter(({ subscriber }) => !(subscriber instanceof PeerMember));
    for (const can of [memberCanTake, memberCanQueue]) {
      for (let step = 0; step < local.length; step += 1) {
        const member = local[(slot + step) % local.length] as Delivery;
        if (member.subscriber.online && can(member, message)) return member;
      }
    }
    return null;
  }

  /** @returns false when it has expired on its way */
  #describe(framed: FramedMessage): boolean {
    const context = this.#context;
    const { message } = context;
    message.topic = this.#topicOf(framed);
    message.qos = framed.qos;
    message.retain = framed.retain;
    this.#publishedBy(framed.bytes, framed.publisherStart, framed.publisherEnd);
    message.headerBytes = framed.bytes;
    message.headersStart = framed.headersStart;
    message.headersEnd = framed.headersEnd;
    message.payloadBytes = framed.bytes;
    message.payloadStart = framed.payloadStart;
    message.payloadEnd = framed.payloadEnd;
    message.wireStart = -1;
    context.forgetKept();
    message.expiresAtMs = framed.lifetimeMs < 0 ? 0 : context.nowMs() + framed.lifetimeMs;
    if (framed.lifetimeMs !== 0) return true;
    context.counters.droppedExpired += 1;
    return false;
  }

  /** The one before is likely the same again. */
  #publishedBy(bytes: Uint8Array, start: number, end: number): void {
    this.#context.message.publisher = this.#publisher;
    if (isRange(this.#publisherBytes, bytes, start, end)) return;
    this.#publisherBytes = bytes.slice(start, end);
    this.#publisher.clientId = UTF8.decode(this.#publisherBytes);
  }

  #topicOf({ bytes, topicStart, topicEnd }: FramedMessage): Topic {
    const { topics } = this.#context.router;
    const known = topics.lookup(bytes, topicStart, topicEnd - topicStart);
    return known ?? topics.addIfRepeated(bytes.slice(topicStart, topicEnd));
  }
}

function isRange(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let index = 0; index < known.length; index += 1) {
    if (known[index] !== bytes[start + index]) return false;
  }
  return true;
}

function toLocal(delivery: Delivery, message: BrokerContext['message']): void {
  if (!(delivery.subscriber instanceof PeerNode)) delivery.subscriber.deliver(message, delivery);
}
