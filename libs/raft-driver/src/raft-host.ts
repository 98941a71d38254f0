/** What a process says once to run Raft groups, and what it gets. */
import type { Clock, FileSystem, RandomSource, Timers } from '@robustmq/environment';
import type { NodeId, RaftOptions } from '@robustmq/raft';
import type { PeerTransport } from './peer-transport.ts';
import type { RaftFault, RaftGroup } from './raft-group.ts';
import type { StateMachine } from './state-machine.ts';

/** One per process and data directory: all groups share its flushes, ticks and connections. */
export interface RaftHost {
  readonly nodeId: NodeId;
  /** Random, made when the directory was: 32 hexadecimal digits. A wiped disk comes with another. */
  readonly memberId: string;
  /** A fresh copy at each look. */
  readonly counters: RaftHostCounters;

  /**
   * Opens the group from what its directory holds; `bootstrap` matters only where that is nothing.
   * The machine belongs to the group from now on, even when this throws: it is closed with it.
   *
   * @throws RaftError RAFT_LOG_CORRUPT  what is on disk can't be trusted: the process must not go on
   * @throws RaftError RAFT_IO_FAILED, RAFT_FULL
   */
  openGroup<Result>(options: RaftGroupOptions<Result>): Promise<RaftGroup<Result>>;

  /**
   * Removes what a group has on disk; it is not open, and this node is no member of it any more:
   * one that forgets its votes breaks its group. A deletion that was cut short is finished by
   * another one; until then the group can't be opened. Idempotent.
   *
   * @throws RaftError RAFT_IO_FAILED
   */
  deleteGroup(name: string): Promise<void>;

  /** Closes the groups, flushes, releases the directory and closes the transport. Idempotent. */
  close(): Promise<void>;
}

export interface RaftHostOptions {
  /** Created when absent; locked while the host is open. */
  readonly directory: string;
  readonly nodeId: NodeId;
  /** The same on all nodes of a cluster: frames of another one are refused. */
  readonly clusterId: string;
  readonly environment: RaftEnvironment;
  /** Closed with the host. */
  readonly transport: PeerTransport;
  /** 100 when absent. The times in `RaftOptions` are counted in these. */
  readonly tickMs?: number;
  /** LIMIT: a segment file grows no further; 64 MiB when absent, 1 GiB at most. */
  readonly segmentBytesMax?: number;
  /**
   * LIMIT: one proposal, 2 MiB when absent; a larger one is refused as `tooLarge`. The transport must
   * carry frames that are 1 KiB larger: an entry that it drops is never replicated.
   */
  readonly proposalBytesMax?: number;
  /**
   * A group failed for good: its log can't be written or trusted. It answers nothing any more, and
   * the process should say so and exit (ADR 0005); a restart recovers what is durable.
   */
  readonly onFatal: (fault: RaftFault, group: string) => void;
  /**
   * Another node refuses to talk to this one. The process should exit with the sentence: this node
   * lost its disk, or was set up with the wrong cluster id.
   */
  readonly onRefused: (refusal: PeerRefusal) => void;
}

export interface RaftEnvironment {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomSource;
}

/** Another node's answer to our frames. */
export interface PeerRefusal {
  readonly by: NodeId;
  /** `otherMember`: it knows this node id with another member identity. */
  readonly reason: 'otherCluster' | 'otherMember';
  /** For the operator: what to do. */
  readonly sentence: string;
}

export interface RaftGroupOptions<Result> {
  /** Names its directory: `[a-z0-9-]`, at most 100 characters. */
  readonly name: string;
  /** The same on all members, unique in the cluster; 0 to 4 294 967 295. */
  readonly groupId: number;
  readonly machine: StateMachine<Result>;
  readonly bootstrap: RaftBootstrap;
  /** What is absent is as in `defaultRaftOptions`. */
  readonly raftOptions?: Partial<RaftOptions>;
  readonly compaction?: Partial<CompactionOptions>;
  /**
   * `compaction` when absent: the log forgets by itself what the machine has made durable. `owner`:
   * only `RaftGroup.forgetLog` makes it forget.
   */
  readonly retention?: 'compaction' | 'owner';
  /** LIMIT: as for the host, for this group alone. */
  readonly segmentBytesMax?: number;
  /**
   * Asked before entries of a leader are taken: false drops them, and the leader repeats them
   * later. For disks that are nearly full. Absent: always true.
   */
  readonly admitsEntries?: () => boolean;
}

/** How a group begins on a node that has nothing of it. */
export type RaftBootstrap =
  /**
   * The group is new, and these are its first voters, the same on each of them. Whoever says so on
   * a wiped disk is refused by the others (see `onRefused`).
   */
  | { readonly kind: 'found'; readonly voters: readonly NodeId[] }
  /** The group exists: wait until its leader adds this node. */
  | { readonly kind: 'join' };

/** When the log forgets what the state machine has made durable. */
export interface CompactionOptions {
  /** LIMIT: more applied bytes than this: compact. 64 MiB when absent. */
  readonly logBytesMax: number;
  /** LIMIT: more applied entries than this: compact. 100 000 when absent. */
  readonly logEntriesMax: number;
  /** Entries kept for followers that lag; 10 000 when absent. */
  readonly slackEntries: number;
}

/** Since the host was opened. */
export interface RaftHostCounters {
  readonly framesSent: number;
  readonly framesReceived: number;
  /** Not decodable, or for another node. */
  readonly framesMalformed: number;
  /** From another cluster, or from a node id with another member identity. */
  readonly framesRefused: number;
  readonly messagesSent: number;
  /** For a group that is not open here. */
  readonly messagesUnclaimed: number;
  /** Snapshot files that could not be written for a follower or read: on a full or failing disk. */
  readonly snapshotFailures: number;
  readonly flushes: number;
  readonly bytesWritten: number;
}
