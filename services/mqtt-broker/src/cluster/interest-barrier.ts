import type { Clock, RandomSource, Timers } from '@robustmq/environment';
import type { Revision } from '@robustmq/placement';
import type { NodeRecord } from '@robustmq/placement-registry';
import { waitMs } from '../broker-environment.ts';
import { encodeQuestion } from './link-questions.ts';
import type { Peers } from './peers.ts';
import type { RemoteInterest } from './remote-interest.ts';

/** Between two attempts to ask a broker that is not reached. */
const RETRY_MS = 25;

interface Round {
  routesRevision: number;
  subscriptionsRevision: number;
  readonly outcome: Promise<'applied' | 'late'>;
}

/**
 * After SUBACK a message published on any broker reaches the subscriber: so SUBACK waits until every
 * live broker has applied the revision that holds the interest.
 *
 * What one turn of the event loop asks for is one question to each broker. Who is alive is read after
 * the interest was written: a broker that registers later reads the interest when it begins, before it
 * serves.
 */
export class InterestBarrier {
  readonly #interest: RemoteInterest;
  readonly #peers: Peers;
  readonly #edges: {
    readonly timers: Timers;
    readonly random: RandomSource;
    readonly clock: Clock;
  };
  readonly #listAlive: () => Promise<readonly NodeRecord[]>;
  readonly #waitMs: number;
  /** Gathers what this turn asks for. */
  #next: Round | null = null;
  readonly #waiting = new Set<() => boolean>();

  constructor(parts: {
    readonly interest: RemoteInterest;
    readonly peers: Peers;
    readonly timers: Timers;
    readonly random: RandomSource;
    readonly clock: Clock;
    /** Linearizable. */
    readonly listAlive: () => Promise<readonly NodeRecord[]>;
    readonly waitMs: number;
  }) {
    this.#interest = parts.interest;
    this.#peers = parts.peers;
    this.#edges = parts;
    this.#listAlive = parts.listAlive;
    this.#waitMs = parts.waitMs;
  }

  /** Settles within the wait that is set. Never rejects. */
  everywhere(routesRevision: number, subscriptionsRevision: number): Promise<'applied' | 'late'> {
    if (this.#next === null) {
      const outcome = new Promise<'applied' | 'late'>((resolve) => {
        this.#edges.timers.soon(() => {
          const round = this.#next as Round;
          this.#next = null;
          void this.#ask(round).then(resolve);
        });
      });
      this.#next = { routesRevision, subscriptionsRevision, outcome };
    } else {
      const round = this.#next;
      round.routesRevision = Math.max(round.routesRevision, routesRevision);
      round.subscriptionsRevision = Math.max(round.subscriptionsRevision, subscriptionsRevision);
    }
    return this.#next.outcome;
  }

  /** Resolves when this broker has applied both; false: not within the wait. */
  here(routesRevision: number, subscriptionsRevision: number): Promise<boolean> {
    const isApplied = (): boolean =>
      this.#interest.routesApplied >= routesRevision &&
      this.#interest.subscriptionsApplied >= subscriptionsRevision;
    if (isApplied()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const check = (): boolean => {
        if (!isApplied()) return false;
        late.cancel();
        resolve(true);
        return true;
      };
      const late = this.#edges.timers.after(this.#waitMs, () => {
        this.#waiting.delete(check);
        resolve(false);
      });
      this.#waiting.add(check);
    });
  }

  /** Call whenever something was applied. */
  applied(): void {
    for (const check of this.#waiting) if (check()) this.#waiting.delete(check);
  }

  async #ask(round: Round): Promise<'applied' | 'late'> {
    const untilMs = this.#edges.clock.monotonicMs() + this.#waitMs;
    const question = encodeQuestion({
      kind: 'applied',
      routesRevision: round.routesRevision as Revision,
      subscriptionsRevision: round.subscriptionsRevision as Revision,
    });
    try {
      const alive = await this.#listAlive();
      const others = alive.filter(({ nodeId }) => nodeId !== this.#peers.self);
      const applied = await Promise.all(
        others.map((node) => this.#askOne(node, question, untilMs)),
      );
      return applied.every(Boolean) ? 'applied' : 'late';
    } catch {
      return 'late';
    }
  }

  /** A broker whose life is over in the meantime has nothing to apply. */
  async #askOne(node: NodeRecord, question: Uint8Array, untilMs: number): Promise<boolean> {
    const { timers, clock } = this.#edges;
    const link = this.#peers.linkTo(node.nodeId);
    for (;;) {
      const leftMs = untilMs - clock.monotonicMs();
      if (leftMs <= 0) return false;
      try {
        await link.ask(question, leftMs);
        return true;
      } catch {
        if (await this.#isOver(node)) return true;
        await waitMs(timers, Math.min(RETRY_MS, leftMs));
      }
    }
  }

  async #isOver(node: NodeRecord): Promise<boolean> {
    if (this.#peers.alive.get(node.nodeId)?.incarnation === node.incarnation) return false;
    const alive = await this.#listAlive();
    return !alive.some(
      (each) => each.nodeId === node.nodeId && each.incarnation === node.incarnation,
    );
  }
}
