import type { FrameEvents, FrameTransport, PeerAddress, SendOutcome } from '@robustmq/node-link';
import type { ProcessLife } from './process-life.ts';
import type { SimulatedTime } from './simulated-time.ts';

const SILENT: FrameEvents = { frame: () => {}, up: () => {}, down: () => {}, drained: () => {} };
const RETRY_MS = 250;
/** A connection over which nothing gets through so long is given up. */
const BROKEN_AFTER_MS = 4_000;
const LOOK_MS = 50;

/** Connections between brokers: ordered, late, cut for a while, or broken. */
export class SimulatedLinks {
  readonly time: SimulatedTime;
  readonly #ends = new Map<number, LinkEnd>();
  readonly #isCut: (from: number, to: number) => boolean;
  readonly #delayMs: () => number;

  constructor(
    time: SimulatedTime,
    route: { isCut(from: number, to: number): boolean; delayMs(): number },
  ) {
    this.time = time;
    this.#isCut = (from, to) => route.isCut(from, to);
    this.#delayMs = () => route.delayMs();
  }

  open(node: number, life: ProcessLife): FrameTransport {
    const end = new LinkEnd(node, life, this);
    this.#ends.set(node, end);
    return end;
  }

  endOf(node: number): LinkEnd | null {
    return this.#ends.get(node) ?? null;
  }

  isCut(from: number, to: number): boolean {
    return this.#isCut(from, to);
  }

  delayMs(): number {
    return this.#delayMs();
  }
}

export class LinkEnd implements FrameTransport {
  readonly node: number;
  readonly life: ProcessLife;
  readonly links: SimulatedLinks;
  readonly #outgoing = new Map<number, OutgoingLink>();
  /** By sender: a broker that has come back speaks on its new connection only. */
  readonly incoming: Map<number, OutgoingLink> = new Map<number, OutgoingLink>();
  readonly #held: { readonly from: number; readonly frame: Uint8Array }[] = [];
  events: FrameEvents = SILENT;
  isClosed = false;
  #paused = false;

  constructor(node: number, life: ProcessLife, links: SimulatedLinks) {
    this.node = node;
    this.life = life;
    this.links = links;
  }

  listen(events: FrameEvents): void {
    this.events = events;
  }

  setPeers(peers: ReadonlyMap<number, PeerAddress>): void {
    for (const [node, link] of this.#outgoing) {
      if (peers.get(node)?.incarnation === link.incarnation) continue;
      this.#outgoing.delete(node);
      link.close();
    }
    for (const [node, { incarnation }] of peers) {
      if (node === this.node || this.#outgoing.has(node)) continue;
      this.#outgoing.set(node, new OutgoingLink(this, node, incarnation));
    }
  }

  send(to: number, frame: Uint8Array): SendOutcome {
    return this.#outgoing.get(to)?.send(frame) ?? 'down';
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const { from, frame } of this.#held.splice(0)) this.events.frame(from, frame);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    for (const link of this.#outgoing.values()) link.close();
    this.#outgoing.clear();
  }

  take(link: OutgoingLink, frame: Uint8Array): void {
    this.life.run(() => {
      const from = link.owner.node;
      if (this.isClosed || this.incoming.get(from) !== link) return;
      if (this.#paused) this.#held.push({ from, frame });
      else this.events.frame(from, frame);
    });
  }
}

class OutgoingLink {
  readonly owner: LinkEnd;
  readonly to: number;
  readonly incarnation: number;
  /** The process at the other end; null: not connected. */
  #peer: LinkEnd | null = null;
  #isClosed = false;
  #frames: { readonly frame: Uint8Array; readonly readyAtMs: number }[] = [];
  #stuckSinceMs: number | null = null;
  #isMoving = false;

  constructor(owner: LinkEnd, to: number, incarnation: number) {
    this.owner = owner;
    this.to = to;
    this.incarnation = incarnation;
    this.#connect();
    this.#watch();
  }

  send(frame: Uint8Array): SendOutcome {
    if (this.#peer === null) return 'down';
    const { time } = this.owner.links;
    const last = this.#frames.at(-1)?.readyAtMs ?? 0;
    const readyAtMs = Math.max(last, time.nowMs + this.owner.links.delayMs());
    this.#frames.push({ frame, readyAtMs });
    this.#move();
    return 'taken';
  }

  close(): void {
    this.#isClosed = true;
    const wasUp = this.#peer !== null;
    this.#peer = null;
    this.#frames = [];
    if (wasUp) this.owner.events.down(this.to);
  }

  #connect(): void {
    const { links, life } = this.owner;
    links.time.after(links.delayMs(), () => {
      if (this.#isClosed || !life.isAlive) return;
      const peer = links.endOf(this.to);
      const isThere = peer !== null && peer.life.isAlive && !peer.isClosed && !peer.life.isPaused;
      if (!isThere || links.isCut(this.owner.node, this.to)) {
        links.time.after(RETRY_MS, () => this.#connect());
        return;
      }
      life.run(() => {
        if (this.#isClosed) return;
        this.#peer = peer;
        peer.incoming.set(this.owner.node, this);
        this.#frames = [];
        this.#stuckSinceMs = null;
        this.owner.events.up(this.to);
      });
    });
  }

  /** Notices that the other process is gone, or that nothing gets through. */
  #watch(): void {
    const { links, life } = this.owner;
    links.time.after(LOOK_MS, () => {
      if (this.#isClosed || !life.isAlive) return;
      this.#watch();
      const peer = this.#peer;
      if (peer === null) return;
      const isCut = links.isCut(this.owner.node, this.to);
      if (!isCut && (!peer.life.isAlive || peer.isClosed)) {
        this.#break();
        return;
      }
      const isStuck = isCut || peer.life.isPaused;
      this.#stuckSinceMs = isStuck ? (this.#stuckSinceMs ?? links.time.nowMs) : null;
      const sinceMs = this.#stuckSinceMs;
      if (sinceMs !== null && links.time.nowMs - sinceMs > BROKEN_AFTER_MS) this.#break();
    });
  }

  #break(): void {
    this.owner.life.run(() => {
      if (this.#isClosed || this.#peer === null) return;
      this.#peer = null;
      this.#frames = [];
      this.owner.events.down(this.to);
      this.#connect();
    });
  }

  #move(): void {
    const head = this.#frames[0];
    if (head === undefined || this.#isMoving) return;
    this.#isMoving = true;
    const { links } = this.owner;
    links.time.after(head.readyAtMs - links.time.nowMs, () => {
      this.#isMoving = false;
      const peer = this.#peer;
      if (peer === null || this.#frames[0] !== head) {
        this.#move();
        return;
      }
      if (links.isCut(this.owner.node, this.to)) {
        this.#isMoving = true;
        links.time.after(LOOK_MS, () => {
          this.#isMoving = false;
          this.#move();
        });
        return;
      }
      this.#frames.shift();
      peer.take(this, head.frame);
      this.#move();
    });
  }
}
