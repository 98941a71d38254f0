// Made by scripts/generate-rpc.ts from the files in proto/. Do not edit.
import type { UnaryMethod } from '../contract/method.ts';

/** One totally ordered log. */
export interface Shard {
  readonly clusterName: string;
  readonly namespace: string;
  readonly shardName: string;
  /** Never used again after the shard is deleted. */
  readonly shardId: number;
  /** How many nodes hold it. */
  readonly replica: number;
  /** Ascending by number. */
  readonly segments: readonly Segment[];
  /** Milliseconds since 1970. */
  readonly createTime: number;
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
  readonly replica: number;
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
  /** Creates a shard. ALREADY_EXISTS when there is one of that name. */
  readonly createShard: UnaryMethod<CreateShardRequest, CreateShardReply>;
  /** Reads a shard. NOT_FOUND when there is none. */
  readonly getShard: UnaryMethod<GetShardRequest, GetShardReply>;
  /** Deletes a shard and its segments. Not an error when there is none. */
  readonly deleteShard: UnaryMethod<DeleteShardRequest, DeleteShardReply>;
  /** Adds a segment to a shard. */
  readonly createSegment: UnaryMethod<CreateSegmentRequest, CreateSegmentReply>;
  /** Deletes a segment. Not an error when there is none. */
  readonly deleteSegment: UnaryMethod<DeleteSegmentRequest, DeleteSegmentReply>;
}
