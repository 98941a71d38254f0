export {
  type HostedShard,
  type HostedShardStatus,
  type ShardSet,
  ShardSetError,
  type ShardSetFaultCode,
} from './shards/shard-set.ts';
