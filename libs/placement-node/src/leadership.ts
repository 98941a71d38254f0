/**
 * Follows who leads, and runs what only a leader may do.
 *
 * A term begins here once this member has applied everything its predecessors acknowledged: what
 * runs in it sees the whole state.
 */
import type { TimerHandle, Timers } from '@robustmq/environment';
import type { RaftStatus, Term } from '@robustmq/raft';

export interface LeadershipEdges {
  readonly timers: Timers;
  /** Resolves when the state shows everything acknowledged before the call. */
  readonly catchUp: () => Promise<unknown>;
  readonly begin: (term: Term) => void;
  /** Also for a term that ends before it began. */
  readonly end: () => void;
}

const RETRY_MS = 100;

export class Leadership {
  readonly #edges: LeadershipEdges;
  /** The term this member leads, or is about to. */
  #term: Term | null = null;
  #hasBegun = false;
  #retry: TimerHandle | null = null;

  constructor(edges: LeadershipEdges) {
    this.#edges = edges;
  }

  /** Whether this member leads and knows everything acknowledged before. */
  get isEstablished(): boolean {
    return this.#hasBegun;
  }

  changed(status: RaftStatus): void {
    const term = status.role === 'leader' ? status.term : null;
    if (term === this.#term) return;
    this.stop();
    this.#term = term;
    if (term !== null) this.#establish(term);
  }

  /** Ends the term on this member. Idempotent. */
  stop(): void {
    if (this.#term === null) return;
    this.#term = null;
    this.#retry?.cancel();
    this.#retry = null;
    this.#hasBegun = false;
    this.#edges.end();
  }

  #establish(term: Term): void {
    this.#edges.catchUp().then(
      () => {
        if (this.#term !== term) return;
        this.#hasBegun = true;
        this.#edges.begin(term);
      },
      () => {
        if (this.#term !== term) return;
        this.#retry = this.#edges.timers.after(RETRY_MS, () => this.#establish(term));
      },
    );
  }
}
