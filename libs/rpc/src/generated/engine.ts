// Made by scripts/generate-rpc.ts from the files in proto/. Do not edit.
import type { UnaryMethod } from '../contract/method.ts';

/** What the replicas of a shard do with what is committed. */
export type ShardKind = 'Messages' | 'Keyed';

/** What an append meets at `bytes_max`. */
export type WhenFull = 'Refuse' | 'DropOldest';

/** How much a shard of messages keeps beside what readers release. 0: no such bound. */
export interface Retention {
  /** Records older than this go, read or not. */
  readonly ageMsMax: number;
  /** Beyond so many bytes of log on a server `when_full` says what happens. */
  readonly bytesMax: number;
  readonly whenFull: WhenFull;
}

/** One totally ordered log. */
export interface Shard {
  readonly clusterName: string;
  readonly namespace: string;
  readonly shardName: string;
  /** Never used again after the shard is deleted. */
  readonly shardId: number;
  /** How many nodes should hold it. */
  readonly replica: number;
  /** Ascending by number. */
  readonly segments: readonly Segment[];
  /** Milliseconds since 1970. */
  readonly createTime: number;
  readonly kind: ShardKind;
  /** Its Raft group; never used for another shard. */
  readonly groupId: number;
  /** The nodes that should hold it; none before it has a place. */
  readonly replicas: readonly number[];
  /** Who should lead. 0: nobody in particular. */
  readonly preferredLeader: number;
  /** Grows with each change of the place. */
  readonly epoch: number;
  readonly retention: Retention | null;
  /** What its leader told last; absent while none has led it. */
  readonly state: ShardState | null;
}

/** A shard as its leader sees it. */
export interface ShardState {
  /** The Raft term of the leader. */
  readonly term: number;
  readonly leader: number;
  readonly voters: readonly number[];
  readonly learners: readonly number[];
  /** The offset after the last committed record; of a keyed shard the revision. */
  readonly committed: number;
  /** The first offset that is kept. */
  readonly oldest: number;
  /** On the leader's disk. */
  readonly bytes: number;
  /** Milliseconds since 1970, by the leader's clock. */
  readonly toldTime: number;
}

/** One part of a shard. */
export interface Segment {
  /** Counts from 0 within its shard. */
  readonly segmentSeq: number;
  /** The nodes that hold it. */
  readonly replicas: readonly number[];
  /** 0 while there is none. */
  readonly leader: number;
}

/** Creates a shard. */
export interface CreateShardRequest {
  readonly clusterName: string;
  readonly namespace: string;
  readonly shardName: string;
  /** 0: as many as is usual, which is 3. */
  readonly replica: number;
  readonly kind: ShardKind;
  /** Absent: everything is kept until readers release it. */
  readonly retention: Retention | null;
}

/** The shard exists. */
export interface CreateShardReply {
  readonly shard: Shard | null;
}

/** Asks for a shard. */
export interface GetShardRequest {
  readonly clusterName: string;
  readonly namespace: string;
  readonly shardName: string;
}

/** The shard asked for. */
export interface GetShardReply {
  readonly shard: Shard | null;
}

/** Asks for shards, ascending by namespace and name. */
export interface ListShardsRequest {
  readonly clusterName: string;
  /** Empty: of all. */
  readonly namespace: string;
  /** `next` of the reply before; empty: from the start. */
  readonly after: string;
  /** How many at most. 0: 500. */
  readonly limit: number;
}

/** Some shards. */
export interface ListShardsReply {
  readonly shards: readonly Shard[];
  /** Where the next page begins; empty: this is the last. */
  readonly next: string;
}

/** Moves a replica, the leadership, or both. */
export interface MoveShardRequest {
  readonly clusterName: string;
  readonly namespace: string;
  readonly shardName: string;
  /** The replica on `from` moves to `to`. Both 0: none does. */
  readonly from: number;
  readonly to: number;
  /** Who should lead from now on. 0: as it was, if that one keeps a replica. */
  readonly leader: number;
}

/** The move is decided. */
export interface MoveShardReply {
  readonly shard: Shard | null;
}

/** Changes what a shard keeps. */
export interface RetainShardRequest {
  readonly clusterName: string;
  readonly namespace: string;
  readonly shardName: string;
  readonly retention: Retention | null;
}

/** This is what is kept from now on. */
export interface RetainShardReply {
  readonly shard: Shard | null;
}

/** Deletes a shard. */
export interface DeleteShardRequest {
  readonly clusterName: string;
  readonly namespace: string;
  readonly shardName: string;
}

/** There is no such shard any more. */
export type DeleteShardReply = object;

/** Adds a segment. */
export interface CreateSegmentRequest {
  readonly clusterName: string;
  readonly namespace: string;
  readonly shardName: string;
}

/** The segment exists. */
export interface CreateSegmentReply {
  readonly segment: Segment | null;
}

/** Deletes a segment. */
export interface DeleteSegmentRequest {
  readonly clusterName: string;
  readonly namespace: string;
  readonly shardName: string;
  readonly segmentSeq: number;
}

/** There is no such segment any more. */
export type DeleteSegmentReply = object;

/** Shards and their segments. */
export interface EngineMethods {
  /**
   * Asks for a shard; the leader of the placement center gives it a place soon after. ALREADY_EXISTS
   * when there is one of that name.
   */
  readonly createShard: UnaryMethod<CreateShardRequest, CreateShardReply>;
  /** Reads a shard. NOT_FOUND when there is none. */
  readonly getShard: UnaryMethod<GetShardRequest, GetShardReply>;
  /** Reads many shards, without their segments. */
  readonly listShards: UnaryMethod<ListShardsRequest, ListShardsReply>;
  /** Deletes a shard and all that it holds. Not an error when there is none. */
  readonly deleteShard: UnaryMethod<DeleteShardRequest, DeleteShardReply>;
  /**
   * Moves a replica or the leadership. Answers once that is decided; GetShard tells when it is done.
   * FAILED_PRECONDITION when the shard is under way already, or a server is not registered.
   */
  readonly moveShard: UnaryMethod<MoveShardRequest, MoveShardReply>;
  /** Changes what a shard keeps. */
  readonly retainShard: UnaryMethod<RetainShardRequest, RetainShardReply>;
  /** Adds a segment to a shard. */
  readonly createSegment: UnaryMethod<CreateSegmentRequest, CreateSegmentReply>;
  /** Deletes a segment. Not an error when there is none. */
  readonly deleteSegment: UnaryMethod<DeleteSegmentRequest, DeleteSegmentReply>;
}
