/**
 * Read barriers: calls of one turn share one read index; each settles once that index is applied.
 * A read that the core gives up is asked for again with the next tick, until its deadline.
 */
import type { LogIndex, ReadReady } from '@robustmq/raft';
import { unavailable } from './pending-proposals.ts';
import type { RaftError } from './raft-error.ts';

export interface Barrier {
  readonly deadlineAtMs: number;
  readonly resolve: (index: LogIndex) => void;
  readonly reject: (error: RaftError) => void;
}

export class PendingReads {
  /** Not asked for yet. */
  #waiting: Barrier[] = [];
  /** Refused: asked for again later. */
  #refused: Barrier[] = [];
  readonly #asked = new Map<number, readonly Barrier[]>();
  /** Their index is known and not applied yet. */
  #unapplied: { readonly index: LogIndex; readonly barriers: readonly Barrier[] }[] = [];
  #nextRequest: number;

  /** @param firstRequest  differs between runs: an answer to an earlier run must not match */
  constructor(firstRequest: number) {
    this.#nextRequest = firstRequest;
  }

  get isEmpty(): boolean {
    return (
      this.#waiting.length + this.#refused.length + this.#asked.size + this.#unapplied.length === 0
    );
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  add(barrier: Barrier): void {
    this.#waiting.push(barrier);
  }

  /** @returns the request id to ask the core with; null when nobody waits */
  ask(): number | null {
    if (this.#waiting.length === 0) return null;
    const requestId = this.#nextRequest;
    this.#nextRequest += 1;
    this.#asked.set(requestId, this.#waiting);
    this.#waiting = [];
    return requestId;
  }

  ready(reads: readonly ReadReady[], appliedIndex: LogIndex): void {
    for (const { requestId, index } of reads) {
      const barriers = this.#asked.get(requestId);
      if (barriers === undefined) continue;
      this.#asked.delete(requestId);
      if (index <= appliedIndex) for (const barrier of barriers) barrier.resolve(index);
      else this.#unapplied.push({ index, barriers });
    }
  }

  refused(requestIds: readonly number[]): void {
    for (const requestId of requestIds) {
      this.#refused.push(...(this.#asked.get(requestId) ?? []));
      this.#asked.delete(requestId);
    }
  }

  applied(appliedIndex: LogIndex): void {
    if (this.#unapplied.length === 0) return;
    const unapplied = this.#unapplied;
    this.#unapplied = [];
    for (const read of unapplied) {
      if (read.index > appliedIndex) this.#unapplied.push(read);
      else for (const barrier of read.barriers) barrier.resolve(read.index);
    }
  }

  /** With each tick: refused reads are asked for again, late ones are answered. */
  tick(nowMs: number): void {
    this.#waiting = inTime([...this.#waiting, ...this.#refused], nowMs);
    this.#refused = [];
    for (const [requestId, barriers] of this.#asked) {
      this.#asked.set(requestId, inTime(barriers, nowMs));
    }
    for (const [at, { index, barriers }] of this.#unapplied.entries()) {
      this.#unapplied[at] = { index, barriers: inTime(barriers, nowMs) };
    }
  }

  rejectAll(error: RaftError): void {
    const all = [this.#waiting, this.#refused, ...this.#asked.values()];
    for (const { barriers } of this.#unapplied) all.push([...barriers]);
    this.#waiting = [];
    this.#refused = [];
    this.#asked.clear();
    this.#unapplied = [];
    for (const barriers of all) for (const barrier of barriers) barrier.reject(error);
  }
}

/** Those whose deadline is not over; the others are rejected. */
function inTime(barriers: readonly Barrier[], nowMs: number): Barrier[] {
  return barriers.filter((barrier) => {
    if (nowMs < barrier.deadlineAtMs) return true;
    barrier.reject(unavailable('nobody confirmed the read before the deadline'));
    return false;
  });
}
