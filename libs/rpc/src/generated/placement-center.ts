// Made by scripts/generate-rpc.ts from the files in proto/. Do not edit.
import type { UnaryMethod } from '../contract/method.ts';

/** What a node does. */
export type ClusterType =
  | 'PlacementCenter'
  | 'JournalServer'
  | 'MQTTBrokerServer'
  | 'AMQPBrokerServer';

/** Registers one node. */
export interface RegisterNodeRequest {
  readonly clusterType: ClusterType;
  readonly clusterName: string;
  /** Where clients reach the node. */
  readonly nodeIp: string;
  readonly nodeId: number;
  /** Where other nodes reach it, as host:port. */
  readonly nodeInnerAddr: string;
  /** Anything else, as JSON text. */
  readonly extendInfo: string;
}

/** The node is a member. */
export interface RegisterNodeReply {
  /** Grows with each registration of this node id: tells one life of a node from the next. */
  readonly incarnation: number;
  /** Lives while heartbeats come; keys may be bound to it. */
  readonly lease: number;
  readonly heartbeatTimeoutMs: number;
}

/** Takes one node out. */
export interface UnRegisterNodeRequest {
  readonly clusterType: ClusterType;
  readonly clusterName: string;
  readonly nodeId: number;
}

/** The node is not a member. */
export type UnRegisterNodeReply = object;

/** One sign of life. */
export interface HeartbeatRequest {
  readonly clusterType: ClusterType;
  readonly clusterName: string;
  readonly nodeId: number;
}

/** The heartbeat counted. */
export interface HeartbeatReply {
  /** Of the registration kept alive. */
  readonly incarnation: number;
}

/** How busy one node is; rates from 0 to 100. */
export interface ReportMonitorRequest {
  readonly clusterName: string;
  readonly nodeId: number;
  readonly cpuRate: number;
  readonly memoryRate: number;
  readonly diskRate: number;
  readonly networkRate: number;
}

/** The report is taken. */
export type ReportMonitorReply = object;

/** One Raft frame. */
export interface SendRaftMessageRequest {
  readonly message: Uint8Array;
}

/** The frame is taken; this says nothing of its effect. */
export interface SendRaftMessageReply {
  readonly message: Uint8Array;
}

/** One change of the members. */
export interface SendRaftConfChangeRequest {
  readonly message: Uint8Array;
}

/** The change is committed. */
export interface SendRaftConfChangeReply {
  readonly message: Uint8Array;
}

/** Asks for numbers. */
export interface GenerateUniqueIdRequest {
  readonly clusterName: string;
  /** Which sequence; each counts for itself, from 1. */
  readonly generateType: string;
  /** How many; 0 means 1. */
  readonly count: number;
}

/** Numbers from `id` to before `id + count`. */
export interface GenerateUniqueIdReply {
  readonly id: number;
  readonly count: number;
}

/** Stores a configuration. */
export interface SetResourceConfigRequest {
  readonly clusterName: string;
  /** The path of the resource, from the whole to the part. */
  readonly resources: readonly string[];
  readonly config: Uint8Array;
}

/** The configuration is stored. */
export type SetResourceConfigReply = object;

/** Asks for a configuration. */
export interface GetResourceConfigRequest {
  readonly clusterName: string;
  readonly resources: readonly string[];
}

/** A configuration, if there is one. */
export interface GetResourceConfigReply {
  /** Absent when there is none. */
  readonly config?: Uint8Array | undefined;
}

/** Deletes a configuration. */
export interface DeleteResourceConfigRequest {
  readonly clusterName: string;
  readonly resources: readonly string[];
}

/** There is no such configuration any more. */
export type DeleteResourceConfigReply = object;

/** A sequence number to remember. */
export interface SetIdempotentDataRequest {
  readonly clusterName: string;
  readonly producerId: string;
  readonly seqNum: number;
}

/** The number is remembered. */
export type SetIdempotentDataReply = object;

/** Asks for a sequence number. */
export interface ExistsIdempotentDataRequest {
  readonly clusterName: string;
  readonly producerId: string;
  readonly seqNum: number;
}

/** The answer to an ExistsIdempotentDataRequest. */
export interface ExistsIdempotentDataReply {
  readonly exists: boolean;
}

/** A sequence number to forget. */
export interface DeleteIdempotentDataRequest {
  readonly clusterName: string;
  readonly producerId: string;
  readonly seqNum: number;
}

/** The number is forgotten. */
export type DeleteIdempotentDataReply = object;

/** Asks for the state of the placement center. */
export type ClusterStatusRequest = object;

/** The state of the placement center, as the member asked sees it. */
export interface ClusterStatusReply {
  readonly clusterName: string;
  /** Who answers. */
  readonly nodeId: number;
  /** 0 while there is no leader. */
  readonly leaderId: number;
  /** As host:port; empty while there is no leader. */
  readonly leaderAddr: string;
  readonly term: number;
  readonly appliedIndex: number;
  readonly revision: number;
  readonly voters: readonly number[];
  readonly learners: readonly number[];
}

/** Asks for nodes. */
export interface NodeListRequest {
  readonly clusterName: string;
  /** Absent: of all types. */
  readonly clusterType?: ClusterType | undefined;
}

/** The nodes, ascending by id. */
export interface NodeListReply {
  readonly nodes: readonly Node[];
}

/** One registered node. */
export interface Node {
  readonly clusterType: ClusterType;
  readonly clusterName: string;
  readonly nodeIp: string;
  readonly nodeId: number;
  readonly nodeInnerAddr: string;
  readonly extendInfo: string;
  readonly incarnation: number;
  /** Milliseconds since 1970. */
  readonly registeredAtMs: number;
}

/** Nodes, their configuration, and what must happen once in the cluster. */
export interface PlacementCenterMethods {
  /** Makes a node a member of a cluster, or renews it. */
  readonly registerNode: UnaryMethod<RegisterNodeRequest, RegisterNodeReply>;
  /** Takes a node out. Not an error when it is not there. */
  readonly unRegisterNode: UnaryMethod<UnRegisterNodeRequest, UnRegisterNodeReply>;
  /** Tells that a node is alive. A node that is not heard of for the heartbeat timeout is taken out. */
  readonly heartbeat: UnaryMethod<HeartbeatRequest, HeartbeatReply>;
  /** Tells how busy a node is. */
  readonly reportMonitor: UnaryMethod<ReportMonitorRequest, ReportMonitorReply>;
  /** Hands one Raft frame over. Members use robustmq.raft.v1.RaftTransportService, which is a stream. */
  readonly sendRaftMessage: UnaryMethod<SendRaftMessageRequest, SendRaftMessageReply>;
  /** Asks for a change of the members. Operators use robustmq.cluster.v1.ClusterService. */
  readonly sendRaftConfChange: UnaryMethod<SendRaftConfChangeRequest, SendRaftConfChangeReply>;
  /** Takes numbers that nobody else gets. */
  readonly generateUniqueId: UnaryMethod<GenerateUniqueIdRequest, GenerateUniqueIdReply>;
  /** Stores the configuration of a resource. */
  readonly setResourceConfig: UnaryMethod<SetResourceConfigRequest, SetResourceConfigReply>;
  /** Reads the configuration of a resource. */
  readonly getResourceConfig: UnaryMethod<GetResourceConfigRequest, GetResourceConfigReply>;
  /** Deletes the configuration of a resource. Not an error when there is none. */
  readonly deleteResourceConfig: UnaryMethod<
    DeleteResourceConfigRequest,
    DeleteResourceConfigReply
  >;
  /** Remembers that a producer's sequence number was used. */
  readonly setIdempotentData: UnaryMethod<SetIdempotentDataRequest, SetIdempotentDataReply>;
  /** Tells whether a producer's sequence number was used. */
  readonly existsIdempotentData: UnaryMethod<
    ExistsIdempotentDataRequest,
    ExistsIdempotentDataReply
  >;
  /** Forgets a producer's sequence number. */
  readonly deleteIdempotentData: UnaryMethod<
    DeleteIdempotentDataRequest,
    DeleteIdempotentDataReply
  >;
  /** Tells who leads and how far the members are. */
  readonly clusterStatus: UnaryMethod<ClusterStatusRequest, ClusterStatusReply>;
  /** Lists the registered nodes. */
  readonly nodeList: UnaryMethod<NodeListRequest, NodeListReply>;
}
