import type { Message } from './message.ts';
import type { SharedGroup } from './shared-group.ts';
import type { Topic } from './topic-table.ts';

/** Whoever gets messages: a client's session, a bridge, a rule. */
export interface Subscriber {
  /** Messages of QoS 1 and 2 for this subscriber go through the journal and wait for it there. */
  readonly durable: boolean;
  /** A stable identity for hash strategies. */
  readonly clientId: string;
  /** Whether it can take a message now. */
  readonly online: boolean;
  /** Unacknowledged messages under way to it, for the least-inflight strategy. */
  readonly inflight: number;
  /**
   * Orders the members of a shared group, ascending: all brokers of a cluster then count alike. Absent:
   * 0. Those that are equal stand in the order in which they came.
   */
  readonly rank?: number;
  /** Takes a message at once. The message is borrowed: see {@link Message}. */
  deliver(message: Message, delivery: Delivery): void;
}

/** Retained messages at subscription: always, when it is new, or never (MQTT-5.0 §3.8.3.1). */
export type RetainHandling = 0 | 1 | 2;

/** What few subscriptions have; the others share {@link NOTHING_RARE}. */
interface Rare {
  readonly identifier: number;
  readonly since: number;
  readonly group: SharedGroup | null;
}

const NOTHING_RARE: Rare = { identifier: 0, since: 0, group: null };
const QOS_BITS = 0x03;
const NO_LOCAL_BIT = 0x04;
const RETAIN_AS_PUBLISHED_BIT = 0x08;
const RETAIN_HANDLING_SHIFT = 4;

/**
 * One subscriber's interest in one filter.
 *
 * There may be millions: the options share one small integer, and what is rare lies aside. About 56
 * bytes, the filter's text (which the subscriber's map shares) not counted.
 */
export class Subscription {
  readonly filter: string;
  readonly subscriber: Subscriber;
  #bits = 0;
  #rare: Rare = NOTHING_RARE;

  constructor(filter: string, subscriber: Subscriber, options: SubscriptionOptions) {
    this.filter = filter;
    this.subscriber = subscriber;
    this.change(options);
  }

  /** Takes over new options; place in the journal and group stay (MQTT-5.0 [MQTT-3.8.4-3]). */
  change(options: Omit<SubscriptionOptions, 'since'> & { readonly since?: number }): void {
    this.#bits =
      options.qos |
      (options.noLocal ? NO_LOCAL_BIT : 0) |
      (options.retainAsPublished ? RETAIN_AS_PUBLISHED_BIT : 0) |
      (options.retainHandling << RETAIN_HANDLING_SHIFT);
    this.#setRare(options.identifier, options.since ?? this.since, this.group);
  }

  get qos(): number {
    return this.#bits & QOS_BITS;
  }

  get noLocal(): boolean {
    return (this.#bits & NO_LOCAL_BIT) !== 0;
  }

  get retainAsPublished(): boolean {
    return (this.#bits & RETAIN_AS_PUBLISHED_BIT) !== 0;
  }

  get retainHandling(): RetainHandling {
    return ((this.#bits >> RETAIN_HANDLING_SHIFT) & 3) as RetainHandling;
  }

  /** 0: none. */
  get identifier(): number {
    return this.#rare.identifier;
  }

  /** Journal offset from which on messages belong to this subscription (durable subscribers). */
  get since(): number {
    return this.#rare.since;
  }

  /** The group, for a shared subscription. */
  get group(): SharedGroup | null {
    return this.#rare.group;
  }

  set group(group: SharedGroup | null) {
    this.#setRare(this.identifier, this.since, group);
  }

  #setRare(identifier: number, since: number, group: SharedGroup | null): void {
    const isPlain = identifier === 0 && since === 0 && group === null;
    this.#rare = isPlain ? NOTHING_RARE : { identifier, since, group };
  }
}

/** Options as granted; `identifier` 0: none; `since`: first journal offset that is for it. */
export interface SubscriptionOptions {
  readonly qos: number;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: RetainHandling;
  readonly identifier: number;
  readonly since: number;
}

/** What of a subscription a delivery is made of. */
export type DeliveryTerms = Pick<
  Subscription,
  'subscriber' | 'qos' | 'noLocal' | 'retainAsPublished' | 'identifier' | 'group'
>;

const NO_IDENTIFIERS: readonly number[] = [];

/**
 * How one subscriber gets the messages of one topic: all its matching subscriptions in one. A client
 * whose filters overlap gets one copy with the highest QoS and every subscription identifier
 * (MQTT-5.0 §3.3.4, MQTT-3.1.1 [MQTT-3.3.5-1]).
 */
export class Delivery {
  readonly subscriber: Subscriber;
  qos: number;
  /** True when every matching subscription says so: its own messages are not for it. */
  noLocal: boolean;
  retainAsPublished: boolean;
  identifiers: readonly number[];
  /** Revision of the access rules for which `allowed` holds; -1: not asked yet. */
  accessRevision = -1;
  /** The topic for which `allowed` holds: deliveries of groups and replays serve many of them. */
  accessTopic: Topic | null = null;
  allowed = true;
  readonly group: SharedGroup | null;
  /**
   * How it gets its own messages when some of the matching subscriptions are "no local": by the others
   * alone. Null: no differently.
   */
  own: Delivery | null = null;

  constructor(subscription: DeliveryTerms) {
    this.subscriber = subscription.subscriber;
    this.qos = subscription.qos;
    this.noLocal = subscription.noLocal;
    this.retainAsPublished = subscription.retainAsPublished;
    this.identifiers = subscription.identifier === 0 ? NO_IDENTIFIERS : [subscription.identifier];
    this.group = subscription.group;
  }

  /** Merges another matching subscription of the same subscriber. */
  include(subscription: Subscription): void {
    this.#includeForOwn(subscription);
    // MQTT-5.0 [MQTT-3.3.4-2].
    if (subscription.qos > this.qos) this.qos = subscription.qos;
    // MQTT-5.0 [MQTT-3.8.3-3]: the others want it all the same.
    if (!subscription.noLocal) this.noLocal = false;
    if (subscription.retainAsPublished) this.retainAsPublished = true;
    // MQTT-5.0 [MQTT-3.3.4-3], [MQTT-3.3.4-4]: two that are equal are sent twice.
    if (subscription.identifier !== 0) {
      this.identifiers = [...this.identifiers, subscription.identifier];
    }
  }

  /** MQTT-5.0 [MQTT-3.8.3-3]: not even its QoS and identifier are those of a "no local" one. */
  #includeForOwn(subscription: Subscription): void {
    if (this.noLocal) {
      if (!subscription.noLocal) this.own = new Delivery(subscription);
    } else if (subscription.noLocal) this.own ??= this.#copy();
    else this.own?.include(subscription);
  }

  /** Of a delivery that none of its subscriptions makes "no local". */
  #copy(): Delivery {
    const { subscriber, qos, retainAsPublished, identifiers, group } = this;
    const terms = { subscriber, qos, noLocal: false, retainAsPublished, identifier: 0, group };
    const copy = new Delivery(terms);
    copy.identifiers = identifiers;
    return copy;
  }
}
