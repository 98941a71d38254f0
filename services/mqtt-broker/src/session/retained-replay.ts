import { Delivery, Message, type RetainedCursor, type Subscription } from '@robustmq/broker';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientSession } from './client-session.ts';

const UTF8 = new TextEncoder();
/** Then the others get their turn. */
const MESSAGES_PER_TURN = 2048;
/** Messages go on while less than this waits in the socket. */
const OUTPUT_BYTES_SOFT_MAX = 256 * 1024;

/**
 * Sends the retained messages that match a new subscription, page by page: a million of them neither
 * block the others nor fill memory. It waits while the receiver's socket or window is full.
 */
export class RetainedReplay {
  readonly #context: BrokerContext;
  readonly #session: ClientSession;
  readonly #delivery: Delivery;
  readonly #subscription: Subscription;
  readonly #cursor: RetainedCursor;
  readonly #epoch: number;
  readonly #message: Message;

  constructor(context: BrokerContext, session: ClientSession, subscription: Subscription) {
    this.#context = context;
    this.#session = session;
    this.#subscription = subscription;
    this.#delivery = new Delivery(subscription);
    // A message that is sent because it is retained keeps its flag (MQTT-5.0 [MQTT-3.3.1-8]).
    this.#delivery.retainAsPublished = true;
    this.#epoch = session.epoch;
    const { filter } = subscription;
    this.#cursor = context.retained.cursor(filter, UTF8.encode(filter));
    this.#message = new Message(context.router.topicOf('-'));
  }

  start(): void {
    this.#goOn();
  }

  #goOn(): void {
    const session = this.#session;
    const connection = session.connection;
    // Another connection has subscribed anew, or not at all; a gone subscription wants nothing.
    if (connection === null || session.epoch !== this.#epoch) return;
    if (!this.#stillSubscribed()) return;
    for (let left = MESSAGES_PER_TURN; left > 0; left -= 1) {
      if (connection.output.pendingBytes > OUTPUT_BYTES_SOFT_MAX || !this.#hasRoom()) {
        this.#context.waitForRoom(session, () => this.#goOn());
        return;
      }
      if (this.#context.log.batchIsLarge) {
        void this.#context.log.nextCommit().then(() => this.#goOn());
        return;
      }
      const slot = this.#cursor.next();
      if (slot < 0) return;
      this.#read(slot);
      this.#send(this.#message);
    }
    this.#context.timers.soon(() => this.#goOn());
  }

  /** The message's bytes are the store's: valid until it changes, and nothing here changes it before they are sent. */
  #read(slot: number): void {
    const { retained, router } = this.#context;
    const bytes = retained.read(slot, this.#message);
    const { topics } = router;
    this.#message.topic = topics.find(bytes) ?? topics.passing(bytes);
  }

  #stillSubscribed(): boolean {
    for (const subscription of this.#session.subscriptions.values()) {
      if (subscription === this.#subscription) return true;
    }
    return false;
  }

  /** QoS 1 and 2 wait for the window, so that nothing is queued, and nothing dropped from a full queue. */
  #hasRoom(): boolean {
    if (this.#subscription.qos === 0) return true;
    return this.#session.hasRoom && this.#session.queuedCount === 0;
  }

  #send(retained: Message): void {
    const context = this.#context;
    if (retained.expiresAtMs !== 0 && retained.expiresAtMs <= context.nowMs()) {
      // It is removed when it is met (MQTT-5.0 §3.3.2.3.3).
      context.retained.delete(retained.topic.bytes);
      return;
    }
    const delivery = this.#delivery;
    // MQTT-5.0 [MQTT-3.8.3-3].
    if (delivery.noLocal && retained.publisherId === this.#session.clientId) return;
    const { log } = context;
    const session = this.#session;
    if (Math.min(retained.qos, delivery.qos) > 0 && session.durable && !log.full) {
      // A journal record of its own, so that a crash repeats it like any other.
      if (session.mayReceive(retained.topic, delivery))
        log.deliverDirect(session, delivery, retained);
      return;
    }
    context.encoder.load(retained, context.nowMs());
    session.deliver(retained, delivery);
  }
}
