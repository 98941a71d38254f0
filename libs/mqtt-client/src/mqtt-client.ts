import type { Connack, Packet, Properties, Qos, SubscriptionRequest } from '@robustmq/mqtt-codec';
import { NO_PROPERTIES, ReasonCode, reasonCodeName } from '@robustmq/mqtt-codec';
import { Answers } from './answers.ts';
import { MqttClientError } from './client-error.ts';
import type { ConnectionEnd } from './client-error.ts';
import type { ResolvedClientOptions } from './client-options.ts';
import { ClientSession } from './client-session.ts';
import { InboundPublishes } from './inbound-publishes.ts';
import { KeepAlive } from './keep-alive.ts';
import type { MqttConnection } from './mqtt-connection.ts';
import { OutboundPublishes } from './outbound-publishes.ts';
import type { ReceivedMessage } from './received-message.ts';
import { ReceivedMessages } from './received-messages.ts';

/** A message to publish. */
export interface OutgoingMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos?: Qos;
  readonly retain?: boolean;
  readonly properties?: Properties;
}

const CLOSE_TIMEOUT_MS = 2000;

/**
 * A connected MQTT client. Made by `connect`.
 *
 * It does not reconnect: `closed` says that and why the connection is over, and `session` can be
 * given to the next one.
 */
export class MqttClient {
  /** Resolves once, when the connection is over; never rejects. */
  readonly closed: Promise<ConnectionEnd>;
  readonly connack: Connack;
  readonly session: ClientSession;
  /** The client identifier that holds: the server's, when it assigned one. */
  readonly clientId: string;
  readonly connection: MqttConnection;
  readonly #options: ResolvedClientOptions;
  readonly #answers = new Answers<readonly number[]>();
  readonly #outbound: OutboundPublishes;
  readonly #inbound: InboundPublishes;
  readonly #messages: ReceivedMessages;
  readonly #keepAlive: KeepAlive;

  constructor(connection: MqttConnection, connack: Connack, options: ResolvedClientOptions) {
    const { properties } = connack;
    this.connection = connection;
    this.connack = connack;
    this.#options = options;
    this.clientId = properties.assignedClientIdentifier ?? options.clientId;
    this.session = options.session ?? new ClientSession();
    if (!connack.sessionPresent) this.session.clear();
    this.#outbound = new OutboundPublishes(
      connection,
      this.session,
      properties.receiveMaximum ?? 65_535,
    );
    this.#inbound = new InboundPublishes(connection, this.session);
    this.#messages = new ReceivedMessages(options.waitingMessagesMax, {
      pause: () => connection.pause(),
      resume: () => connection.resume(),
    });
    const keepAliveSeconds = properties.serverKeepAliveSeconds ?? options.keepAliveSeconds;
    this.#keepAlive = new KeepAlive(connection, keepAliveSeconds, options.timeoutMs);
    this.closed = connection.closed.then((end) => {
      this.#keepAlive.stop();
      this.#outbound.failAll(end);
      this.#answers.failAll(end);
      this.#messages.end();
      return end;
    });
    this.#outbound.repeat();
    this.#keepAlive.start();
    connection.onPacket((packet) => this.#received(packet));
  }

  /**
   * Publishes one message. QoS 0 resolves once the socket takes more; QoS 1 with the reason code of
   * PUBACK; QoS 2 with that of PUBCOMP. The payload must not be changed before.
   *
   * @throws MqttClientError; see its faults for when the outcome is known
   */
  async publish(message: OutgoingMessage): Promise<number> {
    const packet = {
      kind: 'publish',
      topic: message.topic,
      payload: message.payload,
      qos: message.qos ?? 0,
      retain: message.retain ?? false,
      dup: false,
      properties: message.properties ?? NO_PROPERTIES,
    } as const;
    if (packet.qos > 0) return this.#outbound.publish(packet, this.#options.timeoutMs);
    this.#assertOpen('publish');
    if (this.connection.send({ ...packet, packetIdentifier: 0 }) === 'pending') {
      await this.connection.drained();
    }
    return ReasonCode.success;
  }

  /**
   * Subscribes; resolves with one reason code a filter, in order: the granted QoS, or 0x80 and more
   * for a filter that was refused.
   */
  async subscribe(
    subscriptions: readonly (Partial<SubscriptionRequest> & { readonly filter: string })[],
    properties: Properties = NO_PROPERTIES,
  ): Promise<readonly number[]> {
    return this.#ask('subscribe', (packetIdentifier) => ({
      kind: 'subscribe',
      packetIdentifier,
      properties,
      subscriptions: subscriptions.map((subscription) => ({
        qos: 0,
        noLocal: false,
        retainAsPublished: false,
        retainHandling: 0,
        ...subscription,
      })),
    }));
  }

  /** Unsubscribes; resolves with one reason code a filter, none before 5.0. */
  async unsubscribe(filters: readonly string[]): Promise<readonly number[]> {
    return this.#ask('unsubscribe', (packetIdentifier) => ({
      kind: 'unsubscribe',
      packetIdentifier,
      filters,
      properties: NO_PROPERTIES,
    }));
  }

  /** Every message in the order of arrival, until the connection is over. For one consumer. */
  async *messages(): AsyncGenerator<ReceivedMessage, void, void> {
    for (;;) {
      const message = await this.#messages.take();
      if (message === null) return;
      if (this.#options.acknowledge === 'taken') message.acknowledge();
      yield message;
    }
  }

  /** Says DISCONNECT and closes; resolves when the stream is over. */
  async disconnect(
    reasonCode: ReasonCode = ReasonCode.normalDisconnection,
    properties: Properties = NO_PROPERTIES,
  ): Promise<ConnectionEnd> {
    this.connection.send({ kind: 'disconnect', reasonCode, properties });
    return this.connection.close(CLOSE_TIMEOUT_MS);
  }

  /** Cuts the connection as a crash would: the server publishes the will message. */
  destroy(): void {
    this.connection.destroy();
  }

  async #ask(
    operation: 'subscribe' | 'unsubscribe',
    packetFor: (packetIdentifier: number) => Packet,
  ): Promise<readonly number[]> {
    this.#assertOpen(operation);
    const packetIdentifier = this.session.takeIdentifier();
    if (packetIdentifier === null) throw new RangeError('all packet identifiers are in use');
    const answer = this.#answers.expect(packetIdentifier, operation, this.#options.timeoutMs);
    this.connection.send(packetFor(packetIdentifier));
    try {
      return await answer;
    } finally {
      this.session.releaseIdentifier(packetIdentifier);
    }
  }

  #assertOpen(operation: string): void {
    const { end } = this.connection;
    if (end !== null) throw new MqttClientError({ code: 'CLIENT_CLOSED', operation, end });
  }

  #received(packet: Packet): void {
    switch (packet.kind) {
      case 'publish': {
        const message = this.#inbound.received(packet);
        if (message !== null) this.#hand(message);
        return;
      }
      case 'puback':
      case 'pubrec':
      case 'pubcomp':
        return this.#outbound.received(packet);
      case 'pubrel':
        return this.#inbound.released(packet.packetIdentifier);
      case 'suback':
      case 'unsuback':
        return this.#answers.settle(packet.packetIdentifier, packet.reasonCodes);
      case 'pingresp':
        return this.#keepAlive.answered();
      case 'disconnect': {
        const { reasonCode, properties } = packet;
        const reason = properties.reasonString ?? reasonCodeName(reasonCode);
        return this.connection.destroy({ kind: 'disconnected', reasonCode, reason });
      }
      default: {
        const reason = `the server sent ${packet.kind.toUpperCase()}, which was not asked for`;
        this.connection.destroy({ kind: 'failed', reason });
      }
    }
  }

  #hand(message: ReceivedMessage): void {
    const { onMessage, acknowledge } = this.#options;
    if (onMessage === null) {
      this.#messages.push(message);
      return;
    }
    onMessage(message);
    if (acknowledge === 'taken') message.acknowledge();
  }
}
