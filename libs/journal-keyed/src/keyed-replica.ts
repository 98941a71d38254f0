/** One replica of a keyed shard, as a journal server uses it. */
import type { KeyedRecord, KeyedTail, KeyedWrite } from '@robustmq/journal';
import type { EntryId, MembershipChange, NodeId, RaftOptions, RaftStatus } from '@robustmq/raft';
import type {
  CompactionOptions,
  RaftBootstrap,
  RaftEnvironment,
  RaftHost,
} from '@robustmq/raft-driver';

export interface KeyedReplicaOptions {
  readonly host: RaftHost;
  readonly environment: RaftEnvironment;
  /** For the state in LevelDB. Created when absent; of this shard alone. */
  readonly directory: string;
  /** As in the registry; for messages. */
  readonly name: string;
  /** Unique in the cluster, never used again. Names the Raft group, too: `keyed-<group id>`. */
  readonly groupId: number;
  readonly bootstrap: RaftBootstrap;
  /** What is absent is as in `DEFAULT_KEYED_LIMITS`. */
  readonly limits?: Partial<KeyedLimits>;
  readonly raftOptions?: Partial<RaftOptions>;
  readonly compaction?: Partial<CompactionOptions>;
}

/** Those of the leader count for all replicas, from its next command on. */
export interface KeyedLimits {
  /** Keys, values and 64 bytes for each; beyond it puts fail with JOURNAL_FULL. */
  readonly storedBytesMax: number;
  /** How long the fence and the revision of a removal are remembered, in milliseconds. */
  readonly keepRemovalsMs: number;
  /** Removals remembered; beyond it the oldest is forgotten before its time. */
  readonly removalsMax: number;
  /** Bytes of the newest changes in memory, for tails. Counts on this replica. */
  readonly recentBytesMax: number;
  /** What LevelDB caches, and half of what it buffers, in bytes. Counts on this replica. */
  readonly databaseBytesMax: number;
}

/**
 * Every deadline is in milliseconds from the call on.
 *
 * What concerns the group is thrown as `RaftError`: RAFT_REFUSED (nothing was done; `leader` says
 * where to try), RAFT_OUTCOME_UNKNOWN (safe to repeat, in the order of the calls), RAFT_UNAVAILABLE. A
 * closed replica throws `JournalError` JOURNAL_CLOSED, and a read that the disk refuses `LevelStateError`.
 */
export interface KeyedReplica {
  readonly name: string;
  readonly groupId: number;
  /** A fresh copy at each look. */
  readonly status: KeyedReplicaStatus;

  /**
   * As `KeyedShard.write`, on the leader; settles when a majority has it on disk and it is applied
   * here. Calls may overlap, and take effect in their order. Calls of one turn share a proposal.
   * Values are copied at the end of the turn.
   *
   * @throws RaftError     as above; `tooLarge`: a key is too long, or the writes do not fit in one proposal
   * @throws JournalError  JOURNAL_FULL  nothing was written
   */
  write(writes: readonly KeyedWrite[], deadlineMs: number): Promise<readonly boolean[]>;

  /** As `KeyedShard.claim`, on the leader; throws as `write`. */
  claim(key: string, fence: number, deadlineMs: number): Promise<ClaimOutcome>;

  /** On any replica, linearizable. */
  read(key: string, deadlineMs: number): Promise<KeyedRecord | null>;

  /**
   * On any replica, linearizable: keys in the order of their UTF-8 bytes, `after` excluded. Fewer than
   * `limit` when the values are large: go on after the last until it is empty.
   */
  list(after: string | null, limit: number, deadlineMs: number): Promise<readonly KeyedRecord[]>;

  /** On any replica, linearizable: of the newest write. */
  revision(deadlineMs: number): Promise<number>;

  /**
   * What is applied here, whoever leads: everything there is, then every change, as
   * `KeyedShard.openTail` says. Bounded memory however far it is behind. Ends with the replica.
   */
  openTail(after: number): KeyedTail;

  /** As `RaftGroup.changeMembership`. */
  changeMembership(changes: readonly MembershipChange[], deadlineMs: number): Promise<EntryId>;
  /** As `RaftGroup.transferLeadership`. */
  transferLeadership(to: NodeId, deadlineMs: number): Promise<void>;
  /** As `RaftGroup.onLeadership`. */
  onLeadership(listener: (status: RaftStatus) => void): { stop(): void };

  /** Ends the replica and its tails on this node; what it has on disk stays. Idempotent. */
  close(): Promise<void>;
}

export interface ClaimOutcome {
  /** False: a higher fence stands there. */
  readonly taken: boolean;
  readonly record: KeyedRecord | null;
}

export interface KeyedReplicaStatus {
  readonly raft: RaftStatus;
  /** Of the newest write that is applied here. */
  readonly revision: number;
  /** Of the newest removal that is forgotten; 0: none. */
  readonly forgottenRevision: number;
  /** Keys with a value. */
  readonly keys: number;
  /** Keys without one, whose fence is remembered. */
  readonly removals: number;
  /** What counts against the limit. */
  readonly storedBytes: number;
  /** Tails that are open here. */
  readonly tails: number;
}
