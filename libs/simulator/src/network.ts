/** The network between the nodes: lossy, repeating, late, and cut in any shape. */
import type { NodeId, RaftMessage } from '@robustmq/raft';
import type { EventQueue } from './event-queue.ts';
import type { FaultTally } from './fault-tally.ts';
import type { NetworkProfile } from './profile.ts';
import type { SeededRandom } from './random.ts';

export class Network {
  /** Directed links that lose everything, by {@link linkOf}. */
  readonly #cut = new Set<number>();
  /** Directed links that hold everything back until a time. */
  readonly #cloggedUntilMs = new Map<number, number>();
  /** When the latest message of a link arrives: one before it overtakes. */
  readonly #lastArrivalMs = new Map<number, number>();
  readonly #queue: EventQueue;
  readonly #random: SeededRandom;
  readonly #tally: FaultTally;
  #profile: NetworkProfile;
  #deliver: (message: RaftMessage) => void = () => {};

  constructor(queue: EventQueue, random: SeededRandom, profile: NetworkProfile, tally: FaultTally) {
    this.#queue = queue;
    this.#random = random;
    this.#profile = profile;
    this.#tally = tally;
  }

  onDeliver(deliver: (message: RaftMessage) => void): void {
    this.#deliver = deliver;
  }

  send(message: RaftMessage): void {
    const link = linkOf(message.from, message.to);
    if (this.#cut.has(link)) return this.#tally.add('message cut off');
    if (this.#random.chance(this.#profile.loss)) return this.#tally.add('message lost');
    this.#deliverLater(link, message);
    if (!this.#random.chance(this.#profile.duplication)) return;
    this.#tally.add('message repeated');
    this.#deliverLater(link, message);
  }

  cut(from: NodeId, to: NodeId): void {
    this.#cut.add(linkOf(from, to));
  }

  clog(from: NodeId, to: NodeId, forMs: number): void {
    this.#cloggedUntilMs.set(linkOf(from, to), this.#queue.nowMs + forMs);
  }

  connects(from: NodeId, to: NodeId): boolean {
    return !this.#cut.has(linkOf(from, to));
  }

  /** Every cut and clog ends; what was held back arrives at its time. */
  heal(): void {
    this.#cut.clear();
    this.#cloggedUntilMs.clear();
  }

  /** From now on a network as one would wish. */
  becomeReliable(): void {
    this.heal();
    this.#profile = { loss: 0, duplication: 0, delayMinMs: 1, delayMaxMs: 10, lateShare: 0 };
  }

  /** One message's way, also for clients: mostly near the minimum, sometimes very late. */
  delayMs(): number {
    const { delayMinMs, delayMaxMs, lateShare } = this.#profile;
    const isLate = this.#random.chance(lateShare);
    return this.#random.between(delayMinMs, isLate ? 500 : delayMaxMs);
  }

  #deliverLater(link: number, message: RaftMessage): void {
    const clogged = Math.max((this.#cloggedUntilMs.get(link) ?? 0) - this.#queue.nowMs, 0);
    if (clogged > 0) this.#tally.add('message clogged');
    const delayMs = clogged + this.delayMs();
    const arrivesMs = this.#queue.nowMs + delayMs;
    const lastMs = this.#lastArrivalMs.get(link) ?? 0;
    if (arrivesMs < lastMs) this.#tally.add('message overtaken');
    else this.#lastArrivalMs.set(link, arrivesMs);
    this.#queue.after(delayMs, () => this.#deliver(message));
  }
}

function linkOf(from: NodeId, to: NodeId): number {
  return from * 1000 + to;
}
