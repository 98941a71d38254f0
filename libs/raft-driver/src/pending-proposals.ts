/** Proposals between their call and their answer, on the node that made them. */
import type { EntryId, LogIndex, NodeId, Term } from '@robustmq/raft';
import { RaftError } from './raft-error.ts';
import type { ProposalStages, Proposed } from './raft-group.ts';

export interface Proposal<Result> {
  readonly data: Uint8Array;
  readonly deadlineAtMs: number;
  readonly stages: ProposalStages | null;
  readonly resolve: (proposed: Proposed<Result>) => void;
  readonly reject: (error: RaftError) => void;
}

interface Appended<Result> {
  readonly term: Term;
  readonly proposal: Proposal<Result>;
}

export class PendingProposals<Result> {
  /** Not in the log yet: they go with the next turn. */
  #waiting: Proposal<Result>[] = [];
  /** By ascending log index. */
  readonly #appended = new Map<LogIndex, Appended<Result>>();
  /** In the log of this leader, and not on its disk yet; by ascending log index. */
  #unflushed: { readonly index: number; readonly durable: () => void }[] = [];
  /** Of the data of all of them. */
  #bytes = 0;
  #earliestDeadlineMs = Number.POSITIVE_INFINITY;

  get count(): number {
    return this.#waiting.length + this.#appended.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  add(proposal: Proposal<Result>): void {
    this.#waiting.push(proposal);
    this.#bytes += proposal.data.length;
    if (proposal.deadlineAtMs < this.#earliestDeadlineMs) {
      this.#earliestDeadlineMs = proposal.deadlineAtMs;
    }
  }

  takeWaiting(): readonly Proposal<Result>[] {
    const taken = this.#waiting;
    this.#waiting = [];
    return taken;
  }

  appended(proposals: readonly Proposal<Result>[], first: EntryId): void {
    const { term } = first;
    for (const [at, proposal] of proposals.entries()) {
      const index = (first.index + at) as LogIndex;
      this.#appended.set(index, { term, proposal });
      const { stages } = proposal;
      if (stages === null) continue;
      const { durable } = stages;
      if (durable !== null) this.#unflushed.push({ index, durable });
      stages.appended({ term, index });
    }
  }

  /** The log is on this node's disk up to `index`. */
  durable(index: number): void {
    let count = 0;
    while ((this.#unflushed[count]?.index ?? Number.POSITIVE_INFINITY) <= index) count += 1;
    if (count === 0) return;
    for (const { durable } of this.#unflushed.splice(0, count)) durable();
  }

  refused(proposals: readonly Proposal<Result>[], reason: string, leader: NodeId | null): void {
    for (const proposal of proposals) this.#reject(proposal, refusal(reason, leader));
  }

  /** An entry was applied. */
  applied(id: EntryId, result: Result): void {
    const found = this.#appended.get(id.index);
    if (found === undefined) return;
    this.#appended.delete(id.index);
    const { proposal, term } = found;
    if (term !== id.term) return this.#reject(proposal, unknown('another leader replaced it'));
    this.#bytes -= proposal.data.length;
    proposal.resolve({ id: { term: id.term, index: id.index }, result });
  }

  /** Nobody here will learn of the entries after `index`, or what the machine said to them. */
  forgetAfter(index: number, detail: string): void {
    this.#unflushed = [];
    for (const [at, { proposal }] of this.#appended) {
      if (at <= index) continue;
      this.#appended.delete(at);
      this.#reject(proposal, unknown(detail));
    }
  }

  /** The entries up to `index` arrived inside a snapshot, without results. */
  forgetThrough(index: number): void {
    this.#unflushed = [];
    for (const [at, { proposal }] of this.#appended) {
      if (at > index) continue;
      this.#appended.delete(at);
      this.#reject(proposal, unknown('a snapshot replaced the state machine'));
    }
  }

  expire(nowMs: number): void {
    if (nowMs < this.#earliestDeadlineMs) return;
    this.#earliestDeadlineMs = Number.POSITIVE_INFINITY;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const proposal of waiting) {
      if (nowMs >= proposal.deadlineAtMs) this.#reject(proposal, refusal('deadline', null));
      else this.#keepWaiting(proposal);
    }
    for (const [index, { proposal }] of this.#appended) {
      if (nowMs < proposal.deadlineAtMs) this.#noteDeadline(proposal);
      else {
        this.#appended.delete(index);
        this.#reject(proposal, unknown('the deadline passed'));
      }
    }
  }

  #keepWaiting(proposal: Proposal<Result>): void {
    this.#waiting.push(proposal);
    this.#noteDeadline(proposal);
  }

  #noteDeadline({ deadlineAtMs }: Proposal<Result>): void {
    this.#earliestDeadlineMs = Math.min(this.#earliestDeadlineMs, deadlineAtMs);
  }

  #reject(proposal: Proposal<Result>, error: RaftError): void {
    this.#bytes -= proposal.data.length;
    proposal.reject(error);
  }
}

export function refusal(reason: string, leader: NodeId | null): RaftError {
  return new RaftError({ code: 'RAFT_REFUSED', reason, leader });
}

export function unknown(detail: string): RaftError {
  return new RaftError({ code: 'RAFT_OUTCOME_UNKNOWN', detail });
}

export function unavailable(detail: string): RaftError {
  return new RaftError({ code: 'RAFT_UNAVAILABLE', detail });
}
