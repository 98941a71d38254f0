import { Delivery, type Subscriber, type Subscription } from './subscription.ts';
import type { Message } from './message.ts';

/** How a group chooses; `sticky` stays with one member until it can not take more. */
export type ShareStrategy =
  | 'round_robin'
  | 'random'
  | 'sticky'
  | 'hash_client'
  | 'hash_topic'
  | 'least_inflight';

/**
 * The members of one shared subscription (MQTT-5.0 §4.8.2): each message goes to one of them, chosen
 * by the strategy among those that are online.
 */
export class SharedGroup {
  readonly shareName: string;
  readonly filter: string;
  readonly members: Delivery[] = [];
  /** What the service keeps per group: its place in the journal. */
  state: object | null = null;
  readonly #strategy: ShareStrategy;
  /** Index of the member whose turn it is, or that is stuck to; the end counts as the first. */
  #next = 0;
  #random: number;

  /** @param seed  for the `random` strategy: any 32-bit number */
  constructor(
    shareName: string,
    filter: string,
    options: { strategy: ShareStrategy; seed: number },
  ) {
    this.shareName = shareName;
    this.filter = filter;
    this.#strategy = options.strategy;
    this.#random = options.seed | 1;
  }

  get durable(): boolean {
    return this.members.some((member) => member.subscriber.durable);
  }

  /** Behind those of the same rank. */
  add(subscription: Subscription): void {
    const rank = subscription.subscriber.rank ?? 0;
    let at = this.members.length;
    while (at > 0 && (this.members[at - 1]?.subscriber.rank ?? 0) > rank) at -= 1;
    this.members.splice(at, 0, new Delivery(subscription));
    // Those behind it move down: the turn, or the one that is stuck to, stays with the same member.
    if (at < this.#next) this.#next += 1;
  }

  remove(subscriber: Subscriber): void {
    const index = this.members.findIndex((member) => member.subscriber === subscriber);
    if (index < 0) return;
    this.members.splice(index, 1);
    // Those behind it move up: the turn, or the one that is stuck to, stays with the same member.
    if (index < this.#next) this.#next -= 1;
  }

  /** Takes over a member's new options, at its place: whose turn it is stays as it was. */
  replace(subscription: Subscription): void {
    const { subscriber } = subscription;
    const index = this.members.findIndex((member) => member.subscriber === subscriber);
    if (index >= 0) this.members[index] = new Delivery(subscription);
  }

  /**
   * The member that gets `message`, or null when none is online and eligible. Cost: one step, and one
   * more for each member passed over; `least_inflight` looks at all.
   *
   * @param publisherId  hashed by `hash_client`
   * @param eligible  asked before a member is chosen, such as "its window has room, and it may have this message"
   */
  pick(
    message: Message,
    publisherId: string,
    eligible: (member: Delivery, message: Message) => boolean,
  ): Delivery | null {
    const members = this.members;
    const count = members.length;
    if (count === 0) return null;
    if (this.#strategy === 'least_inflight') return this.#leastInflight(message, eligible);
    const first = this.#firstIndex(message, publisherId, count);
    for (let step = 0; step < count; step += 1) {
      const index = (first + step) % count;
      const member = members[index] as Delivery;
      if (member.subscriber.online && eligible(member, message)) {
        if (this.#strategy === 'round_robin') this.#next = index + 1;
        else if (this.#strategy === 'sticky') this.#next = index;
        return member;
      }
    }
    return null;
  }

  #firstIndex(message: Message, publisherId: string, count: number): number {
    switch (this.#strategy) {
      case 'random':
        // Xorshift, 32 bit: the order need not be unpredictable, only even.
        this.#random ^= this.#random << 13;
        this.#random ^= this.#random >>> 17;
        this.#random ^= this.#random << 5;
        return (this.#random >>> 0) % count;
      case 'hash_client':
        return hashText(publisherId) % count;
      case 'hash_topic':
        return message.topic.hash % count;
      default:
        return this.#next % count;
    }
  }

  /** Among equals they take turns: with QoS 0 nothing is ever in flight. */
  #leastInflight(
    message: Message,
    eligible: (member: Delivery, message: Message) => boolean,
  ): Delivery | null {
    const members = this.members;
    const count = members.length;
    const first = this.#next % count;
    let best: Delivery | null = null;
    for (let step = 0; step < count; step += 1) {
      const index = (first + step) % count;
      const member = members[index] as Delivery;
      if (!member.subscriber.online || !eligible(member, message)) continue;
      if (best !== null && member.subscriber.inflight >= best.subscriber.inflight) continue;
      best = member;
      this.#next = index + 1;
    }
    return best;
  }
}

function hashText(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index += 1) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  }
  return hash >>> 0;
}
