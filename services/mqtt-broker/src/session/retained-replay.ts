import { Delivery, type Message, type RetainedCursor, type Subscription } from '@robustmq/broker';
import type { BrokerContext } from '../broker-context.ts';
import { RECORD_KIND } from '../durable/operations.ts';
import { type ClientSession, RETAINED } from './client-session.ts';

const PAGE_MESSAGES = 256;
/** Then the others get their turn. */
const PAGES_PER_TURN = 8;
/** Pages go on while less than this waits in the socket. */
const OUTPUT_BYTES_SOFT_MAX = 256 * 1024;

/**
 * Sends the retained messages that match a new subscription, page by page: a million of them neither
 * block the others nor fill memory. A page waits while the receiver's socket or window is full.
 */
export class RetainedReplay {
  readonly #context: BrokerContext;
  readonly #session: ClientSession;
  readonly #delivery: Delivery;
  readonly #subscription: Subscription;
  readonly #cursor: RetainedCursor;
  readonly #epoch: number;

  constructor(context: BrokerContext, session: ClientSession, subscription: Subscription) {
    this.#context = context;
    this.#session = session;
    this.#subscription = subscription;
    this.#delivery = new Delivery(subscription);
    this.#cursor = context.retained.cursor(subscription.filter);
    this.#epoch = session.epoch;
  }

  start(): void {
    this.#page();
  }

  #page(): void {
    const session = this.#session;
    const connection = session.connection;
    // Another connection has subscribed anew, or not at all; a gone subscription wants nothing.
    if (connection === null || session.epoch !== this.#epoch) return;
    if (!this.#stillSubscribed()) return;
    let pages = 0;
    for (;;) {
      if (connection.output.pendingBytes > OUTPUT_BYTES_SOFT_MAX || !this.#mayGoOn()) {
        this.#context.waitForRoom(session, () => this.#page());
        return;
      }
      const page = this.#cursor.next(PAGE_MESSAGES);
      if (page.length === 0) return;
      for (const [, message] of page) this.#send(message);
      pages += 1;
      if (pages >= PAGES_PER_TURN) break;
    }
    setImmediate(() => this.#page());
  }

  #stillSubscribed(): boolean {
    for (const subscription of this.#session.subscriptions.values()) {
      if (subscription === this.#subscription) return true;
    }
    return false;
  }

  /** QoS 1 and 2 pages wait for the window, so that the queue stays short. */
  #mayGoOn(): boolean {
    if (this.#subscription.qos === 0) return true;
    return this.#session.hasRoom && this.#session.queuedCount < PAGE_MESSAGES;
  }

  #send(retained: Message): void {
    const context = this.#context;
    if (retained.expiresAtMs !== 0 && retained.expiresAtMs <= context.nowMs()) {
      context.expireRetained(retained);
      return;
    }
    const delivery = this.#delivery;
    retained.publisher = RETAINED;
    if (Math.min(retained.qos, delivery.qos) > 0 && this.#session.durable) {
      this.#sendDurably(retained);
      return;
    }
    context.encoder.load(retained, context.nowMs());
    this.#session.deliver(retained, delivery);
  }

  /** A durable session gets a journal record of its own, so that a crash repeats it like any other. */
  #sendDurably(retained: Message): void {
    const { log } = this.#context;
    const session = this.#session;
    const { consumer } = session;
    if (consumer === null || log.full || !session.mayReceive(retained.topic, this.#delivery)) return;
    const offset = log.nextOffset;
    const start = log.appendDirect(retained, session);
    if (!consumer.live) return; // The catch-up finds it.
    if (!session.hasRoom) {
      consumer.fallBehind(offset);
      return;
    }
    log.plan(session, this.#delivery, {
      topic: retained.topic,
      kind: RECORD_KIND.direct,
      qos: Math.min(retained.qos, this.#delivery.qos),
      offset,
      bytes: null,
      start,
      end: log.builderEnd,
    });
  }
}
