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
export type { PlacementDocument } from './document-registry.ts';
export { expiredRecords, type ExpiredRecordsOptions } from './expired-records.ts';
export type {
  IdempotenceRecord,
  IdempotenceRegistry,
  RequestName,
} from './idempotence-registry.ts';
export {
  CLUSTER_TYPES,
  type ClusterType,
  type NodeDescription,
  type NodeName,
  type NodeRecord,
  type NodeRegistry,
  type Registration,
} from './node-registry.ts';
export { orphanSessions, type OrphanSessionsOptions, releaseOrphans } from './orphan-sessions.ts';
export type { Fence } from './record-change.ts';
export type { RecordRegistry } from './record-registry.ts';
export type { Page, PageRequest, Stored } from './record-table.ts';
export { openRegistries, type Registries } from './registries.ts';
export { RegistryError, type RegistryFault } from './registry-error.ts';
export type {
  RegistryBatch,
  RegistryChange,
  RegistryWatch,
  RegistryWatchOptions,
} from './registry-watch.ts';
export { preferredNodes } from './rendezvous.ts';
export type { RouteRecord, RouteRegistry } from './route-registry.ts';
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
export type { ShardName, ShardRecord, ShardRegistry } from './shard-registry.ts';
export type { ShareLeader, ShareLeaderRegistry, ShareMember } from './share-leader-registry.ts';
export type { SubscriptionRecord, SubscriptionRegistry } from './subscription-registry.ts';
export type { RetainedPointer, TopicRecord, TopicRegistry } from './topic-registry.ts';
export type { IdBlock, UniqueIds } from './unique-ids.ts';
export type { UserRecord } from './user-registry.ts';
export type { WillRecord, WillRegistry } from './will-registry.ts';
