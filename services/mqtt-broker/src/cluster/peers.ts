import type { Clock, Timers } from '@robustmq/environment';
import {
  type FrameTransport,
  NodeLink,
  type NodeLinkCounters,
  type PeerAddress,
} from '@robustmq/node-link';
import type { NodeRecord } from '@robustmq/placement-registry';
import { PeerNode } from './peer-node.ts';

/** The other brokers: who is alive, and the way to each. */
export class Peers {
  readonly counters: NodeLinkCounters = { messagesSent: 0, messagesDropped: 0, messagesLost: 0 };
  readonly self: number;
  readonly #transport: FrameTransport;
  readonly #timers: Timers;
  readonly #clock: Clock;
  readonly #linkBytesMax: number;
  /** By node: a peer that goes and comes back is the same subscriber. */
  readonly #peers = new Map<number, PeerNode>();
  readonly #links: NodeLink[] = [];
  #alive: ReadonlyMap<number, NodeRecord> = new Map();

  constructor(parts: {
    readonly self: number;
    readonly transport: FrameTransport;
    readonly timers: Timers;
    readonly clock: Clock;
    readonly linkBytesMax: number;
  }) {
    this.self = parts.self;
    this.#transport = parts.transport;
    this.#timers = parts.timers;
    this.#clock = parts.clock;
    this.#linkBytesMax = parts.linkBytesMax;
  }

  /** Those that are registered, this one included if it is. */
  get alive(): ReadonlyMap<number, NodeRecord> {
    return this.#alive;
  }

  /** Asked for every message. */
  get isCongested(): boolean {
    for (let index = 0; index < this.#links.length; index += 1) {
      if (this.#links[index]?.isCongested === true) return true;
    }
    return false;
  }

  get waitingBytes(): number {
    let bytes = 0;
    for (const peer of this.#peers.values()) bytes += peer.link.waitingBytes;
    return bytes;
  }

  /** The lowest node id that is alive: one broker does what is done once for all. */
  get isElected(): boolean {
    return this.#alive.has(this.self) && Math.min(...this.#alive.keys()) === this.self;
  }

  setAlive(alive: ReadonlyMap<number, NodeRecord>): void {
    this.#alive = alive;
    const addresses = new Map<number, PeerAddress>();
    for (const [node, { innerAddress, incarnation }] of alive) {
      if (node !== this.self) addresses.set(node, { address: innerAddress, incarnation });
    }
    this.#transport.setPeers(addresses);
  }

  peerOf(node: number): PeerNode {
    const known = this.#peers.get(node);
    if (known !== undefined) return known;
    const link = new NodeLink(node, {
      transport: this.#transport,
      timers: this.#timers,
      counters: this.counters,
      bytesMax: this.#linkBytesMax,
    });
    this.#links.push(link);
    const peer = new PeerNode(link, this.#clock);
    this.#peers.set(node, peer);
    return peer;
  }

  linkTo(node: number): NodeLink {
    return this.peerOf(node).link;
  }
}
