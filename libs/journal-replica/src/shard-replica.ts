/** One replica of a message shard, as a journal server uses it. */
import type {
  AppendAcknowledgement,
  CheckedBatch,
  JournalReader,
  JournalRecord,
  Offset,
  ProducerName,
  RecordSelector,
  ShardRetention,
} from '@robustmq/journal';
import type {
  EntryId,
  LogIndex,
  MembershipChange,
  NodeId,
  RaftOptions,
  RaftStatus,
} from '@robustmq/raft';
import type { DamagedBatch, RaftBootstrap, RaftEnvironment, RaftHost } from '@robustmq/raft-driver';
import type { ReplicaStores } from './replica-stores.ts';
import type { FetchEntries, FoundDamage, ScrubCounters } from './segment-scrub.ts';
import type { SpaceWatch } from './space-watch.ts';

export interface ShardReplicaOptions {
  readonly host: RaftHost;
  readonly environment: RaftEnvironment;
  /** What all replicas of a process share: see `newReplicaStores`. */
  readonly stores: ReplicaStores;
  /** Of the disk that holds the replicas; shared by all of them. */
  readonly space: SpaceWatch;
  /** For files beside the log: indexes, states. Created when absent; of this shard alone. */
  readonly directory: string;
  /** As in the registry; for messages. */
  readonly name: string;
  /** Unique in the cluster, never used again. Names the Raft group, too. */
  readonly groupId: number;
  readonly bootstrap: RaftBootstrap;
  readonly limits: ShardLimits;
  /** Records from here on are still to be read by somebody: retention by age and by the soft limit
   * leaves them. Absent: nobody needs any. */
  readonly neededFrom?: () => Offset;
  /** Where damaged parts of the log are had again; absent: nowhere. */
  readonly fetchEntries?: FetchEntries;
  /** Told of each damaged stretch of the log, each time it is found. */
  readonly onDamage?: (found: FoundDamage) => void;
  readonly raftOptions?: Partial<RaftOptions>;
}

export interface ShardLimits {
  /** LIMIT: a file of the log grows no further; 4 KiB to 1 GiB. */
  readonly segmentBytesMax: number;
  /** So much of the log is read each second to find damage, asked each second; absent: none. */
  readonly scrubBytesPerSecond?: () => number;
  /** What the leader lets go by itself, asked at each look; nothing when absent. */
  readonly retention?: () => ShardRetention;
}

/**
 * Every deadline is in milliseconds from the call on.
 *
 * What concerns the group is thrown as `RaftError`: RAFT_REFUSED (nothing was done; `leader` says
 * where to try), RAFT_OUTCOME_UNKNOWN (repeat it: appends are written once), RAFT_UNAVAILABLE.
 */
export interface ShardReplica {
  readonly name: string;
  readonly groupId: number;
  /** A fresh copy at each look. */
  readonly status: ShardReplicaStatus;
  /** One past the newest record that is committed and applied here. Reads end there. */
  readonly end: Offset;
  /** The oldest record that can be read here. */
  readonly oldest: Offset;

  /**
   * Appends a batch once, on the leader; settles when a majority has it on disk and it is applied
   * here, or earlier: as `acknowledgement` says, if what becomes of it is certain by then. Calls may overlap, and are committed in their order unless one is refused. The bytes are
   * copied before this returns.
   *
   * @throws RaftError     as above
   * @throws JournalError  JOURNAL_FULL  nothing was written
   */
  append(append: ProducerAppend, deadlineMs: number): Promise<AppendOutcome>;

  /**
   * Everything acknowledged anywhere before the call is below the result, and can be read here.
   *
   * @throws RaftError RAFT_UNAVAILABLE
   */
  committed(deadlineMs: number): Promise<Offset>;

  /**
   * Records that are committed and applied here, in order; see {@link JournalReader}. Damage is mended
   * before it is read on: JOURNAL_RECORD_CORRUPT means that no other replica has the records.
   *
   * Its `read` @throws RaftError RAFT_UNAVAILABLE  damaged here, and a replica that may have them does
   * not answer: read again
   */
  openReader(from: Offset, selector: RecordSelector): JournalReader;

  /** Null when it is trimmed, or past the end here. Throws as a reader does. */
  readAt(offset: Offset): Promise<JournalRecord | null>;

  /**
   * Where the first record appended at `atMs` or later is; `end` when there is none here. Throws as a
   * reader does.
   */
  offsetAt(atMs: number): Promise<Offset>;

  /** Called after `end` moved, and after `oldest` did; `stop` ends it. */
  onMoved(listener: () => void): { stop(): void };

  /** On the leader: appends of the producer's incarnation, and lower ones, are refused from now on. */
  fence(producer: ProducerName, deadlineMs: number): Promise<void>;

  /** On the leader: records below are not readable any more. Whole files go on every replica. */
  trimBefore(offset: Offset, deadlineMs: number): Promise<void>;

  /** As `RaftGroup.changeMembership`. */
  changeMembership(changes: readonly MembershipChange[], deadlineMs: number): Promise<EntryId>;
  /** As `RaftGroup.transferLeadership`. */
  transferLeadership(to: NodeId, deadlineMs: number): Promise<void>;
  /** As `RaftGroup.onLeadership`. */
  onLeadership(listener: (status: RaftStatus) => void): { stop(): void };

  /**
   * For another replica whose log is damaged: Raft entries, as its `fetchEntries` gives them. Null
   * when some are not here.
   *
   * @throws RaftError RAFT_LOG_CORRUPT  they are damaged here, too; RAFT_IO_FAILED
   */
  encodeEntries(from: LogIndex, through: LogIndex): Promise<Uint8Array | null>;

  /**
   * Reads all complete files of the log, and has what is damaged mended.
   *
   * @returns the stretches that are damaged still
   * @throws RaftError RAFT_IO_FAILED
   */
  verify(): Promise<readonly DamagedBatch[]>;

  /** Ends the replica on this node; what it has on disk stays. Idempotent. */
  close(): Promise<void>;
}

export interface ProducerAppend {
  readonly producer: ProducerName;
  /** 1 for the first append of an incarnation to this shard, then one more for each. */
  readonly sequence: number;
  /** What its header says of offset and time means nothing. */
  readonly batch: CheckedBatch;
  /** When it settles; absent: `all-synced`. */
  readonly acknowledgement?: AppendAcknowledgement;
  /** Appends from here on up to this one, all acknowledged earlier than `all-synced`, may be lost. */
  readonly mayMissFrom?: number;
}

/** What became of an append; nothing but `appended` wrote anything. */
export type AppendOutcome =
  /** `base` is the offset of its first record. */
  | { readonly kind: 'appended'; readonly base: Offset }
  /** It was written before; `base` is null when that is too long ago to know where. */
  | { readonly kind: 'duplicate'; readonly base: Offset | null }
  /** The producer is over: a fence or a higher incarnation stands there. */
  | { readonly kind: 'fenced'; readonly incarnation: number }
  /**
   * An append before it was not written. `expected` 1 for a producer that has appended before: the
   * shard has forgotten it, and it begins anew once it has no append open.
   */
  | { readonly kind: 'outOfOrder'; readonly expected: number };

export interface ShardReplicaStatus {
  readonly raft: RaftStatus;
  readonly end: Offset;
  readonly oldest: Offset;
  readonly appliedIndex: number;
  readonly segments: number;
  /** Of the log on this disk. */
  readonly bytes: number;
  /** Of the log, by readers here since it was opened. */
  readonly bytesRead: number;
  readonly scrub: ScrubCounters;
  readonly producers: number;
  /** On the clock of the log. */
  readonly lastAppendedAtMs: number;
}
