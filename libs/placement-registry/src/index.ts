export { type BrokerNotice, decodeNotice, encodeNotice } from './broker-notice.ts';
export {
  ACCESS_ACTIONS,
  type AccessRule,
  accessRuleNames,
} from './access-rule-registry.ts';
export { BAN_KINDS, type Ban } from './ban-registry.ts';
export type { ClusterSetting } from './cluster-settings.ts';
export {
  type Controller,
  type ControllerEdges,
  type ControllerFailure,
  pause,
  runControllers,
} from './controller.ts';
export {
  type DeletedShard,
  deletedShardNames,
  type DeletedShardRegistry,
} from './deleted-shard-registry.ts';
export type { PlacementDocument } from './document-registry.ts';
export {
  BROKER_NAMESPACE,
  brokerShards,
  type BrokerShardCounts,
  DEFAULT_BROKER_SHARD_COUNTS,
  type EnsuredShard,
  ensureShards,
} from './ensure-shards.ts';
export { expiredRecords, type ExpiredRecordsOptions } from './expired-records.ts';
export type {
  IdempotenceRecord,
  IdempotenceRegistry,
  RequestName,
} from './idempotence-registry.ts';
export {
  decodeServerNotice,
  encodeServerNotice,
  type JournalServerNotice,
} from './journal-server-notice.ts';
export { moveShard, type MoveRegistries, type ShardMove } from './move-shard.ts';
export {
  CLUSTER_TYPES,
  type ClusterType,
  type NodeDescription,
  type NodeLife,
  type NodeName,
  type NodeRecord,
  type NodeRegistry,
  type Registration,
} from './node-registry.ts';
export { orphanSessions, type OrphanSessionsOptions, releaseOrphans } from './orphan-sessions.ts';
export {
  DEFAULT_PLACE_SHARDS_RULES,
  placeShards,
  type PlaceShardsOptions,
  type PlaceShardsRules,
} from './place-shards.ts';
export type { Fence } from './record-change.ts';
export type { RecordRegistry } from './record-registry.ts';
export type { Page, PageRequest, Reading, Stored } from './record-table.ts';
export { openRegistries, type Registries } from './registries.ts';
export { RegistryError, type RegistryFault } from './registry-error.ts';
export type {
  RegistryBatch,
  RegistryChange,
  RegistryWatch,
  RegistryWatchOptions,
} from './registry-watch.ts';
export { preferredNodes } from './rendezvous.ts';
export { Wakeup } from './wakeup.ts';
export type {
  Route,
  RouteChange,
  RouteRecord,
  RouteRegistry,
  RouteWants,
} from './route-registry.ts';
export { SecretText } from './secret-text.ts';
export type { SegmentName, SegmentRecord, SegmentRegistry } from './segment-registry.ts';
export type {
  OwnedSession,
  OwnerName,
  Ownership,
  SessionClaim,
  SessionOwner,
  SessionRecord,
  SessionRegistry,
  SessionUpdate,
} from './session-registry.ts';
export {
  SHARD_KINDS,
  type ShardKind,
  type ShardName,
  type ShardPlan,
  type ShardRecord,
  type ShardRegistry,
} from './shard-registry.ts';
export { KEEP_UNTIL_RELEASED, type ShardRetention } from './shard-retention.ts';
export type { ShardState, ShardStateRegistry } from './shard-state-registry.ts';
export type { ShareLeader, ShareLeaderRegistry, ShareMember } from './share-leader-registry.ts';
export type { SubscriptionRecord, SubscriptionRegistry } from './subscription-registry.ts';
export type { RetainedPointer, TopicRecord, TopicRegistry } from './topic-registry.ts';
export type { IdBlock, UniqueIds } from './unique-ids.ts';
export type { UserRecord } from './user-registry.ts';
export type { DueWill, WillRecord, WillRegistry, WillTaker } from './will-registry.ts';
export { WatchedRecords } from './watched-records.ts';
