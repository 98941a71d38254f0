import type { Packet, Properties, Publish, Qos } from '@robustmq/mqtt-codec';
import type { DurableWorld } from './durable.fixture.ts';
import { acknowledgement, type Peer, publishPacket, textOf } from './peer.fixture.ts';

const KEPT: Properties = { sessionExpiryIntervalSeconds: 3600 };

/** A client with a durable session that keeps its own half of the protocol's state, as clients should. */
abstract class Actor {
  readonly clientId: string;
  peer: Peer | null = null;

  constructor(clientId: string) {
    this.clientId = clientId;
  }

  get online(): boolean {
    return this.peer !== null;
  }

  async connect(world: DurableWorld, properties: Properties): Promise<void> {
    const peer = await world.client({
      clientId: this.clientId,
      cleanStart: false,
      properties: { ...KEPT, ...properties },
    });
    this.peer = peer;
    void peer.raw.closed.then(() => {
      if (this.peer === peer) this.drop();
    });
    this.connected(peer);
    peer.raw.onPacket((packet) => {
      // What arrives over a connection that was given up is lost on the way.
      if (this.peer === peer) this.received(packet, peer);
    });
  }

  /** The network fails; nothing that is on its way arrives. */
  drop(): void {
    this.peer?.destroy();
    this.peer = null;
  }

  protected connected(_peer: Peer): void {}

  protected abstract received(packet: Packet, peer: Peer): void;
}

/** Publishes `topic number` texts and repeats, after a reconnect, what was not acknowledged. */
export class PublisherActor extends Actor {
  readonly #topics: readonly string[];
  readonly #open = new Map<number, { readonly packet: Publish; released: boolean }>();
  readonly #counts = new Map<string, number>();
  #nextIdentifier = 1;
  /** Reason codes that said no. */
  readonly refusals: number[] = [];

  constructor(clientId: string, topics: readonly string[]) {
    super(clientId);
    this.#topics = topics;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** How many messages were begun on each topic. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  publish(choice: number, qos: Qos): void {
    if (this.peer === null || this.#open.size > 200) return;
    const topic = this.#topics[choice % this.#topics.length] as string;
    const number = this.#counts.get(topic) ?? 0;
    this.#counts.set(topic, number + 1);
    const packetIdentifier = this.#takeIdentifier();
    const packet = publishPacket(topic, `${topic} ${number}`, { qos, packetIdentifier });
    this.#open.set(packetIdentifier, { packet, released: false });
    this.peer.send(packet);
  }

  protected override connected(peer: Peer): void {
    for (const [identifier, { packet, released }] of this.#open) {
      peer.send(released ? acknowledgement('pubrel', identifier) : { ...packet, dup: true });
    }
  }

  protected received(packet: Packet, peer: Peer): void {
    if ((packet.kind === 'puback' || packet.kind === 'pubrec') && packet.reasonCode >= 0x80) {
      this.refusals.push(packet.reasonCode);
    }
    if (packet.kind === 'puback' || packet.kind === 'pubcomp') {
      this.#open.delete(packet.packetIdentifier);
    } else if (packet.kind === 'pubrec') {
      const open = this.#open.get(packet.packetIdentifier);
      if (open !== undefined) open.released = true;
      peer.send(acknowledgement('pubrel', packet.packetIdentifier));
    }
  }

  #takeIdentifier(): number {
    while (this.#open.has(this.#nextIdentifier)) this.#step();
    const identifier = this.#nextIdentifier;
    this.#step();
    return identifier;
  }

  #step(): void {
    this.#nextIdentifier = (this.#nextIdentifier % 1000) + 1;
  }
}

/** Takes messages, acknowledges them, and knows a repeated one of QoS 2 by its identifier. */
export class SubscriberActor extends Actor {
  readonly texts: string[] = [];
  /** Those of QoS 2 among them. */
  readonly exactlyOnce: string[] = [];
  readonly #received = new Set<number>();
  /** It reads but says nothing, so that windows fill. */
  mute = false;
  #owed: (() => void)[] = [];

  /** Says what it owes. */
  speak(): void {
    this.mute = false;
    for (const answer of this.#owed.splice(0)) answer();
  }

  override drop(): void {
    super.drop();
    this.#owed = [];
  }

  protected received(packet: Packet, peer: Peer): void {
    if (packet.kind === 'pubrel') {
      this.#received.delete(packet.packetIdentifier);
      peer.send(acknowledgement('pubcomp', packet.packetIdentifier));
    } else if (packet.kind === 'publish') {
      this.#take(packet, peer);
    }
  }

  #take(packet: Publish, peer: Peer): void {
    const { qos, packetIdentifier } = packet;
    if (qos !== 2) this.texts.push(textOf(packet));
    else if (!this.#received.has(packetIdentifier)) {
      this.#received.add(packetIdentifier);
      this.texts.push(textOf(packet));
      this.exactlyOnce.push(textOf(packet));
    }
    const answer = (): void =>
      peer.send(acknowledgement(qos === 1 ? 'puback' : 'pubrec', packetIdentifier));
    if (this.mute) this.#owed.push(answer);
    else answer();
  }
}
