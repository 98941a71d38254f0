import type { FrameEvents, FrameTransport, PeerAddress, SendOutcome } from './frame-transport.ts';

const SILENT: FrameEvents = { frame: () => {}, up: () => {}, down: () => {}, drained: () => {} };

/** A network in one process, for tests: frames arrive in a later turn, and links can be cut. */
export class MemoryFrameNetwork {
  readonly #ends = new Map<number, MemoryEnd>();
  readonly #cut = new Set<string>();

  /** The transport of one life of a node; the one before is dead from now on. */
  open(node: number): FrameTransport {
    this.kill(node);
    const end = new MemoryEnd(node, this);
    this.#ends.set(node, end);
    return end;
  }

  /** Without a goodbye: its peers see the connection end. */
  kill(node: number): void {
    const end = this.#ends.get(node);
    if (end === undefined) return;
    this.#ends.delete(node);
    end.isDead = true;
    for (const other of this.#ends.values()) other.lost(node);
  }

  /** Frames between the two are lost from now on, in both directions. */
  cut(first: number, second: number): void {
    this.#cut.add(pairOf(first, second));
    this.#ends.get(first)?.lost(second);
    this.#ends.get(second)?.lost(first);
  }

  heal(first: number, second: number): void {
    this.#cut.delete(pairOf(first, second));
    this.#ends.get(first)?.tryConnect(second);
    this.#ends.get(second)?.tryConnect(first);
  }

  endOf(from: number, to: number): MemoryEnd | null {
    return this.#cut.has(pairOf(from, to)) ? null : (this.#ends.get(to) ?? null);
  }
}

class MemoryEnd implements FrameTransport {
  readonly node: number;
  isDead = false;
  readonly #network: MemoryFrameNetwork;
  #events: FrameEvents = SILENT;
  readonly #peers = new Set<number>();
  readonly #up = new Map<number, MemoryEnd>();
  readonly #held: { readonly from: number; readonly frame: Uint8Array }[] = [];
  #paused = false;

  constructor(node: number, network: MemoryFrameNetwork) {
    this.node = node;
    this.#network = network;
  }

  listen(events: FrameEvents): void {
    this.#events = events;
  }

  setPeers(peers: ReadonlyMap<number, PeerAddress>): void {
    for (const peer of [...this.#peers]) {
      if (peers.has(peer)) continue;
      this.#peers.delete(peer);
      this.lost(peer);
    }
    for (const peer of peers.keys()) {
      if (peer === this.node) continue;
      this.#peers.add(peer);
      this.tryConnect(peer);
    }
  }

  send(to: number, frame: Uint8Array): SendOutcome {
    const end = this.#up.get(to);
    if (end === undefined || this.isDead) return 'down';
    setImmediate(() => {
      if (this.#up.get(to) === end) end.take(this.node, frame);
    });
    return 'taken';
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const { from, frame } of this.#held.splice(0)) this.#events.frame(from, frame);
  }

  async close(): Promise<void> {
    this.#network.kill(this.node);
  }

  tryConnect(peer: number): void {
    if (this.isDead || !this.#peers.has(peer)) return;
    const end = this.#network.endOf(this.node, peer);
    if (end === null || this.#up.get(peer) === end) return;
    this.#up.set(peer, end);
    setImmediate(() => {
      if (this.#up.get(peer) === end && !this.isDead) this.#events.up(peer);
    });
    // Whoever was there first sees who has come.
    end.tryConnect(this.node);
  }

  lost(peer: number): void {
    if (this.#up.delete(peer)) this.#events.down(peer);
  }

  take(from: number, frame: Uint8Array): void {
    if (this.isDead) return;
    if (this.#paused) this.#held.push({ from, frame });
    else this.#events.frame(from, frame);
  }
}

function pairOf(first: number, second: number): string {
  return first < second ? `${first}-${second}` : `${second}-${first}`;
}
