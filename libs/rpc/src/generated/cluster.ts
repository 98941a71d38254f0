// Made by scripts/generate-rpc.ts from the files in proto/. Do not edit.
import type { ServerStreamMethod, UnaryMethod } from '../contract/method.ts';

/** Asks for the state of one member. */
export type StatusRequest = object;

/** The state of one member. */
export interface StatusReply {
  readonly clusterName: string;
  readonly nodeId: number;
  /** Of the software. */
  readonly version: string;
  /** follower, precandidate, candidate, leader or learner. */
  readonly role: string;
  /** 0 while there is no leader. */
  readonly leaderId: number;
  /** As host:port; empty while there is no leader. */
  readonly leaderAddr: string;
  readonly term: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly revision: number;
  readonly oldestRevision: number;
  readonly storeBytes: number;
  readonly logBytes: number;
  readonly leases: number;
  readonly watches: number;
  readonly uptimeSeconds: number;
  /**
   * Which cluster this is: the name, or another text after a backup was restored. A new member takes
   * it over from those it joins.
   */
  readonly clusterId: string;
  /** Random, made with the data directory: a member that lost its disk comes with another. */
  readonly memberId: string;
  /** The numbers of the founding members as this member was configured; empty for one that joined. */
  readonly founders: readonly number[];
}

/** Asks for the members. */
export type MembersRequest = object;

/** The members, ascending by id. */
export interface MembersReply {
  readonly members: readonly Member[];
  /** A change of the voters is under way. */
  readonly joint: boolean;
}

/** One member. */
export interface Member {
  readonly nodeId: number;
  /** As host:port. */
  readonly address: string;
  readonly voter: boolean;
  readonly leader: boolean;
  /** As the leader knows it; 0 when another member answers. */
  readonly matchIndex: number;
}

/** Adds a learner. */
export interface AddLearnerRequest {
  readonly nodeId: number;
  /** As host:port. */
  readonly address: string;
}

/** Gives votes. */
export interface PromoteRequest {
  readonly nodeIds: readonly number[];
}

/** Takes members out. */
export interface RemoveRequest {
  readonly nodeIds: readonly number[];
}

/** Hands the leadership over. */
export interface TransferLeaderRequest {
  readonly nodeId: number;
}

/** The new leader leads. */
export interface TransferLeaderReply {
  readonly term: number;
}

/** Asks for a snapshot. */
export type SnapshotRequest = object;

/** A snapshot is on disk. */
export interface SnapshotReply {
  readonly index: number;
}

/** Asks for a backup. */
export type BackupRequest = object;

/** One piece of a backup. All in order are the content of a backup file. */
export interface BackupChunk {
  readonly content: Uint8Array;
}

/**
 * Looks at the members and changes them. Any member answers Status and Members; the others answer
 * with PLACEMENT_NOT_LEADER unless they lead.
 */
export interface ClusterMethods {
  /** How the member asked is doing. */
  readonly status: UnaryMethod<StatusRequest, StatusReply>;
  /** Who belongs to the group. */
  readonly members: UnaryMethod<MembersRequest, MembersReply>;
  /** Adds a member that gets the log but has no vote. */
  readonly addLearner: UnaryMethod<AddLearnerRequest, MembersReply>;
  /** Gives learners a vote. */
  readonly promote: UnaryMethod<PromoteRequest, MembersReply>;
  /** Takes members out. */
  readonly remove: UnaryMethod<RemoveRequest, MembersReply>;
  /** Hands the leadership to another voter. */
  readonly transferLeader: UnaryMethod<TransferLeaderRequest, TransferLeaderReply>;
  /** Writes a snapshot on the member asked and forgets the log before it. */
  readonly snapshot: UnaryMethod<SnapshotRequest, SnapshotReply>;
  /** Streams the whole content at one revision, in pieces. */
  readonly backup: ServerStreamMethod<BackupRequest, BackupChunk>;
}
