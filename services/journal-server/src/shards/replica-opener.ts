/** How replicas are opened and deleted, and what is seen of an open one beside its records. */
import type { OpenReplica } from '@robustmq/journal-client';
import type { EntryId, LogIndex, MembershipChange, NodeId, RaftStatus } from '@robustmq/raft';
import type { ShardRetention } from '@robustmq/placement-registry';
import type { RaftBootstrap } from '@robustmq/raft-driver';
import type { HostedShard, StoredReplica } from './shard-set.ts';

/** Opens and deletes replicas of both kinds. */
export interface ReplicaOpener {
  /**
   * @param retention  what it lets go, asked again and again
   * @throws when what is on disk can't be had or trusted
   */
  open(
    shard: HostedShard,
    bootstrap: RaftBootstrap,
    retention: () => ShardRetention,
  ): Promise<OpenedReplica>;
  /** Removes what a replica that is not open has on disk. Idempotent. @throws when something is left */
  delete(replica: StoredReplica): Promise<void>;
  /** Everything on disk. */
  stored(): Promise<readonly StoredReplica[]>;
}

/** A replica, and its membership in its group. */
export interface OpenedReplica {
  /** As the data plane sees it, without what `HostedShards` knows about it. */
  readonly content: Pick<OpenReplica, 'kind' | 'replica'>;
  /** Fresh copies at each look. */
  raft(): RaftStatus;
  amounts(): ReplicaAmounts;
  /** For a replica on another node, as `ShardReplica.encodeEntries`; null: this kind is not mended so. */
  readonly encodeEntries:
    | ((from: LogIndex, through: LogIndex) => Promise<Uint8Array | null>)
    | null;
  changeMembership(changes: readonly MembershipChange[], deadlineMs: number): Promise<EntryId>;
  transferLeadership(to: NodeId, deadlineMs: number): Promise<void>;
  onLeadership(listener: (status: RaftStatus) => void): { stop(): void };
  close(): Promise<void>;
}

/** How much a replica holds. */
export interface ReplicaAmounts {
  readonly appliedIndex: number;
  /** The offset after the last committed record; of a keyed shard the revision. */
  readonly committed: number;
  /** The first offset that is kept. */
  readonly oldest: number;
  readonly bytes: number;
}
