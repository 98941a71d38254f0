import {
  type Delivery,
  type Message,
  type Subscriber,
  type Subscription,
  type Topic,
} from '@robustmq/broker';
import type { ClientIdentity } from '@robustmq/access';
import { ExchangeState, InboundReceipts, OutboundWindow } from '@robustmq/mqtt-session';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientConnection } from '../connection/client-connection.ts';
import { needsOwnProperties, WireFlavour } from '../connection/publish-encoder.ts';
import type { RepeatedPublishLookUp, SessionReader } from '../durable/broker-log.ts';
import { MessageQueue } from './message-queue.ts';
import { aliasFor } from './outbound-alias.ts';
import { SharedInflight } from './shared-inflight.ts';
import type { WillMessage } from './will-message.ts';

const NO_SUBSCRIPTIONS: ReadonlyMap<string, Subscription> = new Map();

/**
 * What outlives a connection (MQTT-5.0 §4.1, [MQTT-4.1.0-1]): subscriptions, open exchanges and what
 * waits for the client. One flat object per client; maps and windows are made when first needed, so that an idle
 * session costs a few hundred bytes.
 *
 * A session is either *ephemeral* (it ends with its connection: messages for it are kept in memory
 * at most) or *durable* (session expiry above 0: its QoS 1 and 2 messages live in the journal and the
 * window holds offsets).
 */
export class ClientSession implements Subscriber {
  readonly clientId: string;
  identity: ClientIdentity;
  /** Number in the journal's records; 0 for an ephemeral session. */
  number = 0;
  /** Grows with every connection of this client identifier: the fence and the order of presence. */
  epoch = 0;
  /** By which this broker owns the session in its cluster; 0: nobody else knows of it. */
  ownerEpoch = 0;
  sessionExpirySeconds: number;
  connection: ClientConnection | null = null;
  will: WillMessage | null = null;
  superuser = false;
  /** Place in the journal; null for an ephemeral session. */
  consumer: SessionReader | null = null;
  /** When the session ends, in milliseconds since 1970; Infinity: never or connected. */
  expiresAtMs: number = Number.POSITIVE_INFINITY;
  /** Open exchanges are being repeated: nothing may overtake them. */
  resending = false;
  /** Null: every QoS 2 message that was taken has its receipt. */
  repeats: RepeatedPublishLookUp | null = null;
  /** A retained replay waits for room. */
  replayWaits = false;
  readonly #context: BrokerContext;
  #subscriptions: Map<string, Subscription> | null = null;
  #window: OutboundWindow | null = null;
  #receipts: InboundReceipts | null = null;
  #queue: MessageQueue | null = null;
  #unsent: Set<number> | null = null;
  #grouped = false;
  /** Messages of shared subscriptions that are under way: given to another member if this one leaves. */
  #shared: SharedInflight | null = null;
  /** Exchanges whose message a durable group gave: its key by packet identifier. */
  #givers: Map<number, string> | null = null;

  constructor(
    context: BrokerContext,
    identity: ClientIdentity,
    options: { readonly sessionExpirySeconds: number },
  ) {
    this.#context = context;
    this.clientId = identity.clientId;
    this.identity = identity;
    this.sessionExpirySeconds = options.sessionExpirySeconds;
  }

  get durable(): boolean {
    return this.consumer !== null;
  }

  get online(): boolean {
    return this.connection !== null;
  }

  get inflight(): number {
    return (this.#window?.count ?? 0) + (this.#queue?.count ?? 0);
  }

  get queuedCount(): number {
    return this.#queue?.count ?? 0;
  }

  get subscriptions(): ReadonlyMap<string, Subscription> {
    return this.#subscriptions ?? NO_SUBSCRIPTIONS;
  }

  get window(): OutboundWindow {
    this.#window ??= new OutboundWindow(this.connection?.terms.sendMaximum ?? 65535);
    return this.#window;
  }

  get hasWindow(): boolean {
    return this.#window !== null;
  }

  get receipts(): InboundReceipts {
    this.#receipts ??= new InboundReceipts();
    return this.#receipts;
  }

  get receiptCount(): number {
    return this.#receipts?.count ?? 0;
  }

  /** @param key  the filter as subscribed, `$share/…` prefix included */
  addSubscription(key: string, subscription: Subscription): void {
    this.#subscriptions ??= new Map();
    this.#subscriptions.set(key, subscription);
    if (isOfSys(subscription)) this.#context.sysWatchers += 1;
  }

  /** It is a member of some shared group. Call after a subscription was routed. */
  noteGroups(): void {
    this.#grouped = false;
    for (const subscription of this.subscriptions.values()) {
      if (subscription.group !== null) this.#grouped = true;
    }
  }

  removeSubscription(key: string): Subscription | undefined {
    const subscription = this.#subscriptions?.get(key);
    if (subscription === undefined) return undefined;
    this.#subscriptions?.delete(key);
    if (isOfSys(subscription)) this.#context.sysWatchers -= 1;
    return subscription;
  }

  /** Something other than the queue goes on when there is room: catch-up, groups, a retained replay. */
  get waitsForRoom(): boolean {
    return (this.consumer !== null && !this.consumer.live) || this.#grouped || this.replayWaits;
  }

  /**
   * Room for one more message in window (MQTT-5.0 [MQTT-4.9.0-2]) and socket. Other packets never ask:
   * the quota holds up messages only ([MQTT-3.3.4-10], [MQTT-4.9.0-3]).
   */
  get hasRoom(): boolean {
    const connection = this.connection;
    if (connection === null) return false;
    if (this.resending || this.#window?.isFull === true) return false;
    const { limits } = this.#context.settings;
    if (this.#shared !== null && this.#shared.bytes > limits.inflightBytesMax) return false;
    return connection.output.pendingBytes < limits.outputBytesMax;
  }

  /** The live path: a message that no journal keeps for this session. */
  deliver(message: Message, delivery: Delivery): void {
    const connection = this.connection;
    if (connection === null) return;
    // MQTT-5.0 [MQTT-3.8.3-3].
    if (delivery.noLocal && message.publisher === this) return;
    if (delivery.own !== null && message.publisher === this) {
      this.deliver(message, delivery.own);
      return;
    }
    if (!this.mayReceive(message.topic, delivery)) return;
    // MQTT-5.0 [MQTT-3.8.4-8], and for a group [MQTT-4.8.2-3].
    const qos = message.qos < delivery.qos ? message.qos : delivery.qos;
    if (qos === 0) this.#deliverAtMostOnce(connection, message, delivery);
    else this.#deliverLive(message, delivery, qos);
  }

  /** Takes what waits, as far as window and socket allow. */
  pump(): void {
    const queue = this.#queue;
    if (queue !== null) this.#pumpQueue(queue);
    if (!this.hasRoom) return;
    this.consumer?.roomAvailable();
    if (this.#grouped) this.#context.groups.roomAvailable(this);
    this.#context.roomAvailable(this);
  }

  /** Closes an exchange: the acknowledgement came. @returns false when it was not open */
  completeExchange(identifier: number): boolean {
    const window = this.#window;
    if (window === null) return false;
    const offset = this.#givers === null ? -1 : window.offsetOf(identifier);
    if (!window.release(identifier)) return false;
    if (this.#shared !== null) this.#shared.forget(identifier);
    if (offset >= 0) this.#tellGiver(identifier, offset);
    if (this.#queue !== null || this.waitsForRoom) this.pump();
    return true;
  }

  /**
   * The live path of a durable group: the group keeps the message until this ephemeral member, which
   * has room, acknowledges it with QoS 1.
   *
   * @returns its packet identifier, 0: it was given up
   */
  deliverGiven(
    message: Message,
    delivery: Delivery,
    given: { readonly offset: number; readonly by: string },
  ): number {
    const { window } = this;
    const identifier = window.take(ExchangeState.awaitingPuback);
    if (identifier === 0) return 0;
    window.setOffset(identifier, given.offset);
    this.noteGiver(identifier, given.by);
    if (this.send(message, delivery, { qos: 1, identifier, dup: false })) return identifier;
    window.release(identifier);
    this.forgetGiver(identifier);
    return 0;
  }

  noteGiver(identifier: number, groupKey: string): void {
    this.#givers ??= new Map();
    this.#givers.set(identifier, groupKey);
  }

  forgetGiver(identifier: number): void {
    this.#givers?.delete(identifier);
  }

  /** Open exchanges that durable groups gave, in the order of the journal. */
  givenExchanges(): {
    readonly identifier: number;
    readonly by: string;
    readonly offset: number;
  }[] {
    const found: { identifier: number; by: string; offset: number }[] = [];
    for (const [identifier, by] of this.#givers ?? []) {
      found.push({ identifier, by, offset: this.window.offsetOf(identifier) });
    }
    return found.sort((a, b) => a.offset - b.offset);
  }

  giverOf(identifier: number): string | null {
    return this.#givers?.get(identifier) ?? null;
  }

  #tellGiver(identifier: number, offset: number): void {
    const by = this.giverOf(identifier);
    if (by === null) return;
    this.forgetGiver(identifier);
    // A durable member's own record of the exchange is what the journal has.
    if (!this.durable) this.#context.groups.acknowledged(by, offset);
  }

  /** Writes a message whose exchange is open; `identifier` 0 for QoS 0. */
  send(
    message: Message,
    delivery: Delivery,
    packet: { qos: number; identifier: number; dup: boolean },
  ): boolean {
    const connection = this.connection;
    if (connection === null) return false;
    // MQTT-5.0 [MQTT-3.3.1-12], [MQTT-3.3.1-13].
    const retain = message.retain && (delivery.retainAsPublished || message.publisher === RETAINED);
    // DUP tells of a repetition of ours (MQTT-5.0 [MQTT-3.3.1-1]), whatever came in ([MQTT-3.3.1-3]).
    const header = 0x30 | (packet.dup ? 0x08 : 0) | (packet.qos << 1) | (retain ? 0x01 : 0);
    const encoder = this.#context.encoder;
    if (connection.version !== 5) {
      encoder.write(connection.output, WireFlavour.plain, header, packet.identifier);
    } else if (
      !this.#sendWithProperties(connection, message, delivery, header, packet.identifier)
    ) {
      return false;
    }
    const { counters } = this.#context;
    if (packet.qos === 0) counters.publishSentQos0 += 1;
    else if (packet.qos === 1) counters.publishSentQos1 += 1;
    else counters.publishSentQos2 += 1;
    return true;
  }

  /** A change of one exchange, durable with the open commit group. */
  logExchange(code: number, identifier: number): void {
    this.#context.log.exchange(code, this, identifier);
  }

  /** What to give to other members of their groups, because this session ends. */
  takeShared(): { readonly message: Message; readonly delivery: Delivery }[] {
    const window = this.#window;
    const taken: { message: Message; delivery: Delivery }[] = [];
    for (const entry of this.#shared?.entries() ?? []) {
      const state = window?.stateOf(entry.identifier);
      // A QoS 2 message that was sent is the client's (MQTT-5.0 [MQTT-4.8.2-4], [MQTT-4.8.2-5]).
      if (state === ExchangeState.awaitingPuback) taken.push(entry);
    }
    this.#shared = null;
    for (let item = this.#queue?.shift(); item !== undefined; item = this.#queue?.shift()) {
      this.#context.queuedBytes -= item.message.byteCost;
      if (item.delivery.group !== null) taken.push(item);
    }
    this.#queue = null;
    return taken;
  }

  /** A committed delivery that must wait for the repeated ones. */
  addUnsent(identifier: number): void {
    this.#unsent ??= new Set();
    this.#unsent.add(identifier);
  }

  takeUnsent(): ReadonlySet<number> {
    const unsent = this.#unsent ?? new Set<number>();
    this.#unsent = null;
    return unsent;
  }

  /** Live messages that wait in memory end with the connection (durable ones are in the journal). */
  dropQueue(): void {
    for (let item = this.#queue?.shift(); item !== undefined; item = this.#queue?.shift()) {
      this.#context.queuedBytes -= item.message.byteCost;
    }
    this.#queue = null;
  }

  /** One that has grown stays so; between two connections no acknowledgement is under way. */
  forgetEmptyWindow(): void {
    if (this.#window?.count === 0) this.#window = null;
  }

  /** The session is over: nothing of it waits any more. */
  resetExchanges(): void {
    this.dropQueue();
    for (const subscription of this.subscriptions.values()) {
      if (isOfSys(subscription)) this.#context.sysWatchers -= 1;
    }
    this.#subscriptions = null;
    this.#window = null;
    this.#receipts = null;
    this.#unsent = null;
    this.#givers = null;
  }

  #deliverAtMostOnce(connection: ClientConnection, message: Message, delivery: Delivery): void {
    if (!connection.accepted) return; // Offline until CONNACK.
    const limits = this.#context.settings.limits;
    if (connection.output.pendingBytes >= limits.outputBytesMax || this.#context.overloaded) {
      this.#context.counters.droppedQueueFullQos0 += 1;
      return;
    }
    // MQTT-5.0 [MQTT-4.3.1-1], [MQTT-2.2.1-2].
    this.send(message, delivery, { qos: 0, identifier: 0, dup: false });
  }

  #deliverLive(message: Message, delivery: Delivery, qos: number): void {
    const queue = this.#queue;
    // Behind those that wait: every topic is ordered (MQTT-5.0 [MQTT-4.6.0-5], [MQTT-4.6.0-6]).
    if ((queue !== null && queue.count > 0) || !this.hasRoom) {
      this.#enqueue(message, delivery);
      return;
    }
    const identifier = this.window.take(
      qos === 1 ? ExchangeState.awaitingPuback : ExchangeState.awaitingPubrec,
    );
    if (identifier === 0) {
      this.#enqueue(message, delivery);
      return;
    }
    if (delivery.group !== null) this.#rememberShared(identifier, message, delivery);
    // MQTT-5.0 [MQTT-4.3.2-2], [MQTT-4.3.3-2].
    if (!this.send(message, delivery, { qos, identifier, dup: false })) {
      this.#window?.release(identifier);
      this.#shared?.forget(identifier);
    }
  }

  #enqueue(message: Message, delivery: Delivery): void {
    const limits = this.#context.settings.limits;
    this.#queue ??= new MessageQueue();
    const queue = this.#queue;
    if (
      queue.count >= limits.queuedMessagesMax ||
      queue.bytes + message.byteCost > limits.queuedBytesMax
    ) {
      this.#context.counters.droppedQueueFull += 1;
      return;
    }
    const kept = this.#context.keepShared(message);
    queue.push({ message: kept, delivery });
    this.#context.queuedBytes += kept.byteCost;
  }

  #pumpQueue(queue: MessageQueue): void {
    const context = this.#context;
    while (queue.count > 0 && this.hasRoom) {
      const item = queue.shift();
      if (item === undefined) break;
      const { message, delivery } = item;
      context.queuedBytes -= message.byteCost;
      // MQTT-5.0 [MQTT-3.3.2-5].
      if (message.expiresAtMs !== 0 && message.expiresAtMs <= context.nowMs()) {
        context.counters.droppedExpired += 1;
        continue;
      }
      if (!this.allows(message.topic, delivery)) {
        this.#refused(message, delivery);
        continue;
      }
      const qos = message.qos < delivery.qos ? message.qos : delivery.qos;
      const identifier = this.window.take(
        qos === 1 ? ExchangeState.awaitingPuback : ExchangeState.awaitingPubrec,
      );
      if (delivery.group !== null) this.#rememberShared(identifier, message, delivery);
      context.encoder.load(message, context.nowMs());
      if (!this.send(message, delivery, { qos, identifier, dup: false })) {
        this.#window?.release(identifier);
        this.#shared?.forget(identifier);
      }
    }
    if (queue.count === 0 && this.#queue === queue) this.#queue = null;
  }

  #rememberShared(identifier: number, message: Message, delivery: Delivery): void {
    this.#shared ??= new SharedInflight();
    this.#shared.remember(identifier, message, delivery);
  }

  /** The right was taken away while it waited: another member of its group may have it. */
  #refused(message: Message, delivery: Delivery): void {
    if (delivery.group === null) this.#context.counters.droppedNotAuthorized += 1;
    else this.#context.groups.offerToAnother(delivery.group, message);
  }

  /** Whether the rules let this session have messages of `topic`. */
  allows(topic: Topic, delivery: Delivery): boolean {
    const access = this.#context.access;
    if (delivery.accessRevision !== access.revision || delivery.accessTopic !== topic) {
      delivery.accessRevision = access.revision;
      delivery.accessTopic = topic;
      delivery.allowed = this.superuser || access.mayReceive(this.identity, topic.name);
    }
    return delivery.allowed;
  }

  /** Rights are checked where a message is delivered, not only where it enters; a refusal is counted. */
  mayReceive(topic: Topic, delivery: Delivery): boolean {
    if (this.allows(topic, delivery)) return true;
    this.#context.counters.droppedNotAuthorized += 1;
    return false;
  }

  #sendWithProperties(
    connection: ClientConnection,
    message: Message,
    delivery: Delivery,
    header: number,
    identifier: number,
  ): boolean {
    const encoder = this.#context.encoder;
    const output = connection.output;
    const limit = connection.terms.maximumPacketSizeOutbound;
    const aliases = connection.outboundAliases;
    if (aliases === null && delivery.identifiers.length === 0) {
      if (encoder.sizeFor(WireFlavour.properties, header & 0x06) > limit) return this.#tooLarge();
      encoder.write(output, WireFlavour.properties, header, identifier);
      return true;
    }
    const alias = aliasFor(aliases, message.topic);
    if (!needsOwnProperties(delivery, alias.topicAlias)) {
      if (encoder.sizeFor(WireFlavour.properties, header & 0x06) > limit) return this.#tooLarge();
      encoder.write(output, WireFlavour.properties, header, identifier);
      return true;
    }
    const receiver = { identifiers: delivery.identifiers, ...alias };
    if (encoder.sizeWith(header & 0x06, receiver) > limit) return this.#tooLarge();
    encoder.writeFor(output, { header, identifier }, receiver);
    if (alias.withTopic && alias.topicAlias > 0) aliases?.assign(message.topic);
    return true;
  }

  /** Dropped as if it had been sent (MQTT-5.0 [MQTT-3.1.2-25]). */
  #tooLarge(): boolean {
    this.#context.counters.droppedTooLarge += 1;
    return false;
  }
}

/** Publisher of a direct journal record: written because the message is retained, so its flag stays (MQTT-5.0 [MQTT-3.3.1-8]). */
export const RETAINED: object = { retained: true };

function isOfSys(subscription: Subscription): boolean {
  return subscription.filter.startsWith('$SYS/');
}
