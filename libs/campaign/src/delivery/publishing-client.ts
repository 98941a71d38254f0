/**
 * A publisher with a durable session: numbers its messages, repeats after every reconnection what
 * was not acknowledged (MQTT-5.0 §4.4), and keeps the ledger.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Acknowledgement,
  type Connack,
  NO_PROPERTIES,
  type Packet,
  type ProtocolVersion,
  type Publish,
  ReasonCode,
} from '@robustmq/mqtt-codec';
import type { SeededRandom } from '@robustmq/environment';
import type { BrokerPlace } from './broker-place.ts';
import { type Ledger, OUTCOME, type Stream } from './ledger.ts';
import { payloadOf } from './payload.ts';
import { RoamingConnection } from './roaming-connection.ts';

const PACKET_IDENTIFIER_MAX = 65_535;
const DRAIN_POLL_MS = 20;

interface Exchange {
  readonly stream: Stream;
  readonly sequence: number;
  readonly publish: Publish;
  /** PUBREC was received. */
  released: boolean;
}

/** What it publishes. */
export interface PublishingOptions {
  readonly place: BrokerPlace;
  readonly ledger: Ledger;
  readonly random: SeededRandom;
  readonly clientId: string;
  readonly version: ProtocolVersion;
  readonly streams: readonly Stream[];
  readonly windowMax: number;
  readonly fillerBytesMax: number;
}

export class PublishingClient {
  readonly connection: RoamingConnection;
  readonly #options: PublishingOptions;
  readonly #exchanges = new Map<number, Exchange>();
  #window: number;
  #lastIdentifier = 0;
  #due = 0;
  #turn = 0;
  #hadSession = false;
  #online = false;
  /** Reason codes of 0x80 and more, and how often each came. */
  readonly refusals: Map<number, number> = new Map();
  lastAcknowledgedAtMs = 0;
  /** The longest time between two acknowledgements. */
  gapMsMax = 0;

  constructor(options: PublishingOptions) {
    this.#options = options;
    this.#window = options.windowMax;
    this.connection = new RoamingConnection({
      place: options.place,
      clientId: options.clientId,
      version: options.version,
      will: null,
      session: 'durable',
      onConnected: (connack) => this.#connected(connack),
      onPacket: (packet) => this.#received(packet),
      onLost: () => {
        this.#online = false;
      },
    });
  }

  /** Messages that are not acknowledged to the end. */
  get openExchanges(): number {
    return this.#exchanges.size;
  }

  /** Allows `messages` more; what the window has no room for is forgone, not saved up. */
  allow(messages: number): void {
    this.#due = Math.min(this.#due + messages, Math.max(1, this.#options.windowMax));
    this.#pump();
  }

  /** Publishes no more and waits until everything is acknowledged. @returns false at the deadline */
  async drain(limitMs: number): Promise<boolean> {
    this.#due = 0;
    const deadlineMs = performance.now() + limitMs;
    while (this.#exchanges.size > 0 && performance.now() < deadlineMs) await delay(DRAIN_POLL_MS);
    return this.#exchanges.size === 0;
  }

  #connected(connack: Connack): void {
    const { windowMax, ledger, clientId } = this.#options;
    this.#window = Math.min(windowMax, connack.properties.receiveMaximum ?? windowMax);
    if (this.#hadSession && !connack.sessionPresent) ledger.sessionLost(clientId);
    this.#hadSession = true;
    this.#online = true;
    for (const [identifier, exchange] of this.#exchanges) this.#repeat(identifier, exchange);
    this.#pump();
  }

  #repeat(identifier: number, { released, publish }: Exchange): void {
    if (released) this.connection.send(pubrel(identifier));
    else this.connection.send({ ...publish, dup: true });
  }

  #pump(): void {
    while (this.#online && this.#due >= 1 && this.#exchanges.size < this.#window) {
      this.#due -= 1;
      this.#publishNext();
    }
  }

  #publishNext(): void {
    const { streams, random, fillerBytesMax } = this.#options;
    const stream = streams[this.#turn++ % streams.length] as Stream;
    const sequence = ++stream.published;
    stream.outcomes[sequence] = OUTCOME.unknown;
    const packetIdentifier = this.#freeIdentifier();
    const publish: Publish = {
      kind: 'publish',
      topic: stream.topic,
      payload: payloadOf(stream.topic, sequence, random.below(fillerBytesMax + 1)),
      qos: stream.qos,
      retain: stream.retain,
      dup: false,
      packetIdentifier,
      properties: NO_PROPERTIES,
    };
    this.#exchanges.set(packetIdentifier, { stream, sequence, publish, released: false });
    this.connection.send(publish);
  }

  #freeIdentifier(): number {
    do this.#lastIdentifier = (this.#lastIdentifier % PACKET_IDENTIFIER_MAX) + 1;
    while (this.#exchanges.has(this.#lastIdentifier));
    return this.#lastIdentifier;
  }

  #received(packet: Packet): void {
    if (packet.kind === 'puback' || packet.kind === 'pubrec') this.#answered(packet);
    else if (packet.kind === 'pubcomp') this.#finished(packet.packetIdentifier);
  }

  #answered({ kind, packetIdentifier, reasonCode }: Acknowledgement): void {
    const exchange = this.#exchanges.get(packetIdentifier);
    if (exchange === undefined) return;
    const refused = reasonCode >= 0x80;
    exchange.stream.outcomes[exchange.sequence] = refused ? OUTCOME.refused : OUTCOME.acknowledged;
    if (refused) this.refusals.set(reasonCode, (this.refusals.get(reasonCode) ?? 0) + 1);
    else this.#noteGap();
    if (kind === 'pubrec' && !refused) {
      exchange.released = true;
      this.connection.send(pubrel(packetIdentifier));
    } else this.#finished(packetIdentifier);
  }

  #noteGap(): void {
    const nowMs = performance.now();
    if (this.lastAcknowledgedAtMs > 0) {
      this.gapMsMax = Math.max(this.gapMsMax, nowMs - this.lastAcknowledgedAtMs);
    }
    this.lastAcknowledgedAtMs = nowMs;
  }

  #finished(packetIdentifier: number): void {
    this.#exchanges.delete(packetIdentifier);
    this.#pump();
  }
}

function pubrel(packetIdentifier: number): Acknowledgement {
  const reasonCode = ReasonCode.success;
  return { kind: 'pubrel', packetIdentifier, reasonCode, properties: NO_PROPERTIES };
}
