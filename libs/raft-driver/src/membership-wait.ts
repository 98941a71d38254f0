/** Membership changes and leadership transfers between their call and their answer. */
import type { Entry, EntryId, NodeId } from '@robustmq/raft';
import { unknown } from './pending-proposals.ts';
import type { RaftError } from './raft-error.ts';

export interface Waiter<Value> {
  readonly deadlineAtMs: number;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: RaftError) => void;
}

interface PendingChange {
  readonly first: EntryId;
  readonly waiter: Waiter<EntryId>;
}

export class MembershipWait {
  #changes: PendingChange[] = [];
  #transfers: { readonly to: NodeId; readonly waiter: Waiter<void> }[] = [];

  get isEmpty(): boolean {
    return this.#changes.length + this.#transfers.length === 0;
  }

  awaitChange(first: EntryId, waiter: Waiter<EntryId>): void {
    this.#changes.push({ first, waiter });
  }

  awaitTransfer(to: NodeId, waiter: Waiter<void>): void {
    this.#transfers.push({ to, waiter });
  }

  /**
   * A change is over with the first configuration from its own on that is not joint; once its own is
   * committed that is sure to come, whoever leads.
   */
  applied(entries: readonly Entry[]): void {
    if (this.#changes.length === 0) return;
    for (const entry of entries) {
      this.#changes = this.#changes.filter((change) => !isSettledBy(change, entry));
    }
  }

  leaderIs(leader: NodeId | null, self: NodeId): void {
    if (leader === null || leader === self || this.#transfers.length === 0) return;
    const transfers = this.#transfers;
    this.#transfers = [];
    for (const { to, waiter } of transfers) {
      if (to === leader) waiter.resolve();
      else waiter.reject(unknown(`node ${leader} became the leader instead`));
    }
  }

  /** What is not committed may be replaced. */
  leadershipLost(committedIndex: number): void {
    this.#changes = this.#changes.filter(({ first, waiter }) => {
      if (first.index <= committedIndex) return true;
      waiter.reject(unknown('leadership was lost'));
      return false;
    });
  }

  expire(nowMs: number): void {
    const isLate = ({ deadlineAtMs, reject }: Waiter<never>): boolean => {
      if (nowMs < deadlineAtMs) return false;
      reject(unknown('the deadline passed'));
      return true;
    };
    this.#changes = this.#changes.filter(({ waiter }) => !isLate(waiter as Waiter<never>));
    this.#transfers = this.#transfers.filter(({ waiter }) => !isLate(waiter as Waiter<never>));
  }

  rejectAll(error: RaftError): void {
    for (const { waiter } of this.#changes) waiter.reject(error);
    for (const { waiter } of this.#transfers) waiter.reject(error);
    this.#changes = [];
    this.#transfers = [];
  }
}

function isSettledBy({ first, waiter }: PendingChange, entry: Entry): boolean {
  const { term, index } = entry;
  if (index < first.index) return false;
  if (index === first.index && term !== first.term) {
    waiter.reject(unknown('another leader replaced it'));
    return true;
  }
  if (entry.kind !== 'membership' || entry.configuration.outgoing.length > 0) return false;
  waiter.resolve({ term, index });
  return true;
}
