/**
 * The shards that this node hosts. The reconcile loop compares it with the registry of the placement
 * center and drives it; the data plane looks shards up in it.
 */
import type { ShardRetention } from '@robustmq/placement-registry';
import type { RaftBootstrap } from '@robustmq/raft-driver';

/** A shard as far as a node must know it to host a replica. */
export interface HostedShard {
  /** As `namespace/shard`: the names in the registry. */
  readonly name: string;
  /** What the replicas do with what is committed; never changes for one name and group. */
  readonly kind: 'messages' | 'keyed';
  /** Its Raft group: unique in the cluster, never used again; 1 to 4 294 967 295. */
  readonly groupId: number;
}

/** A replica on disk; its files do not tell the name of the shard. */
export type StoredReplica = Pick<HostedShard, 'kind' | 'groupId'>;

/** A replica as it stands. Of followers nothing is known but on the leader. */
export interface HostedShardStatus extends HostedShard {
  readonly phase: 'opening' | 'open' | 'closing' | 'failed';
  /** Why it failed, for operators; empty otherwise. A failed replica is closed before it is opened again. */
  readonly failure: string;
  readonly role: 'leader' | 'follower' | 'candidate' | 'none';
  /** The node that leads, as far as this one knows. */
  readonly leader: number | null;
  readonly term: number;
  /** As in the newest configuration that this node has; ascending. */
  readonly voters: readonly number[];
  readonly learners: readonly number[];
  /** Entries of the Raft log that are committed, and that this node has applied. */
  readonly commitIndex: number;
  readonly appliedIndex: number;
  /** Of the other members, on the leader; empty elsewhere. */
  readonly followers: readonly {
    readonly node: number;
    readonly matchIndex: number;
    readonly mode: 'probe' | 'replicate' | 'snapshot';
  }[];
}

/** Calls for one shard are carried out one after the other, in the order in which they came. */
export interface ShardSet {
  /** All that are open, being opened, being closed, or failed; in the order of their names. */
  list(): readonly HostedShardStatus[];

  /** null: not hosted here. A fresh copy at each look. */
  statusOf(name: string): HostedShardStatus | null;

  /**
   * Opens the replica from what this node has of it; `bootstrap` matters only where that is nothing.
   * Opening one that is open, with the same group id, changes nothing.
   *
   * @throws ShardSetError SHARD_MISMATCH  another kind or group is open under the name
   * @throws ShardSetError SHARD_OPEN_FAILED  the phase is then `failed`
   */
  open(shard: HostedShard, bootstrap: RaftBootstrap): Promise<void>;

  /** What the replica lets go from now on; before it is told, nothing. Nothing happens if it is not here. */
  retain(name: string, retention: ShardRetention): void;

  /**
   * Ends the replica on this node. `delete` removes what it has on disk, too. Idempotent.
   *
   * @throws ShardSetError SHARD_DELETE_FAILED  it is closed, and files are left
   */
  close(name: string, content: 'keep' | 'delete'): Promise<void>;

  /**
   * Brings the group towards `voters` as far as that goes now: adds what is missing as learners, promotes
   * those that have caught up, removes the others. Only on the leader. Safe to call again, with other voters
   * too: every step is decided from the group as it stands.
   *
   * @returns `waiting`: a new member has not caught up yet, or another change must be committed first; call
   *   again in a while
   * @throws ShardSetError SHARD_NOT_LEADER, SHARD_UNAVAILABLE (the deadline passed; go on by calling again)
   */
  changeMembers(
    name: string,
    voters: readonly number[],
    deadlineMs: number,
  ): Promise<'done' | 'waiting'>;

  /** Replicas that this node has files of, open or not. */
  stored(): Promise<readonly StoredReplica[]>;

  /**
   * Removes the files of a replica that is not open. Idempotent.
   *
   * @throws ShardSetError SHARD_DELETE_FAILED  something is left
   */
  deleteStored(replica: StoredReplica): Promise<void>;

  /** Hands the leadership to a voter. Only on the leader. Throws as `changeMembers`. */
  handLeadershipTo(name: string, node: number, deadlineMs: number): Promise<void>;

  /** Called after each change of a leader or a term, of any shard here; `stop` ends it. */
  onLeadership(listener: (status: HostedShardStatus) => void): { stop(): void };
}

/** Why a shard was not opened, closed or changed. Codes are API. */
export type ShardSetFaultCode =
  | 'SHARD_MISMATCH'
  | 'SHARD_OPEN_FAILED'
  | 'SHARD_DELETE_FAILED'
  /** Not hosted here, or not led here. */
  | 'SHARD_NOT_LEADER'
  | 'SHARD_UNAVAILABLE';

/** The message says which shard, what and why. */
export class ShardSetError extends Error {
  override readonly name = 'ShardSetError';
  readonly code: ShardSetFaultCode;

  constructor(code: ShardSetFaultCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
