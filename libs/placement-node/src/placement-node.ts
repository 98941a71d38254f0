/** One member of the placement group, as its process sees it. */
import type { Clock, FileSystem, Timers } from '@robustmq/environment';
import type { Lease, LeaseId, Placement, Revision, StateMachineLimits } from '@robustmq/placement';
import type { LogIndex, NodeId, RaftOptions, RaftStatus } from '@robustmq/raft';
import type { CompactionOptions, RaftBootstrap, RaftHost } from '@robustmq/raft-driver';
import type { Controller, ControllerFailure } from './controllers.ts';
import type { MemberOperations } from './member-operations.ts';

export interface PlacementNodeOptions {
  /** Stays the caller's: closed after the node. */
  readonly host: RaftHost;
  /** Of the state; the Raft log has the host's. Created when absent. */
  readonly directory: string;
  readonly bootstrap: RaftBootstrap;
  /** As configured: node number to `host:port`. */
  readonly addresses: ReadonlyMap<NodeId, string>;
  /** Told now and whenever it changes: everyone else to talk to. Wire it to the transport. */
  readonly onPeers: (peers: ReadonlyMap<NodeId, string>) => void;
  readonly environment: {
    readonly fileSystem: FileSystem;
    readonly clock: Clock;
    readonly timers: Timers;
  };
  /** Of the host; the times in `raftOptions` are counted in these. */
  readonly tickMs: number;
  readonly raftOptions: Partial<RaftOptions>;
  readonly compaction: Partial<CompactionOptions>;
  /** The same on all members. */
  readonly limits?: StateMachineLimits;
  /** How often the leader looks for leases whose time is over. */
  readonly leaseCheckMs: number;
  /** Run while this member leads. */
  readonly controllers: readonly Controller[];
  readonly onControllerFailure: (failure: ControllerFailure) => void;
  readonly onLeadership: (status: RaftStatus) => void;
}

export interface PlacementNode {
  readonly placement: Placement;
  readonly members: MemberOperations;
  readonly status: PlacementNodeStatus;

  /** Living leases after `after`, ascending by id, as this member has applied them. */
  listLeases(after: LeaseId | null, limit: number): Promise<LeasePage>;
  /** Writes a snapshot file now and forgets the log before it. */
  takeSnapshot(): Promise<LogIndex>;
  /** The whole content at one moment, as pieces; other work goes on. */
  openBackup(): Promise<Backup>;
  /** Hands the leadership to the voter that is furthest, if this member has it and there is one. */
  handOver(deadlineMs: number): Promise<void>;
  /** Stops controllers and ends watches; calls are refused from now on. Idempotent. */
  endCalls(): Promise<void>;
  /** Ends calls, closes the group and the store. Idempotent. */
  close(): Promise<void>;
}

export interface PlacementNodeStatus {
  readonly raft: RaftStatus;
  readonly appliedIndex: LogIndex;
  readonly revision: Revision;
  /** The first revision that a watch may begin with. */
  readonly oldestRevision: Revision;
  readonly storeBytes: number;
  readonly storeBytesMax: number;
  readonly keys: number;
  readonly leases: number;
  readonly watches: number;
  /** This member leads and has read the state of its predecessors. */
  readonly leads: boolean;
  /** `host:port` of the leader; null while it is not known. */
  readonly leaderAddress: string | null;
  readonly counters: PlacementNodeCounters;
}

/** Totals since the member was opened. */
export interface PlacementNodeCounters {
  readonly proposals: number;
  readonly proposalsFailed: number;
  readonly readBarriers: number;
  readonly leasesExpired: number;
  readonly leaderChanges: number;
}

export interface LeasePage {
  readonly leases: readonly Lease[];
  readonly more: boolean;
}

export interface Backup {
  readonly revision: Revision;
  readonly index: LogIndex;
  /** Read once. */
  readonly content: AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}
