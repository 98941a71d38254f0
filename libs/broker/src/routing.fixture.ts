import { Message } from './message.ts';
import type { Delivery, Subscriber, SubscriptionOptions } from './subscription.ts';
import { Subscription } from './subscription.ts';
import { Topic } from './topic-table.ts';

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** A subscriber that takes nothing but can be asked everything. */
export class TestSubscriber implements Subscriber {
  readonly clientId: string;
  durable = false;
  online = true;
  inflight = 0;

  constructor(clientId: string, state: Partial<Omit<TestSubscriber, 'clientId'>> = {}) {
    this.clientId = clientId;
    Object.assign(this, state);
  }

  deliver(_message: Message, _delivery: Delivery): void {
    // Tests look at who was chosen.
  }
}

export const PLAIN: SubscriptionOptions = {
  qos: 0,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0,
  identifier: 0,
  since: 0,
};

export function subscriptionOf(
  filter: string,
  subscriber: Subscriber,
  options: Partial<SubscriptionOptions> = {},
): Subscription {
  return new Subscription(filter, subscriber, { ...PLAIN, ...options });
}

/** A message on a topic of its own, outside of any table. */
export function messageOn(name: string, payload: Uint8Array = new Uint8Array(0)): Message {
  // The hash of a real table, as far as tests need it: different for different names.
  const hash = [...utf8(name)].reduce((sum, byte) => (sum * 31 + byte) & 0x3fffffff, 7);
  const message = new Message(new Topic(name, utf8(name), hash, null));
  message.payloadBytes = payload;
  message.payloadEnd = payload.length;
  return message;
}
