/**
 * Who ends leases on one node, and when: the rules of `libs/placement-node` (lease-keeper.ts,
 * leadership.ts) without its promises. Only the leader ends leases, by a command in the log, and only
 * after it has applied all that its predecessors acknowledged.
 */
import { type CommandResult, encodeCommand, type Lease, type LeaseId } from '@robustmq/placement';
import type { BugSwitches } from './bugs.ts';
import type { SimulatedNode } from './node.ts';
import type { Answer } from './requests.ts';

const CHECK_EVERY_MS = 100;
const RETRY_MS = 1_000;

interface KeptLease {
  readonly ttlSeconds: number;
  deadlineMs: number;
  /** Its end may be in the log: nobody may be told that it lives. */
  endingSinceMs: number | null;
}

export interface LeaseEdges {
  /** The node's monotonic clock: fast or slow, never set. */
  nowMs(): number;
  /** Runs later in this life of the process. */
  later(delayMs: number, run: () => void): void;
  /** What a new leader gives every lease beyond its time. */
  readonly graceMs: number;
  readonly bugs: BugSwitches;
}

export class LeaseKeeping {
  readonly #node: SimulatedNode;
  readonly #edges: LeaseEdges;
  #leases = new Map<LeaseId, KeptLease>();
  /** Counts beginnings and ends of leadership: what was asked before one is void. */
  #epoch = 0;
  #isKeeping = false;

  constructor(node: SimulatedNode, edges: LeaseEdges) {
    this.#node = node;
    this.#edges = edges;
  }

  leadershipChanged(isLeader: boolean): void {
    this.#epoch += 1;
    this.#isKeeping = false;
    this.#leases = new Map();
    if (isLeader) this.#establish(this.#epoch);
  }

  /** Lets the lease live for its whole time from this call on, once leadership is proven. */
  keep(id: LeaseId, answer: Answer): void {
    const askedMs = this.#edges.nowMs();
    const epoch = this.#epoch;
    if (!this.#isKeeping) return answer({ kind: 'retry', leader: null });
    if (!this.#lives(id)) return answer({ kind: 'gone' });
    const confirmed = (isLeader: boolean): void => {
      if (!isLeader || epoch !== this.#epoch) return answer({ kind: 'retry', leader: null });
      const lease = this.#leases.get(id);
      if (lease === undefined || !this.#lives(id)) return answer({ kind: 'gone' });
      lease.deadlineMs = Math.max(lease.deadlineMs, askedMs + lease.ttlSeconds * 1_000);
      answer({ kind: 'kept' });
    };
    this.#node.requests.barrier(confirmed);
  }

  /** A command that grants a lease was applied: a repeated one may name a lease that has ended. */
  applied(outcome: CommandResult): void {
    if (!this.#isKeeping || outcome.kind !== 'leaseGranted') return;
    const lives = this.#node.machine.hasLease(outcome.id);
    if (!lives && !this.#edges.bugs.repeatedGrantRevives) return;
    if (!this.#leases.has(outcome.id)) this.#add(outcome, this.#edges.nowMs());
  }

  revoked(id: LeaseId): void {
    this.#leases.delete(id);
  }

  #establish(epoch: number): void {
    this.#node.requests.barrier((confirmed) => {
      if (epoch !== this.#epoch) return;
      if (confirmed) this.#begin(epoch);
      else this.#edges.later(CHECK_EVERY_MS, () => this.#retry(epoch));
    });
  }

  #retry(epoch: number): void {
    if (epoch === this.#epoch) this.#establish(epoch);
  }

  #begin(epoch: number): void {
    this.#isKeeping = true;
    const { bugs, graceMs } = this.#edges;
    const fromMs = this.#edges.nowMs() + (bugs.newLeaderGivesNoGrace ? -1_000 : graceMs);
    for (const lease of this.#node.machine.leases()) this.#add(lease, fromMs);
    this.#checkLater(epoch);
  }

  #checkLater(epoch: number): void {
    this.#edges.later(CHECK_EVERY_MS, () => {
      if (epoch !== this.#epoch) return;
      this.#expireDue();
      this.#checkLater(epoch);
    });
  }

  #expireDue(): void {
    const nowMs = this.#edges.nowMs();
    for (const [id, lease] of this.#leases) {
      if (lease.deadlineMs > nowMs) continue;
      if (lease.endingSinceMs !== null && nowMs - lease.endingSinceMs < RETRY_MS) continue;
      lease.endingSinceMs = nowMs;
      const command = encodeCommand({ kind: 'revokeLease', id, reason: 'expired' });
      this.#node.feed({ kind: 'propose', payloads: [command] });
    }
  }

  #lives(id: LeaseId): boolean {
    const lease = this.#leases.get(id);
    if (this.#edges.bugs.keepsEndingLeases) return lease !== undefined;
    return lease !== undefined && lease.endingSinceMs === null;
  }

  #add({ id, ttlSeconds }: Lease, fromMs: number): void {
    const deadlineMs = fromMs + ttlSeconds * 1_000;
    this.#leases.set(id, { ttlSeconds, deadlineMs, endingSinceMs: null });
  }
}
