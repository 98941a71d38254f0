import type { Delivery, Message, Subscriber } from '@robustmq/broker';
import type { Clock } from '@robustmq/environment';
import type { NodeLink } from '@robustmq/node-link';

/**
 * Another broker, as the router sees it: one subscriber of everything that it has a route for. A message
 * goes to it once, however many of its clients want it.
 */
export class PeerNode implements Subscriber {
  readonly durable = false;
  readonly clientId = '';
  readonly online = true;
  readonly inflight = 0;
  readonly link: NodeLink;
  readonly #clock: Clock;

  constructor(link: NodeLink, clock: Clock) {
    this.link = link;
    this.#clock = clock;
  }

  /** Hot path: the message is copied into the link's frame, and nothing is made for it. */
  deliver(message: Message, delivery: Delivery): void {
    // All its subscribers read what is QoS 1 and 2 from the journal.
    if (delivery.qos < message.qos && delivery.qos === 0) return;
    // Each broker has a `$SYS` of its own.
    if (message.topic.reserved) return;
    this.link.send(message, publisherIdOf(message), this.#nowMs(message));
  }

  /** Only an expiry needs the time. */
  #nowMs(message: Message): number {
    return message.expiresAtMs === 0 ? 0 : this.#clock.nowMs();
  }
}

/**
 * One online member of a shared subscription on another broker, as the group here sees it. Which of
 * that broker's members it is, the broker says: the slot is only a turn.
 */
export class PeerMember implements Subscriber {
  readonly durable = false;
  readonly clientId = '';
  readonly inflight = 0;
  readonly queuedCount = 0;
  /** Members here have 0: so all brokers see the same order, that of node ids. */
  readonly rank: number;
  readonly #link: NodeLink;
  readonly #group: string;
  readonly #slot: number;
  readonly #clock: Clock;

  constructor(
    link: NodeLink,
    place: { readonly group: string; readonly slot: number; readonly self: number },
    clock: Clock,
  ) {
    this.#link = link;
    this.rank = link.node - place.self;
    this.#group = place.group;
    this.#slot = place.slot;
    this.#clock = clock;
  }

  get online(): boolean {
    return this.#link.isUp;
  }

  get hasRoom(): boolean {
    return this.#link.isUp && !this.#link.isCongested;
  }

  /** Rights are asked where the member is. */
  allows(): boolean {
    return true;
  }

  deliver(message: Message): void {
    const nowMs = message.expiresAtMs === 0 ? 0 : this.#clock.nowMs();
    const to = { group: this.#group, slot: this.#slot, nowMs };
    this.#link.sendShared(message, publisherIdOf(message), to);
  }
}

/**
 * That some durable session, anywhere, wants what matches a filter: such a message goes to the journal.
 * Nothing is delivered through it.
 */
export class DurableInterest implements Subscriber {
  readonly durable = true;
  readonly clientId = '';
  readonly online = false;
  readonly inflight = 0;
  /** It reads nothing: whoever hands a message just appended to durable subscribers passes it over. */
  readonly consumer = null;

  deliver(): void {
    // The session is served where it is.
  }
}

function publisherIdOf(message: Message): string {
  const publisher = message.publisher as { readonly clientId?: string } | null;
  return publisher?.clientId ?? message.publisherId;
}
