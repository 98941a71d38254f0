/** Packets at random, legal and not so legal, from a small world of topics and clients. */
import type { SeededRandom } from '@robustmq/environment';
import { encodePacket, NO_PROPERTIES } from '@robustmq/mqtt-codec';
import type {
  Connect,
  Packet,
  Properties,
  ProtocolVersion,
  Qos,
  ReasonCode,
} from '@robustmq/mqtt-codec';

const TOPICS = ['a', 'a/b', 'a/b/c', 'b', '/', 'a//b', '$SYS/x', 'ä/😀', 'a'.repeat(300)];
const FILTERS = [...TOPICS, '#', '+', 'a/#', '+/b', '+/+/#', '$share/g/a/#', '$SYS/#', 'a/#/b', ''];
const CLIENTS = 64;
/** Spans with a meaning of their own in some field. */
const LENGTHS = [0, 1, 23, 127, 128, 1000, 16_384];

export class RandomPackets {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.#random.below(items.length)] as Item;
  }

  oneIn(times: number): boolean {
    return this.#random.below(times) === 0;
  }

  /** A CONNECT that the broker accepts. */
  connect(version: ProtocolVersion, clientId: string): Uint8Array {
    return encodePacket({ ...this.#connect(version, NO_PROPERTIES), clientId }, version);
  }

  /** Any packet, of either direction. */
  any(version: ProtocolVersion): Uint8Array {
    for (;;) {
      try {
        return encodePacket(this.#any(version), version);
      } catch {
        // The encoder refuses what it must not say; damage brings it about anyway.
      }
    }
  }

  #any(version: ProtocolVersion): Packet {
    const choice = this.#random.below(16);
    const packetIdentifier = this.#random.below(20);
    const properties = version === 5 ? this.#properties() : NO_PROPERTIES;
    const reasonCode = (version === 5 && this.oneIn(4) ? this.#random.below(256) : 0) as ReasonCode;
    if (choice < 5) return this.#publish(properties);
    if (choice < 7) return { kind: 'subscribe', packetIdentifier, properties, ...this.#filters() };
    switch (choice) {
      case 7:
        return this.#connect(version, properties);
      case 8: {
        const filters = this.#filters().subscriptions.map(({ filter }) => filter);
        return { kind: 'unsubscribe', packetIdentifier, filters, properties };
      }
      case 9:
      case 10:
      case 11:
      case 12: {
        const kind = this.pick(['puback', 'pubrec', 'pubrel', 'pubcomp'] as const);
        return { kind, packetIdentifier, reasonCode, properties };
      }
      case 13:
        return { kind: 'disconnect', reasonCode, properties };
      case 14:
        return this.oneIn(2) ? { kind: 'auth', reasonCode, properties } : { kind: 'pingreq' };
      default:
        return this.oneIn(2)
          ? { kind: 'connack', sessionPresent: true, reasonCode, properties }
          : { kind: 'suback', packetIdentifier, reasonCodes: [0, 1, 0x80], properties };
    }
  }

  #connect(version: ProtocolVersion, properties: Properties): Connect {
    const will = {
      ...{ topic: this.pick(TOPICS.slice(0, 4)), payload: this.#bytes(), qos: this.#qos() },
      ...{ retain: this.oneIn(8), properties: NO_PROPERTIES },
    };
    return {
      ...{ kind: 'connect', version, cleanStart: this.oneIn(2), keepAliveSeconds: 60 },
      clientId: `fuzz-${this.#random.below(CLIENTS)}`,
      will: this.oneIn(4) ? will : null,
      ...{ username: null, password: null, properties },
    };
  }

  #publish(properties: Properties): Packet {
    const qos = this.#qos();
    return {
      ...{ kind: 'publish', topic: this.pick(TOPICS), payload: this.#bytes(), qos, properties },
      ...{ retain: this.oneIn(8), dup: qos > 0 && this.oneIn(4) },
      packetIdentifier: qos === 0 ? 0 : 1 + this.#random.below(20),
    };
  }

  #filters(): Pick<Extract<Packet, { readonly kind: 'subscribe' }>, 'subscriptions'> {
    const subscriptions = Array.from({ length: 1 + this.#random.below(3) }, () => ({
      ...{ filter: this.pick(FILTERS), qos: this.#qos(), noLocal: this.oneIn(8) },
      retainAsPublished: this.oneIn(2),
      retainHandling: this.pick([0, 1, 2] as const),
    }));
    return { subscriptions };
  }

  #properties(): Properties {
    const all: Properties = {
      ...{ payloadFormatIndicator: 1, messageExpiryIntervalSeconds: this.#random.below(100) },
      ...{ contentType: 'x', responseTopic: this.pick(TOPICS), correlationData: this.#bytes() },
      ...{
        subscriptionIdentifiers: [this.#random.below(1000)],
        topicAlias: this.#random.below(300),
      },
      ...{
        sessionExpiryIntervalSeconds: this.#random.below(5),
        receiveMaximum: 1 + this.#random.below(9),
      },
      ...{ reasonString: 'r', authenticationMethod: 'm', willDelayIntervalSeconds: 1 },
      userProperties: [['a', 'b']],
      maximumPacketSizeBytes: 20 + this.#random.below(2000),
    };
    const chosen = Object.entries(all).filter(() => this.oneIn(8));
    return Object.fromEntries(chosen) as Properties;
  }

  #qos(): Qos {
    return this.pick([0, 1, 2] as const);
  }

  #bytes(): Uint8Array {
    return new Uint8Array(this.oneIn(50) ? this.pick(LENGTHS) : this.#random.below(20));
  }
}
