import { type Delivery, type SharedGroup, type Topic } from '@robustmq/broker';
import { type FramedMessage, LinkFrameError, readFrame } from '@robustmq/node-link';
import type { BrokerContext } from '../broker-context.ts';
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

  constructor(context: BrokerContext, calls: ReceivedCalls) {
    this.#context = context;
    this.#calls = calls;
  }

  frame(from: number, bytes: Uint8Array): void {
    try {
      readFrame(bytes, {
        message: (framed) => this.#deliver(framed),
        shared: (framed, group, slot) => this.#deal(framed, group, slot),
        request: (id, question) => this.#calls.request(from, id, question),
        reply: (id, answer) => this.#calls.reply(from, id, answer),
      });
    } catch (error) {
      if (!(error instanceof LinkFrameError)) throw error;
      this.#calls.malformed(from, error);
    }
    this.#context.scheduleFlush();
  }

  #deliver(framed: FramedMessage): void {
    const { context } = { context: this.#context };
    const { message, encoder } = context;
    if (!this.#describe(framed)) return;
    const match = context.router.match(message.topic);
    encoder.load(message, message.expiresAtMs === 0 ? 0 : context.nowMs());
    for (const delivery of match.live) toLocal(delivery, message);
    if (message.qos > 0) return;
    for (const delivery of match.durable) toLocal(delivery, message);
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
    this.#publisher.clientId = UTF8.decode(
      framed.bytes.subarray(framed.publisherStart, framed.publisherEnd),
    );
    message.publisher = this.#publisher;
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

  #topicOf({ bytes, topicStart, topicEnd }: FramedMessage): Topic {
    const { topics } = this.#context.router;
    const known = topics.lookup(bytes, topicStart, topicEnd - topicStart);
    return known ?? topics.addIfRepeated(bytes.slice(topicStart, topicEnd));
  }
}

function toLocal(delivery: Delivery, message: BrokerContext['message']): void {
  if (!(delivery.subscriber instanceof PeerNode)) delivery.subscriber.deliver(message, delivery);
}
