import type { Delivery, Subscription, Topic } from '@robustmq/broker';
import type { RecordSelector } from '@robustmq/journal';
import { filterMatchesTopic, hasWildcard } from '@robustmq/topic';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientSession } from '../session/client-session.ts';
import { embeddedLog } from './embedded-log.ts';
import { type ConsumedRecord, type ConsumerOwner, mergedDelivery } from './log-consumer.ts';
import { directTopicOf, publisherSessionOf } from './message-record.ts';
import { RECORD_KIND } from './operations.ts';

/** Reads the journal for one durable session: its ordinary subscriptions, and what is for it alone. */
export class SessionConsumer implements ConsumerOwner {
  readonly #context: BrokerContext;
  readonly #session: ClientSession;
  #lastTopic: Topic | null = null;
  #lastDelivery: Delivery | null = null;
  #lastSince = 0;

  constructor(context: BrokerContext, session: ClientSession) {
    this.#context = context;
    this.#session = session;
  }

  get hasRoom(): boolean {
    return this.#session.hasRoom;
  }

  selector(): RecordSelector {
    const exact: string[] = [directTopicOf(this.#session.number)];
    const wildcards: string[] = [];
    for (const subscription of this.#session.subscriptions.values()) {
      if (subscription.group !== null || subscription.qos === 0) continue;
      if (hasWildcard(subscription.filter)) wildcards.push(subscription.filter);
      else exact.push(subscription.filter);
    }
    return {
      kind: 'topics',
      exact,
      matches:
        wildcards.length === 0
          ? null
          : (topic) =>
              topic.charCodeAt(0) !== 0 &&
              wildcards.some((filter) => filterMatchesTopic(filter, topic)),
    };
  }

  deliveryOf(topic: Topic, offset: number, kind: number): Delivery | null {
    const direct = kind === RECORD_KIND.direct;
    const known = this.#lastDelivery;
    if (known !== null && topic === this.#lastTopic && !direct && offset >= this.#lastSince) {
      return this.#session.mayReceive(topic, known) ? known : null;
    }
    const delivery = this.#computeDelivery(topic, offset, direct);
    this.#remember(topic, offset, direct ? null : delivery);
    return delivery;
  }

  /** Filters or rights changed. */
  forget(): void {
    this.#lastTopic = null;
  }

  /** Neighbours in the journal are often of one topic; what holds at `offset` holds for later ones too. */
  #remember(topic: Topic, offset: number, delivery: Delivery | null): void {
    // A subscription that begins later would change the answer: then nothing is remembered.
    const pending = [...this.#session.subscriptions.values()].some(({ since }) => since > offset);
    const usable = delivery !== null && !pending;
    this.#lastTopic = usable ? topic : null;
    this.#lastDelivery = usable ? delivery : null;
    this.#lastSince = offset;
  }

  #computeDelivery(topic: Topic, offset: number, direct: boolean): Delivery | null {
    const own = mergedDelivery(this.#matching(topic.name, direct ? Number.MAX_VALUE : offset));
    // A direct message may also be one that its group gave to this session.
    const delivery =
      own ?? (direct ? this.#context.groups.deliveryFor(this.#session, topic) : null);
    if (delivery === null || delivery.qos === 0) return null;
    return this.#session.mayReceive(topic, delivery) ? delivery : null;
  }

  take(record: ConsumedRecord): boolean {
    const session = this.#session;
    const log = embeddedLog(this.#context);
    const { counters } = this.#context;
    const bytes = record.bytes ?? log.openBytes;
    const isMixed = record.delivery.noLocal || record.delivery.own !== null;
    const isOwn = isMixed && publisherSessionOf(bytes, record.start) === session.number;
    const delivery = (isOwn ? record.delivery.own : null) ?? record.delivery;
    if (isOwn && delivery.noLocal) return true;
    if (isExpired(bytes, record.start, this.#context.nowMs())) {
      counters.droppedExpired += 1;
      return true;
    }
    // A QoS 0 message is in the journal because it is retained: it waits for nobody.
    const qos = Math.min((bytes[record.start] as number) & 0x03, delivery.qos);
    if (qos === 0) return true;
    if (session.window.isFull) return false;
    log.plan(session, delivery, { ...record, qos });
    return true;
  }

  placeChanged(): void {
    this.#context.markDirty(this.#session);
  }

  *#matching(name: string, offset: number): Generator<Subscription> {
    for (const subscription of this.#session.subscriptions.values()) {
      if (subscription.group !== null || offset < subscription.since) continue;
      if (filterMatchesTopic(subscription.filter, name)) yield subscription;
    }
  }
}

/** Reads the expiry of a message record without decoding the rest. */
export function isExpired(bytes: Uint8Array, start: number, nowMs: number): boolean {
  if (((bytes[start] as number) & 0x08) === 0) return false;
  const expiresAtMs = new DataView(bytes.buffer, bytes.byteOffset).getFloat64(start + 5);
  return expiresAtMs <= nowMs;
}
