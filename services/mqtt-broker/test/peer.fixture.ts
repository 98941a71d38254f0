import { MqttConnection, openConnection } from '@robustmq/mqtt-client';
import type {
  Connack,
  Connect,
  Packet,
  Properties,
  ProtocolVersion,
  Publish,
  Qos,
  SubscriptionRequest,
  Will,
} from '@robustmq/mqtt-codec';

const DEADLINE_MS = 15_000;
const UTF8 = new TextEncoder();
let clientCount = 0;

export interface ConnectOptions {
  readonly version?: ProtocolVersion;
  readonly clientId?: string;
  readonly cleanStart?: boolean;
  readonly keepAliveSeconds?: number;
  readonly will?: WillOptions | null;
  readonly username?: string | null;
  readonly password?: Uint8Array | null;
  readonly properties?: Properties;
}

export interface WillOptions {
  readonly topic?: string;
  readonly payload?: string;
  readonly qos?: Qos;
  readonly retain?: boolean;
  readonly properties?: Properties;
}

export interface PublishOptions {
  readonly qos?: Qos;
  readonly retain?: boolean;
  readonly dup?: boolean;
  readonly packetIdentifier?: number;
  readonly properties?: Properties;
}

export type SubscribeOptions = Partial<Omit<SubscriptionRequest, 'filter'>> & {
  readonly properties?: Properties;
};

/** The packet type that may be of `Kind`; one type covers the four acknowledgements. */
type PacketOf<Kind extends Packet['kind'], Each = Packet> = Each extends Packet
  ? Kind extends Each['kind']
    ? Each
    : never
  : never;
type Expected<Kind extends Packet['kind']> = PacketOf<Kind>;

/**
 * A client without manners: it sends what the test says and shows every packet that arrives, in
 * order. Nothing is acknowledged by itself.
 */
export class Peer {
  readonly version: ProtocolVersion;
  readonly raw: MqttConnection;
  #connack: Connack | null = null;
  #lastIdentifier = 0;

  private constructor(raw: MqttConnection) {
    this.raw = raw;
    this.version = raw.version;
  }

  static async open(port: number, version: ProtocolVersion): Promise<Peer> {
    const address = { host: '127.0.0.1', port, tls: null };
    return new Peer(await openConnection(address, version, DEADLINE_MS));
  }

  get connack(): Connack {
    if (this.#connack === null) throw new Error('not connected');
    return this.#connack;
  }

  /** CONNECT and its CONNACK, which must accept. */
  async connect(options: ConnectOptions = {}): Promise<Connack> {
    const connack = await this.tryConnect(options);
    if (connack.reasonCode !== 0) throw new Error(`CONNACK ${connack.reasonCode}`);
    return connack;
  }

  async tryConnect(options: ConnectOptions = {}): Promise<Connack> {
    this.send(connectPacket(this.version, options));
    this.#connack = await this.expect('connack');
    return this.#connack;
  }

  send(...packets: readonly Packet[]): void {
    for (const packet of packets) this.raw.send(packet);
  }

  sendBytes(...bytes: readonly number[]): void {
    this.raw.sendBytes(Uint8Array.from(bytes));
  }

  /** The next packet, which must be of this kind. */
  async expect<Kind extends Packet['kind']>(kind: Kind): Promise<Expected<Kind>> {
    const packet = await this.raw.next(DEADLINE_MS);
    if (packet === null) throw new Error(`expected ${kind}, the stream is over`);
    if (packet.kind !== kind) throw new Error(`expected ${kind}, got ${JSON.stringify(packet)}`);
    return packet as Expected<Kind>;
  }

  /** Nothing came before this moment that was not taken: a ping comes back first. */
  async expectNothing(): Promise<void> {
    this.send({ kind: 'pingreq' });
    await this.expect('pingresp');
  }

  /** The broker closes; 5.0 tells why. @returns the reason code, null when it says nothing */
  async expectClosed(): Promise<number | null> {
    const packet = await this.raw.next(DEADLINE_MS);
    if (packet === null) return null;
    if (packet.kind !== 'disconnect') throw new Error(`expected the end, got ${packet.kind}`);
    const after = await this.raw.next(DEADLINE_MS);
    if (after !== null) throw new Error(`${after.kind} after DISCONNECT`);
    return packet.reasonCode;
  }

  /** @returns the codes of SUBACK */
  async subscribe(filter: string, options: SubscribeOptions = {}): Promise<readonly number[]> {
    return this.subscribeAll([subscriptionOf(filter, options)], options.properties);
  }

  async subscribeAll(
    subscriptions: readonly SubscriptionRequest[],
    properties: Properties = {},
  ): Promise<readonly number[]> {
    const packetIdentifier = this.nextIdentifier();
    this.send({ kind: 'subscribe', packetIdentifier, subscriptions, properties });
    const suback = await this.expect('suback');
    if (suback.packetIdentifier !== packetIdentifier) throw new Error('another SUBACK');
    return suback.reasonCodes;
  }

  async unsubscribe(...filters: readonly string[]): Promise<readonly number[]> {
    const packetIdentifier = this.nextIdentifier();
    this.send({ kind: 'unsubscribe', packetIdentifier, filters, properties: {} });
    const unsuback = await this.expect('unsuback');
    if (unsuback.packetIdentifier !== packetIdentifier) throw new Error('another UNSUBACK');
    return unsuback.reasonCodes;
  }

  /** Publishes and goes through the whole exchange. @returns the reason code of PUBACK or PUBREC */
  async publish(topic: string, payload = '', options: PublishOptions = {}): Promise<number> {
    const packet = publishPacket(topic, payload, {
      ...options,
      packetIdentifier: options.qos ? (options.packetIdentifier ?? this.nextIdentifier()) : 0,
    });
    this.send(packet);
    if (packet.qos === 0) {
      // The answer says that the message was handled.
      await this.expectNothing();
      return 0;
    }
    if (packet.qos === 1) return (await this.expect('puback')).reasonCode;
    const { reasonCode } = await this.expect('pubrec');
    if (reasonCode >= 0x80) return reasonCode;
    this.send(acknowledgement('pubrel', packet.packetIdentifier));
    await this.expect('pubcomp');
    return reasonCode;
  }

  /** The next message, acknowledged in full. */
  async receive(): Promise<Publish> {
    const publish = await this.expect('publish');
    if (publish.qos === 1) this.send(acknowledgement('puback', publish.packetIdentifier));
    if (publish.qos === 2) {
      this.send(acknowledgement('pubrec', publish.packetIdentifier));
      await this.expect('pubrel');
      this.send(acknowledgement('pubcomp', publish.packetIdentifier));
    }
    return publish;
  }

  /** The payload of the next message as text. */
  async receiveText(): Promise<string> {
    return textOf(await this.receive());
  }

  /** DISCONNECT, and the end of the stream. */
  async disconnect(reasonCode = 0, properties: Properties = {}): Promise<void> {
    this.send({ kind: 'disconnect', reasonCode: reasonCode as 0, properties });
    await this.raw.next(DEADLINE_MS);
  }

  /** As when the client's machine dies. */
  destroy(): void {
    this.raw.destroy();
  }

  nextIdentifier(): number {
    this.#lastIdentifier += 1;
    return this.#lastIdentifier;
  }
}

export function connectPacket(version: ProtocolVersion, options: ConnectOptions = {}): Connect {
  clientCount += 1;
  return {
    kind: 'connect',
    version,
    cleanStart: options.cleanStart ?? true,
    keepAliveSeconds: options.keepAliveSeconds ?? 0,
    clientId: options.clientId ?? `peer-${clientCount}`,
    will: options.will === undefined || options.will === null ? null : willOf(options.will),
    username: options.username ?? null,
    password: options.password ?? null,
    properties: options.properties ?? {},
  };
}

function willOf(options: WillOptions): Will {
  return {
    topic: options.topic ?? 'will',
    payload: UTF8.encode(options.payload ?? 'gone'),
    qos: options.qos ?? 0,
    retain: options.retain ?? false,
    properties: options.properties ?? {},
  };
}

export function publishPacket(
  topic: string,
  payload: string,
  options: PublishOptions = {},
): Publish {
  return {
    kind: 'publish',
    topic,
    payload: UTF8.encode(payload),
    qos: options.qos ?? 0,
    retain: options.retain ?? false,
    dup: options.dup ?? false,
    packetIdentifier: options.packetIdentifier ?? 0,
    properties: options.properties ?? {},
  };
}

export function subscriptionOf(
  filter: string,
  options: Partial<Omit<SubscriptionRequest, 'filter'>> = {},
): SubscriptionRequest {
  return {
    filter,
    qos: options.qos ?? 0,
    noLocal: options.noLocal ?? false,
    retainAsPublished: options.retainAsPublished ?? false,
    retainHandling: options.retainHandling ?? 0,
  };
}

export function acknowledgement(
  kind: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
  packetIdentifier: number,
  reasonCode = 0,
): Packet {
  return { kind, packetIdentifier, reasonCode: reasonCode as 0, properties: {} };
}

export function textOf(publish: Publish): string {
  return new TextDecoder().decode(publish.payload);
}
