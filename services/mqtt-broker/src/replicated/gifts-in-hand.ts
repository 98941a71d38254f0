import { type Delivery, Message } from '@robustmq/broker';
import type { BrokerContext } from '../broker-context.ts';
import type { Gift, GiftOutcome } from '../cluster/contract.ts';
import { memberHasRoom } from '../durable/group-members.ts';
import { readMessageRecord } from '../durable/message-record.ts';
import { isExpired } from '../durable/session-consumer.ts';
import type { ClientSession } from '../session/client-session.ts';

interface Open {
  readonly session: ClientSession;
  readonly settle: (outcome: GiftOutcome) => void;
}

/**
 * What dealers have handed to ephemeral members here, until it is acknowledged: a member that goes before
 * returns it. With QoS 2 it is the receiver's alone once it is sent (MQTT-5.0 [MQTT-4.8.2-5]), and with
 * QoS 0 nobody asks.
 *
 * LIMIT: receiveMaximum, for each member
 */
export class GiftsInHand {
  readonly #context: BrokerContext;
  readonly #open = new Map<string, Open>();

  constructor(context: BrokerContext) {
    this.#context = context;
  }

  receive(gift: Gift): GiftOutcome | Promise<GiftOutcome> {
    const context = this.#context;
    const session = context.sessions.find(gift.clientId);
    if (session === undefined || session.durable) return 'returned';
    const delivery = deliveryOf(session, gift.key);
    if (delivery === null || session.connection?.accepted !== true) return 'returned';
    const topic = context.router.topicOf(gift.topic);
    if (!session.allows(topic, delivery)) return 'denied';
    const { body, recordKind: kind } = gift;
    if (isExpired(body, 0, context.nowMs())) {
      context.counters.droppedExpired += 1;
      return 'done';
    }
    const known = this.#open.get(nameOf(gift.key, gift.place));
    // A dealer before this one gave it, and the client has not answered yet.
    if (known?.session === session) return this.#alsoTell(gift, known);
    if (!memberHasRoom(delivery)) return 'returned';
    const message = new Message(topic);
    readMessageRecord(body, { start: 0, end: body.length }, { message, topic, kind });
    context.encoder.load(message, context.nowMs());
    if (Math.min(message.qos, delivery.qos) !== 1) {
      session.deliver(message, delivery);
      return 'done';
    }
    const { key: by, place } = gift;
    // Too large for its client: dropped as if it had been sent (MQTT-5.0 [MQTT-3.1.2-25]).
    if (session.deliverGiven(message, delivery, { offset: place, by }) === 0) return 'done';
    return new Promise((settle) => this.#open.set(nameOf(by, place), { session, settle }));
  }

  #alsoTell({ key, place }: Gift, { session, settle: before }: Open): Promise<GiftOutcome> {
    return new Promise((settle) => {
      const both = (outcome: GiftOutcome): void => {
        before(outcome);
        settle(outcome);
      };
      this.#open.set(nameOf(key, place), { session, settle: both });
    });
  }

  acknowledged(key: string, place: number): void {
    const name = nameOf(key, place);
    this.#open.get(name)?.settle('done');
    this.#open.delete(name);
  }

  /** Its connection is gone, and its session with it. */
  gone(session: ClientSession): void {
    for (const { by, offset } of session.givenExchanges()) {
      const name = nameOf(by, offset);
      const open = this.#open.get(name);
      if (open?.session !== session) continue;
      this.#open.delete(name);
      open.settle('returned');
    }
  }
}

function deliveryOf(session: ClientSession, key: string): Delivery | null {
  for (const { group } of session.subscriptions.values()) {
    if (group === null || `${group.shareName}/${group.filter}` !== key) continue;
    return group.members.find(({ subscriber }) => subscriber === session) ?? null;
  }
  return null;
}

function nameOf(key: string, place: number): string {
  return `${place} ${key}`;
}
