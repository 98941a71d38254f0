// Made by scripts/generate-rpc.ts from the files in proto/. Do not edit.
import type { UnaryMethod } from '../contract/method.ts';

/** A user, without the secret. */
export interface User {
  readonly userName: string;
  /** Passes every access rule. */
  readonly isSuperuser: boolean;
}

/** Asks for users. */
export interface ListUserRequest {
  readonly clusterName: string;
  /** Only this one; empty: all. */
  readonly userName: string;
  /** Only names after this one; empty: from the first. */
  readonly after: string;
  /** 0: as many as the server allows. */
  readonly limit: number;
}

/** A page of users. */
export interface ListUserReply {
  readonly users: readonly User[];
  /** There are more after the last. */
  readonly more: boolean;
}

/** Creates a user. */
export interface CreateUserRequest {
  readonly clusterName: string;
  readonly userName: string;
  /** In clear; the server stores a hash. Empty with `password_hash`. */
  readonly password: string;
  /** As `robustctl password hash` makes it. Empty with `password`. */
  readonly passwordHash: string;
  readonly isSuperuser: boolean;
}

/** The user exists. */
export type CreateUserReply = object;

/** Deletes a user. */
export interface DeleteUserRequest {
  readonly clusterName: string;
  readonly userName: string;
}

/** There is no such user any more. */
export type DeleteUserReply = object;

/** What outlives a network connection. */
export interface Session {
  readonly clientId: string;
  /** Seconds; 4,294,967,295: does not expire. */
  readonly sessionExpiry: number;
  readonly isContainLastWill: boolean;
  /** Seconds. */
  readonly lastWillDelayInterval: number;
  /** Milliseconds since 1970. */
  readonly createTime: number;
  /** 0: not connected. */
  readonly connectionId: number;
  /** Who owns the session; 0: nobody. */
  readonly brokerId: number;
  /** Milliseconds since 1970; 0: never. */
  readonly reconnectTime: number;
  /** Milliseconds since 1970; 0: never. */
  readonly disconnectTime: number;
}

/** Asks for sessions. */
export interface ListSessionRequest {
  readonly clusterName: string;
  /** Only this one; empty: all. */
  readonly clientId: string;
  /** Only client identifiers after this one; empty: from the first. */
  readonly after: string;
  /** 0: as many as the server allows. */
  readonly limit: number;
}

/** A page of sessions. */
export interface ListSessionReply {
  readonly sessions: readonly Session[];
  /** There are more after the last. */
  readonly more: boolean;
}

/** Creates a session. */
export interface CreateSessionRequest {
  readonly clusterName: string;
  readonly session: Session | null;
}

/** The session exists. */
export type CreateSessionReply = object;

/** Changes the owner of a session. */
export interface UpdateSessionRequest {
  readonly clusterName: string;
  readonly clientId: string;
  readonly connectionId: number;
  readonly brokerId: number;
  /** Milliseconds since 1970; 0: unchanged. */
  readonly reconnectTime: number;
  /** Milliseconds since 1970; 0: unchanged. */
  readonly disconnectTime: number;
}

/** The session is changed. */
export type UpdateSessionReply = object;

/** Deletes a session. */
export interface DeleteSessionRequest {
  readonly clusterName: string;
  readonly clientId: string;
}

/** There is no such session any more. */
export type DeleteSessionReply = object;

/** A topic. */
export interface Topic {
  readonly topicId: string;
  readonly topicName: string;
  /** Absent when nothing is retained. */
  readonly retainMessage?: Uint8Array | undefined;
  /** Milliseconds since 1970; 0: does not expire. */
  readonly retainMessageExpiredAt: number;
  /** Milliseconds since 1970. */
  readonly createTime: number;
}

/** Asks for topics. */
export interface ListTopicRequest {
  readonly clusterName: string;
  /** Only this one; empty: all. */
  readonly topicName: string;
  /** Only names after this one; empty: from the first. */
  readonly after: string;
  /** 0: as many as the server allows. */
  readonly limit: number;
}

/** A page of topics. */
export interface ListTopicReply {
  readonly topics: readonly Topic[];
  /** There are more after the last. */
  readonly more: boolean;
}

/** Creates a topic. */
export interface CreateTopicRequest {
  readonly clusterName: string;
  readonly topicName: string;
}

/** The topic exists. */
export interface CreateTopicReply {
  readonly topicId: string;
}

/** Deletes a topic. */
export interface DeleteTopicRequest {
  readonly clusterName: string;
  readonly topicName: string;
}

/** There is no such topic any more. */
export type DeleteTopicReply = object;

/** Sets what a topic retains. */
export interface SetTopicRetainMessageRequest {
  readonly clusterName: string;
  readonly topicName: string;
  /** Empty: nothing is retained any more. */
  readonly retainMessage: Uint8Array;
  /** Milliseconds since 1970; 0: does not expire. */
  readonly retainMessageExpiredAt: number;
}

/** The message is retained or removed. */
export type SetTopicRetainMessageReply = object;

/** Asks who leads a shared subscription. */
export interface GetShareSubLeaderRequest {
  readonly clusterName: string;
  /** The share name. */
  readonly groupName: string;
}

/** The broker that leads a shared subscription. */
export interface GetShareSubLeaderReply {
  readonly brokerId: number;
  /** As host:port. */
  readonly brokerAddr: string;
  readonly extendInfo: string;
}

/** Stores a will message. */
export interface SaveLastWillMessageRequest {
  readonly clusterName: string;
  readonly clientId: string;
  /** Empty: the session has no will message any more. */
  readonly lastWillMessage: Uint8Array;
}

/** The will message is stored. */
export type SaveLastWillMessageReply = object;

/** Users, sessions and topics of one cluster. */
export interface MqttMethods {
  /** Lists users, ascending by name. */
  readonly listUser: UnaryMethod<ListUserRequest, ListUserReply>;
  /** Creates a user. ALREADY_EXISTS when there is one of that name. */
  readonly createUser: UnaryMethod<CreateUserRequest, CreateUserReply>;
  /** Deletes a user. Not an error when there is none. */
  readonly deleteUser: UnaryMethod<DeleteUserRequest, DeleteUserReply>;
  /** Lists sessions, ascending by client identifier. */
  readonly listSession: UnaryMethod<ListSessionRequest, ListSessionReply>;
  /** Creates a session, or replaces it. */
  readonly createSession: UnaryMethod<CreateSessionRequest, CreateSessionReply>;
  /** Changes who owns a session. NOT_FOUND when there is none. */
  readonly updateSession: UnaryMethod<UpdateSessionRequest, UpdateSessionReply>;
  /** Deletes a session. Not an error when there is none. */
  readonly deleteSession: UnaryMethod<DeleteSessionRequest, DeleteSessionReply>;
  /** Lists topics, ascending by name. */
  readonly listTopic: UnaryMethod<ListTopicRequest, ListTopicReply>;
  /** Creates a topic. ALREADY_EXISTS when there is one of that name. */
  readonly createTopic: UnaryMethod<CreateTopicRequest, CreateTopicReply>;
  /** Deletes a topic and its retained message. Not an error when there is none. */
  readonly deleteTopic: UnaryMethod<DeleteTopicRequest, DeleteTopicReply>;
  /** Sets, or with an empty message removes, what a topic retains. */
  readonly setTopicRetainMessage: UnaryMethod<
    SetTopicRetainMessageRequest,
    SetTopicRetainMessageReply
  >;
  /** Tells which broker leads a shared subscription. */
  readonly getShareSubLeader: UnaryMethod<GetShareSubLeaderRequest, GetShareSubLeaderReply>;
  /** Stores the will message of a session. */
  readonly saveLastWillMessage: UnaryMethod<SaveLastWillMessageRequest, SaveLastWillMessageReply>;
}
