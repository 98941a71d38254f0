export {
  assembleJournalServer,
  type JournalServerEnvironment,
  systemEnvironment,
} from './assemble.ts';
export type { JournalListener, JournalServer } from './journal-server.ts';
export { JournalServerError, type JournalServerFaultCode } from './journal-server-error.ts';
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
export type { JournalServerSettings } from './settings.ts';
