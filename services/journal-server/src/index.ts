export {
  DEFAULT_HOST_SHARDS_RULES,
  hostShards,
  type HostShardsOptions,
  type HostShardsRules,
} from './reconcile/host-shards.ts';
export type { OwnNode, ShardAmounts } from './reconcile/told-states.ts';
export {
  type HostedShard,
  type HostedShardStatus,
  type ShardSet,
  ShardSetError,
  type ShardSetFaultCode,
} from './shards/shard-set.ts';
