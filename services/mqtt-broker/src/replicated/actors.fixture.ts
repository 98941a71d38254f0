import type { Packet, Publish, Qos } from '@robustmq/mqtt-codec';
import { type Cluster, KEPT, type Node } from './cluster.fixture.ts';
import type { MemoryPeer } from './memory-peer.fixture.ts';

export function acknowledgement(
  kind: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
  packetIdentifier: number,
): Packet {
  return { kind, packetIdentifier, reasonCode: 0, properties: {} };
}

/** A client with a durable session that keeps its own half of the protocol's state, as clients should. */
abstract class Actor {
  readonly clientId: string;
  readonly receiveMaximum: number;
  peer: MemoryPeer | null = null;

  constructor(clientId: string, receiveMaximum: number) {
    this.clientId = clientId;
    this.receiveMaximum = receiveMaximum;
  }

  get online(): boolean {
    return this.peer !== null;
  }

  async connect(cluster: Cluster, node: Node): Promise<void> {
    this.drop();
    const properties = { ...KEPT, receiveMaximum: this.receiveMaximum };
    const peer = await cluster.client(node, this.clientId, properties, (opened) => {
      opened.onPacket = (packet) => {
        // What arrives over a connection that was given up is lost on the way.
        if (this.peer === opened || this.peer === null) this.received(packet, opened);
      };
    });
    if (peer.closed) return;
    this.peer = peer;
    peer.onClose = () => {
      if (this.peer === peer) this.drop();
    };
    this.connected(peer);
  }

  /** The network fails; nothing that is on its way arrives. */
  drop(): void {
    this.peer?.destroy();
    this.peer = null;
  }

  protected connected(_peer: MemoryPeer): void {}

  protected abstract received(packet: Packet, peer: MemoryPeer): void;
}

/** Publishes `topic qos number` texts and repeats, after a reconnect, what was not acknowledged. */
export class PublisherActor extends Actor {
  readonly #topics: readonly string[];
  readonly #open = new Map<number, { readonly packet: Publish; released: boolean }>();
  readonly #counts = new Map<string, number>();
  #nextIdentifier = 1;
  /** Reason codes that said no. */
  readonly refusals: number[] = [];

  constructor(clientId: string, topics: readonly string[]) {
    super(clientId, 100);
    this.#topics = topics;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** How many messages were begun, by `topic qos`. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  publish(choice: number, qos: Qos): void {
    if (this.peer === null || this.#open.size > 60) return;
    const topic = this.#topics[choice % this.#topics.length] as string;
    const kind = `${topic} ${qos}`;
    const number = this.#counts.get(kind) ?? 0;
    this.#counts.set(kind, number + 1);
    const packetIdentifier = this.#takeIdentifier();
    const packet: Publish = {
      ...{ kind: 'publish', topic, qos, retain: false, dup: false, packetIdentifier },
      payload: new TextEncoder().encode(`${kind} ${number}`),
      properties: {},
    };
    this.#open.set(packetIdentifier, { packet, released: false });
    this.peer.send(packet);
  }

  protected override connected(peer: MemoryPeer): void {
    for (const [identifier, { packet, released }] of this.#open) {
      peer.send(released ? acknowledgement('pubrel', identifier) : { ...packet, dup: true });
    }
  }

  protected received(packet: Packet, peer: MemoryPeer): void {
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

  /** Few, so that identifiers are used again and again. */
  #takeIdentifier(): number {
    do this.#nextIdentifier = (this.#nextIdentifier % 100) + 1;
    while (this.#open.has(this.#nextIdentifier));
    return this.#nextIdentifier;
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

  /** Its session has ended: what comes is not known from it. */
  forget(): void {
    this.drop();
    this.#received.clear();
  }

  /** Says what it owes. */
  speak(): void {
    this.mute = false;
    for (const answer of this.#owed.splice(0)) answer();
  }

  override drop(): void {
    super.drop();
    this.#owed = [];
  }

  protected received(packet: Packet, peer: MemoryPeer): void {
    if (packet.kind === 'pubrel') {
      this.#received.delete(packet.packetIdentifier);
      peer.send(acknowledgement('pubcomp', packet.packetIdentifier));
    } else if (packet.kind === 'publish') this.#take(packet, peer);
  }

  #take({ qos, packetIdentifier, payload }: Publish, peer: MemoryPeer): void {
    const text = new TextDecoder().decode(payload);
    if (qos !== 2) this.texts.push(text);
    else if (!this.#received.has(packetIdentifier)) {
      this.#received.add(packetIdentifier);
      this.texts.push(text);
      this.exactlyOnce.push(text);
    }
    const answer = (): void => {
      peer.send(acknowledgement(qos === 1 ? 'puback' : 'pubrec', packetIdentifier));
    };
    if (this.mute) this.#owed.push(answer);
    else setImmediate(answer);
  }
}
