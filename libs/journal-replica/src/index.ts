export { deleteShardReplica, groupNameOf, openShardReplica } from './open-shard-replica.ts';
export { newReplicaStores } from './replica-stores.ts';
export type { ReplicaStores, ReplicaStoresOptions } from './replica-stores.ts';
export type {
  AppendOutcome,
  ProducerAppend,
  ShardLimits,
  ShardReplica,
  ShardReplicaOptions,
  ShardReplicaStatus,
} from './shard-replica.ts';
export type { FetchEntries, FoundDamage, ScrubCounters } from './segment-scrub.ts';
export { SpaceWatch } from './space-watch.ts';
export type { SpaceWatchOptions } from './space-watch.ts';
