/** Membership changes and leadership transfers between their call and their answer. */
import type { Entry, EntryId, NodeId } from '@robustmq/raft';
import { unknown } from './pending-proposals.ts';
import type { RaftError } from './raft-error.ts';

export interface Waiter<Value> {
  readonly deadlineAtMs: number;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: RaftError) => void;
}

export class MembershipWait {
  #changes: { readonly first: EntryId; readonly waiter: Waiter<EntryId> }[] = [];
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

  /** A change is over with the first configuration from its own on that is not joint. */
  applied(entries: readonly Entry[]): void {
    if (this.#changes.length === 0) return;
    for (const entry of entries) {
      if (entry.kind !== 'membership' || entry.configuration.outgoing.length > 0) continue;
      const { term, index } = entry;
      this.#changes = this.#changes.filter(({ first, waiter }) => {
        if (first.index > index || first.term !== term) return true;
        waiter.resolve({ term, index });
        return false;
      });
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

  /** A final configuration that is committed is applied for sure; others may be replaced. */
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
