/** A subscriber with a durable session that enters everything it gets into the ledger. */
import {
  type Acknowledgement,
  type Connack,
  NO_PROPERTIES,
  type Packet,
  type ProtocolVersion,
  type Publish,
  ReasonCode,
} from '@robustmq/mqtt-codec';
import type { BrokerPlace } from './broker-place.ts';
import type { Ledger } from './ledger.ts';
import { sequenceOf } from './payload.ts';
import { RoamingConnection } from './roaming-connection.ts';

const SUBSCRIBE_IDENTIFIER = 1;
export const WILL_TOPICS = 'wills/';

/** What it subscribes to, and into which account its deliveries go. */
export interface SubscribingOptions {
  readonly place: BrokerPlace;
  readonly ledger: Ledger;
  readonly clientId: string;
  readonly account: string;
  readonly version: ProtocolVersion;
  readonly filters: readonly string[];
}

export class SubscribingClient {
  readonly connection: RoamingConnection;
  /** Resolves once the broker has confirmed the subscription. */
  readonly subscribed: Promise<void>;
  readonly #options: SubscribingOptions;
  /** QoS 2 messages that are taken and not released (MQTT-5.0 §4.3.3). */
  readonly #taken = new Set<number>();
  #hadSession = false;
  #isSubscribed = false;
  #confirm: () => void = () => undefined;

  constructor(options: SubscribingOptions) {
    this.#options = options;
    this.subscribed = new Promise((resolve) => {
      this.#confirm = resolve;
    });
    this.connection = new RoamingConnection({
      place: options.place,
      clientId: options.clientId,
      version: options.version,
      will: null,
      session: 'durable',
      onConnected: (connack) => this.#connected(connack),
      onPacket: (packet) => this.#received(packet),
      onLost: () => undefined,
    });
  }

  #connected({ sessionPresent }: Connack): void {
    if (!sessionPresent) {
      if (this.#hadSession) this.#options.ledger.sessionLost(this.#options.clientId);
      this.#taken.clear();
      this.#isSubscribed = false;
    }
    this.#hadSession = true;
    if (!this.#isSubscribed) this.#subscribe();
  }

  #subscribe(): void {
    this.connection.send({
      kind: 'subscribe',
      packetIdentifier: SUBSCRIBE_IDENTIFIER,
      properties: NO_PROPERTIES,
      subscriptions: this.#options.filters.map((filter) => ({
        filter,
        qos: 2,
        noLocal: false,
        retainAsPublished: false,
        retainHandling: 0,
      })),
    });
  }

  #received(packet: Packet): void {
    if (packet.kind === 'publish') this.#take(packet);
    else if (packet.kind === 'pubrel') {
      this.#taken.delete(packet.packetIdentifier);
      this.connection.send(answer('pubcomp', packet.packetIdentifier));
    } else if (packet.kind === 'suback') {
      if (packet.reasonCodes.some((code) => code >= 0x80)) {
        throw new Error(`${this.#options.clientId}: refused subscription ${packet.reasonCodes}`);
      }
      this.#isSubscribed = true;
      this.#confirm();
    }
  }

  #take(publish: Publish): void {
    const { qos, packetIdentifier } = publish;
    if (qos === 2) {
      const isRepeated = this.#taken.has(packetIdentifier);
      this.#taken.add(packetIdentifier);
      if (!isRepeated) this.#enter(publish);
      this.connection.send(answer('pubrec', packetIdentifier));
      return;
    }
    this.#enter(publish);
    if (qos === 1) this.connection.send(answer('puback', packetIdentifier));
  }

  #enter({ topic, payload }: Publish): void {
    const { ledger, account } = this.#options;
    if (topic.startsWith(WILL_TOPICS)) ledger.receiveWill(topic);
    else ledger.deliver(account, topic, sequenceOf(topic, payload));
  }
}

function answer(kind: Acknowledgement['kind'], packetIdentifier: number): Acknowledgement {
  const reasonCode = ReasonCode.success;
  return { kind, packetIdentifier, reasonCode, properties: NO_PROPERTIES };
}
