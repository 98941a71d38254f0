import {
  createFrame,
  DECODE_FROM_SERVER,
  decodePacket,
  encodePacket,
  type Packet,
  type Publish,
  type Qos,
  readFrame,
  type Will,
} from '@robustmq/mqtt-codec';
import type { ClientWire } from './client-wire.ts';
import type { SimulatedBroker } from './simulated-broker.ts';
import type { SimulatedTime } from './simulated-time.ts';

const KEEP_ALIVE_SECONDS = 4;
const PING_EVERY_MS = 2_000;
/** After so much silence the client goes elsewhere. */
const PATIENCE_MS = 7_000;
const EXPIRY_SECONDS = 3_600;
const LOOK_MS = 500;

/** What a client is. */
export interface ClientTraits {
  readonly clientId: string;
  readonly version: 4 | 5;
  /** Its session outlives its connections. */
  readonly durable: boolean;
  readonly subscriptions: readonly { readonly filter: string; readonly qos: Qos }[];
}

/** What a client tells the world. */
export interface ClientEvents {
  connected(): void;
  /** Every subscription of it is granted. */
  subscribed(): void;
  /** A message, after the protocol has sorted out repetitions of QoS 2. */
  received(publish: Publish): void;
  /** A message of its own is taken (`refused`: is not). */
  decided(topic: string, sequence: number, outcome: 'acknowledged' | 'refused'): void;
  sessionLost(): void;
  /** Something came that no broker may send. */
  wrong(what: string): void;
  trace(client: string, packet: Packet): void;
}

interface Outbound {
  readonly id: number;
  readonly topic: string;
  readonly sequence: number;
  readonly qos: 1 | 2;
  readonly payload: Uint8Array;
  isReleased: boolean;
  wasSent: boolean;
}

/** A scripted MQTT client: it speaks the protocol as the standard wants it, and remembers what it must. */
export class SimulatedClient {
  readonly traits: ClientTraits;
  readonly #time: SimulatedTime;
  readonly #events: ClientEvents;
  readonly #pickBroker: () => SimulatedBroker | null;
  readonly #frame = createFrame();
  #wire: ClientWire | null = null;
  #phase: 'away' | 'connecting' | 'connected' = 'away';
  #rest: Buffer = Buffer.alloc(0);
  #heardAtMs = 0;
  #pingedAtMs = 0;
  /** Rises whenever what comes over a connection is not to be heard any more. */
  #connections = 0;
  #attempts = 0;
  #wantsOnline = false;
  #hasSession = false;
  #isSubscribed = false;
  #nextId = 1;
  #subscribeId = 0;
  #outbound: Outbound[] = [];
  readonly #inbound = new Set<number>();
  #willOf: (connection: number) => Will | null = () => null;
  #whenSubscribed: () => void = () => {};
  /** The broker that it is connected to, or was last. */
  nodeId = 0;

  constructor(
    traits: ClientTraits,
    parts: {
      readonly time: SimulatedTime;
      readonly events: ClientEvents;
      readonly pickBroker: () => SimulatedBroker | null;
    },
  ) {
    this.traits = traits;
    this.#time = parts.time;
    this.#events = parts.events;
    this.#pickBroker = parts.pickBroker;
    this.#time.every(LOOK_MS, () => this.#look());
  }

  get isConnected(): boolean {
    return this.#phase === 'connected';
  }

  /** It is to be connected. */
  get wantsOnline(): boolean {
    return this.#wantsOnline;
  }

  get isSubscribed(): boolean {
    return this.#isSubscribed;
  }

  /** Messages that are not acknowledged to the end. */
  get openCount(): number {
    return this.#outbound.length;
  }

  /** Connects, and again whenever the connection is lost. */
  comeOnline(): void {
    this.#wantsOnline = true;
    if (this.#phase === 'away') this.#connect();
  }

  /** Every connection from now on has this will. */
  setWill(willOf: (connection: number) => Will | null): void {
    this.#willOf = willOf;
  }

  /** Of the connection that there is, or was last tried. */
  get connection(): number {
    return this.#attempts;
  }

  /** Runs `then` in the moment in which its subscriptions are granted. */
  whenSubscribed(then: () => void): void {
    this.#whenSubscribed = then;
  }

  /** The client is no more: nobody hears of it again. */
  vanish(how: 'reset' | 'silent'): void {
    this.#wantsOnline = false;
    this.#lose(how);
  }

  /** A proper DISCONNECT; stays away until `comeOnline`. */
  leave(): void {
    this.#wantsOnline = false;
    if (this.#phase === 'connected') {
      this.#send({ kind: 'disconnect', reasonCode: 0, properties: {} });
    }
    this.#lose('reset');
  }

  /** The connection is lost; the client comes back by itself if it was to be online. */
  drop(how: 'reset' | 'silent'): void {
    this.#lose(how);
    if (this.#wantsOnline) this.#connectLater();
  }

  /** Connects to some broker while the connection before stands, which it hears no more. */
  moveOver(): void {
    if (this.#phase !== 'connected') return;
    this.#lose('silent');
    this.#connect();
  }

  publish(topic: string, message: { sequence: number; qos: Qos; payload: Uint8Array }): void {
    const { sequence, qos, payload } = message;
    const id = qos === 0 ? 0 : this.#takeId();
    const wasSent = this.#phase === 'connected';
    if (qos !== 0) {
      this.#outbound.push({ id, topic, sequence, qos, payload, isReleased: false, wasSent });
    }
    if (wasSent) this.#sendPublish({ id, topic, payload, qos }, false);
  }

  #sendPublish(
    message: { id: number; topic: string; payload: Uint8Array; qos: Qos },
    dup: boolean,
  ): void {
    const { id: packetIdentifier, topic, payload, qos } = message;
    const flags = { qos, dup, retain: false, packetIdentifier, properties: {} };
    this.#send({ kind: 'publish', topic, payload, ...flags });
  }

  #takeId(): number {
    for (;;) {
      const id = this.#nextId;
      this.#nextId = (id % 40) + 1;
      if (id !== this.#subscribeId && !this.#outbound.some((each) => each.id === id)) return id;
    }
  }

  #connect(): void {
    if (!this.#wantsOnline) return;
    this.#connections += 1;
    this.#attempts += 1;
    const connection = this.#connections;
    const isThis = (): boolean => this.#connections === connection && this.#wire !== null;
    const broker = this.#pickBroker();
    const wire =
      broker?.accept({
        bytes: (bytes) => {
          if (isThis()) this.#received(bytes);
        },
        closed: () => {
          if (isThis()) this.drop('reset');
        },
      }) ?? null;
    if (wire === null) {
      this.#connectLater();
      return;
    }
    this.nodeId = broker?.nodeId ?? 0;
    this.#wire = wire;
    this.#phase = 'connecting';
    this.#rest = Buffer.alloc(0);
    this.#heardAtMs = this.#time.nowMs;
    const { clientId, version, durable } = this.traits;
    this.#send({
      kind: 'connect',
      ...{ version, clientId, cleanStart: !durable, keepAliveSeconds: KEEP_ALIVE_SECONDS },
      ...{ username: null, password: null, will: this.#willOf(this.#attempts) },
      properties: version === 5 && durable ? { sessionExpiryIntervalSeconds: EXPIRY_SECONDS } : {},
    });
  }

  #connectLater(): void {
    this.#connections += 1;
    const connection = this.#connections;
    this.#time.after(this.#time.random.between(20, 800), () => {
      if (this.#connections === connection && this.#phase === 'away') this.#connect();
    });
  }

  #lose(how: 'reset' | 'silent'): void {
    this.#wire?.drop(how);
    this.#wire = null;
    this.#phase = 'away';
    this.#connections += 1;
    this.#subscribeId = 0;
  }

  #look(): void {
    if (this.#wire === null) return;
    const { nowMs } = this.#time;
    if (nowMs - this.#heardAtMs > PATIENCE_MS) {
      this.drop('silent');
      return;
    }
    if (this.#phase !== 'connected' || nowMs - this.#pingedAtMs < PING_EVERY_MS) return;
    this.#pingedAtMs = nowMs;
    this.#send({ kind: 'pingreq' });
  }

  #send(packet: Packet): void {
    this.#wire?.send(encodePacket(packet, this.traits.version));
  }

  #received(bytes: Buffer): void {
    this.#heardAtMs = this.#time.nowMs;
    const wire = this.#wire;
    const buffer = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    while (at < buffer.length && this.#wire === wire) {
      const status = readFrame(buffer, at, buffer.length, this.#frame);
      const end = this.#frame.bodyEnd;
      if (status !== 0 || end > buffer.length) break;
      const decoded = decodePacket(buffer, this.#frame, this.traits.version, DECODE_FROM_SERVER);
      if (!decoded.ok) {
        this.#events.wrong(`${this.traits.clientId} got bytes that are no packet`);
        return;
      }
      at = end;
      this.#events.trace(this.traits.clientId, decoded.value);
      this.#take(decoded.value);
    }
    if (this.#wire === wire) this.#rest = Buffer.from(buffer.subarray(at));
  }

  #take(packet: Packet): void {
    if (packet.kind === 'connack') this.#connack(packet);
    else if (packet.kind === 'suback') this.#suback(packet);
    else if (packet.kind === 'publish') this.#publish(packet);
    else if (packet.kind === 'pubrel') {
      this.#inbound.delete(packet.packetIdentifier);
      this.#acknowledge('pubcomp', packet.packetIdentifier);
    } else if (packet.kind === 'puback' || packet.kind === 'pubrec' || packet.kind === 'pubcomp') {
      this.#acknowledged(packet.kind, packet.packetIdentifier, packet.reasonCode);
    } else if (packet.kind === 'disconnect') this.drop('reset');
  }

  #connack(packet: Packet & { readonly kind: 'connack' }): void {
    if (packet.reasonCode !== 0) {
      this.drop('reset');
      return;
    }
    if (this.#hasSession && !packet.sessionPresent) {
      if (this.traits.durable) this.#events.sessionLost();
      this.#hasSession = false;
    }
    if (!packet.sessionPresent) {
      this.#isSubscribed = false;
      this.#inbound.clear();
      this.#outbound = [];
    }
    this.#phase = 'connected';
    this.#hasSession = this.traits.durable;
    for (const open of this.#outbound) {
      if (open.isReleased) this.#release(open.id);
      else this.#sendPublish(open, open.wasSent);
      open.wasSent = true;
    }
    if (!this.#isSubscribed) this.#subscribe();
    this.#events.connected();
  }

  #subscribe(): void {
    const { subscriptions } = this.traits;
    if (subscriptions.length === 0) {
      this.#isSubscribed = true;
      return;
    }
    this.#subscribeId = this.#takeId();
    this.#send({
      ...{ kind: 'subscribe', packetIdentifier: this.#subscribeId, properties: {} },
      subscriptions: subscriptions.map(({ filter, qos }) => ({
        ...{ filter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 },
      })),
    });
  }

  #suback(packet: Packet & { readonly kind: 'suback' }): void {
    if (packet.packetIdentifier !== this.#subscribeId) return;
    this.#subscribeId = 0;
    if (packet.reasonCodes.some((code) => code >= 0x80)) {
      this.#time.after(500, () => {
        if (this.isConnected && !this.#isSubscribed && this.#subscribeId === 0) this.#subscribe();
      });
      return;
    }
    this.#isSubscribed = true;
    this.#events.subscribed();
    this.#whenSubscribed();
  }

  #publish(packet: Publish): void {
    const { qos, packetIdentifier } = packet;
    if (qos === 2) {
      const isNew = !this.#inbound.has(packetIdentifier);
      this.#inbound.add(packetIdentifier);
      if (isNew) this.#events.received(packet);
      this.#acknowledge('pubrec', packetIdentifier);
      return;
    }
    this.#events.received(packet);
    if (qos === 1) this.#acknowledge('puback', packetIdentifier);
  }

  #acknowledged(kind: 'puback' | 'pubrec' | 'pubcomp', id: number, reasonCode: number): void {
    const open = this.#outbound.find((each) => each.id === id);
    const isLast = kind !== 'pubrec' || reasonCode >= 0x80;
    if (open === undefined) {
      if (kind === 'pubrec' && reasonCode < 0x80) this.#release(id);
      return;
    }
    if (kind !== 'pubcomp' && !open.isReleased) {
      const outcome = reasonCode >= 0x80 ? 'refused' : 'acknowledged';
      this.#events.decided(open.topic, open.sequence, outcome);
    }
    if (isLast) this.#outbound.splice(this.#outbound.indexOf(open), 1);
    else {
      open.isReleased = true;
      this.#release(id);
    }
  }

  #release(packetIdentifier: number): void {
    this.#send({ kind: 'pubrel', packetIdentifier, reasonCode: 0, properties: {} });
  }

  #acknowledge(kind: 'puback' | 'pubrec' | 'pubcomp', packetIdentifier: number): void {
    const wire = this.#wire;
    this.#time.after(this.#time.random.between(0, 30), () => {
      if (this.#wire !== wire) return;
      this.#send({ kind, packetIdentifier, reasonCode: 0, properties: {} });
    });
  }
}
