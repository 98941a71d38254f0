import {
  createFrame,
  DECODE_FROM_SERVER,
  decodePacket,
  encodePacket,
  type Packet,
  type Properties,
  type Qos,
  readFrame,
} from '@robustmq/mqtt-codec';
import type { ByteConnection, ConnectionHandler, ListenerIdentity } from '@robustmq/transport';
import type { BrokerContext } from '../broker-context.ts';
import { ClientConnection } from '../connection/client-connection.ts';

const LISTENER: ListenerIdentity = {
  name: 'test',
  kind: 'tcp',
  address: '127.0.0.1',
  port: 1883,
  loopback: true,
};

/** What a test says in CONNECT. */
export interface ConnectOptions {
  readonly cleanStart?: boolean;
  readonly expirySeconds?: number;
  readonly username?: string;
  readonly will?: { readonly topic: string; readonly text: string; readonly delaySeconds?: number };
}

/** An MQTT 5.0 client joined to a broker without a socket; it acknowledges what it gets. */
export class LoopbackClient implements ByteConnection {
  handler: ConnectionHandler;
  readonly id = 0;
  readonly listener: ListenerIdentity = LISTENER;
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 1;
  readonly clientCertificate = null;
  readonly clientId: string;
  /** Everything that came, but pings. */
  readonly packets: Packet[] = [];
  isClosed = false;
  #nextIdentifier = 1;
  #wake: (() => void)[] = [];

  constructor(context: BrokerContext, clientId: string) {
    this.clientId = clientId;
    this.handler = new ClientConnection(context, this);
  }

  /** Connects. @returns CONNACK, or null when there was none */
  async connect(options: ConnectOptions = {}): Promise<(Packet & { kind: 'connack' }) | null> {
    const { cleanStart = false, expirySeconds = 0, username = null, will } = options;
    this.send({
      kind: 'connect',
      version: 5,
      clientId: this.clientId,
      cleanStart,
      keepAliveSeconds: 0,
      username,
      password: null,
      properties: { sessionExpiryIntervalSeconds: expirySeconds },
      will:
        will === undefined
          ? null
          : {
              ...{ topic: will.topic, payload: Buffer.from(will.text), qos: 1, retain: false },
              properties: { willDelayIntervalSeconds: will.delaySeconds ?? 0 },
            },
    });
    await this.until(() => this.#first('connack') !== null || this.isClosed);
    return this.#first('connack');
  }

  /** @returns the reason codes */
  async subscribe(filter: string, qos: Qos = 1): Promise<readonly number[]> {
    const packetIdentifier = this.#nextIdentifier++;
    const subscription = { filter, qos, noLocal: false, retainAsPublished: false };
    this.send({
      kind: 'subscribe',
      ...{ packetIdentifier, properties: {} },
      subscriptions: [{ ...subscription, retainHandling: 0 }],
    });
    const answer = (): (Packet & { kind: 'suback' }) | undefined =>
      this.packets.find(
        (packet): packet is Packet & { kind: 'suback' } =>
          packet.kind === 'suback' && packet.packetIdentifier === packetIdentifier,
      );
    await this.until(() => answer() !== undefined || this.isClosed);
    return answer()?.reasonCodes ?? [];
  }

  async unsubscribe(filter: string): Promise<void> {
    const packetIdentifier = this.#nextIdentifier++;
    this.send({ kind: 'unsubscribe', packetIdentifier, filters: [filter], properties: {} });
    await this.until(
      () =>
        this.isClosed ||
        this.packets.some(
          (packet) => packet.kind === 'unsuback' && packet.packetIdentifier === packetIdentifier,
        ),
    );
  }

  publish(topic: string, text: string, qos: Qos = 0, properties: Properties = {}): void {
    const packetIdentifier = qos === 0 ? 0 : this.#nextIdentifier++;
    const flags = { qos, retain: false, dup: false, packetIdentifier };
    this.send({ kind: 'publish', topic, payload: Buffer.from(text), ...flags, properties });
  }

  disconnect(reasonCode = 0): void {
    this.send({ kind: 'disconnect', reasonCode: reasonCode as 0, properties: {} });
  }

  /** The network is gone. */
  drop(): void {
    if (this.isClosed) return;
    this.destroy();
  }

  /** `topic: payload` of every message that came. */
  get received(): readonly string[] {
    return this.packets
      .filter((packet) => packet.kind === 'publish')
      .map(({ topic, payload }) => `${topic}: ${Buffer.from(payload).toString()}`);
  }

  get disconnectCode(): number | null {
    const last = this.packets.findLast((packet) => packet.kind === 'disconnect');
    return last?.reasonCode ?? null;
  }

  async until(isDone: () => boolean): Promise<void> {
    while (!isDone()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  async receives(line: string): Promise<void> {
    await this.until(() => this.received.includes(line) || this.isClosed);
  }

  write(bytes: Uint8Array, byteLength: number): 'written' | 'closed' {
    if (this.isClosed) return 'closed';
    const copy = Buffer.from(bytes.subarray(0, byteLength));
    const frame = createFrame();
    for (let at = 0; at < copy.length; at = frame.bodyEnd) {
      readFrame(copy, at, copy.length, frame);
      const decoded = decodePacket(copy, frame, 5, DECODE_FROM_SERVER);
      if (!decoded.ok) throw new Error(decoded.fault.reason);
      this.packets.push(decoded.value);
      this.#acknowledge(decoded.value);
    }
    this.#wakeAll();
    return 'written';
  }

  pause(): void {
    // What a test sends is received at once.
  }

  resume(): void {
    // As above.
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#wakeAll();
    queueMicrotask(() => this.handler.closed({ kind: 'destroyed' }));
  }

  send(packet: Packet): void {
    if (this.isClosed) return;
    const bytes = Buffer.from(encodePacket(packet, 5));
    this.handler.received(bytes, 0, bytes.length);
  }

  #acknowledge(packet: Packet): void {
    const answer = (
      kind: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
      packetIdentifier: number,
    ): void => {
      setImmediate(() => this.send({ kind, packetIdentifier, reasonCode: 0, properties: {} }));
    };
    if (packet.kind === 'publish' && packet.qos === 1) answer('puback', packet.packetIdentifier);
    if (packet.kind === 'publish' && packet.qos === 2) answer('pubrec', packet.packetIdentifier);
    if (packet.kind === 'pubrec' && packet.reasonCode < 0x80) {
      answer('pubrel', packet.packetIdentifier);
    }
    if (packet.kind === 'pubrel') answer('pubcomp', packet.packetIdentifier);
  }

  #first<Kind extends Packet['kind']>(kind: Kind): (Packet & { kind: Kind }) | null {
    return (
      this.packets.find((packet): packet is Packet & { kind: Kind } => packet.kind === kind) ?? null
    );
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
