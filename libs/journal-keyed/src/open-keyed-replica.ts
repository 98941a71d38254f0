import { unreachable } from '@robustmq/errors';
import { JournalError } from '@robustmq/journal';
import type { KeyedRecord, KeyedTail, KeyedWrite } from '@robustmq/journal';
import type { KeyedResult } from '@robustmq/keyed';
import type { EntryId, MembershipChange, NodeId, RaftStatus } from '@robustmq/raft';
import type { RaftGroup } from '@robustmq/raft-driver';
import { CallGatherer } from './call-gatherer.ts';
import { type KeyedMachine, openKeyedMachine } from './keyed-machine.ts';
import type {
  ClaimOutcome,
  KeyedLimits,
  KeyedReplica,
  KeyedReplicaOptions,
  KeyedReplicaStatus,
} from './keyed-replica.ts';
import { ReplicaTail } from './replica-tail.ts';

/** LIMIT: of a keyed shard, unless the caller says otherwise. */
export const DEFAULT_KEYED_LIMITS: KeyedLimits = {
  storedBytesMax: 8 * 1024 * 1024 * 1024,
  keepRemovalsMs: 3_600_000,
  removalsMax: 1_000_000,
  recentBytesMax: 2 * 1024 * 1024,
  databaseBytesMax: 8 * 1024 * 1024,
};

/** Of the Raft group of a keyed shard, and of its directory under the host's. */
export function keyedGroupNameOf(groupId: number): string {
  return `keyed-${groupId}`;
}

/**
 * Opens the replica from what its directories hold; `bootstrap` matters only where that is nothing.
 *
 * @throws LevelStateError, RaftError  what is on disk can't be had or trusted
 */
export async function openKeyedReplica(options: KeyedReplicaOptions): Promise<KeyedReplica> {
  const limits = { ...DEFAULT_KEYED_LIMITS, ...options.limits };
  const { recentBytesMax, databaseBytesMax } = limits;
  const { directory, environment, groupId, bootstrap, raftOptions, compaction } = options;
  const { fileSystem, clock, timers } = environment;
  const machine = await openKeyedMachine({
    directory,
    fileSystem,
    recentBytesMax,
    databaseBytesMax,
  });
  // The machine belongs to the group from here on, even when this throws.
  const group = await options.host.openGroup({
    name: keyedGroupNameOf(groupId),
    groupId,
    machine,
    bootstrap,
    ...(raftOptions === undefined ? {} : { raftOptions }),
    ...(compaction === undefined ? {} : { compaction }),
  });
  const { storedBytesMax, keepRemovalsMs, removalsMax } = limits;
  const terms = { storedBytesMax, keepRemovalsMs, removalsMax };
  const gatherer = new CallGatherer({ group, clock, timers, limits: terms });
  return new GroupReplica({ name: options.name, groupId, group, machine, gatherer });
}

interface Parts {
  readonly name: string;
  readonly groupId: number;
  readonly group: RaftGroup<readonly KeyedResult[]>;
  readonly machine: KeyedMachine;
  readonly gatherer: CallGatherer;
}

class GroupReplica implements KeyedReplica {
  readonly name: string;
  readonly groupId: number;
  readonly #group: RaftGroup<readonly KeyedResult[]>;
  readonly #machine: KeyedMachine;
  readonly #gatherer: CallGatherer;
  readonly #tails = new Set<ReplicaTail>();
  readonly #applied: { stop(): void };
  #isClosed = false;

  constructor(parts: Parts) {
    this.name = parts.name;
    this.groupId = parts.groupId;
    this.#group = parts.group;
    this.#machine = parts.machine;
    this.#gatherer = parts.gatherer;
    this.#applied = parts.machine.onApplied(() => {
      for (const tail of this.#tails) tail.moved();
    });
  }

  get status(): KeyedReplicaStatus {
    const { revision, forgottenRevision, keys, removals, storedBytes } = this.#machine.meta;
    const raft = this.#group.status;
    const tails = this.#tails.size;
    return { raft, revision, forgottenRevision, keys, removals, storedBytes, tails };
  }

  async write(writes: readonly KeyedWrite[], deadlineMs: number): Promise<readonly boolean[]> {
    this.#assertOpen();
    if (writes.length === 0) return [];
    const result = await this.#gatherer.submit({ kind: 'write', writes }, deadlineMs);
    switch (result.kind) {
      case 'written':
        return result.taken;
      case 'full':
        throw this.#full(result);
      case 'claimed':
        throw new Error('a write was answered as a claim');
      default:
        return unreachable(result);
    }
  }

  async claim(key: string, fence: number, deadlineMs: number): Promise<ClaimOutcome> {
    this.#assertOpen();
    const result = await this.#gatherer.submit({ kind: 'claim', key, fence }, deadlineMs);
    if (result.kind !== 'claimed') throw new Error('a claim was answered as a write');
    return { taken: result.taken, record: result.record };
  }

  async read(key: string, deadlineMs: number): Promise<KeyedRecord | null> {
    await this.#barrier(deadlineMs);
    return this.#machine.read(key);
  }

  async list(
    after: string | null,
    limit: number,
    deadlineMs: number,
  ): Promise<readonly KeyedRecord[]> {
    await this.#barrier(deadlineMs);
    return this.#machine.list(after, limit);
  }

  async revision(deadlineMs: number): Promise<number> {
    await this.#barrier(deadlineMs);
    return this.#machine.meta.revision;
  }

  openTail(after: number): KeyedTail {
    const tail = new ReplicaTail(this.#machine, after, (closed) => this.#tails.delete(closed));
    if (this.#isClosed) tail.close();
    else this.#tails.add(tail);
    return tail;
  }

  changeMembership(changes: readonly MembershipChange[], deadlineMs: number): Promise<EntryId> {
    return this.#group.changeMembership(changes, deadlineMs);
  }

  transferLeadership(to: NodeId, deadlineMs: number): Promise<void> {
    return this.#group.transferLeadership(to, deadlineMs);
  }

  onLeadership(listener: (status: RaftStatus) => void): { stop(): void } {
    return this.#group.onLeadership(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#applied.stop();
    for (const tail of [...this.#tails]) tail.close();
    await this.#group.close();
  }

  async #barrier(deadlineMs: number): Promise<void> {
    this.#assertOpen();
    await this.#group.readBarrier(deadlineMs);
    this.#assertOpen();
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new JournalError({ code: 'JOURNAL_CLOSED' });
  }

  #full({ storedBytes, storedBytesMax }: KeyedResult & { readonly kind: 'full' }): JournalError {
    const detail = `the keyed shard ${this.name} holds ${storedBytes} of ${storedBytesMax} bytes; remove keys, or raise the limit`;
    return new JournalError({ code: 'JOURNAL_FULL', limit: 'configured', detail });
  }
}
