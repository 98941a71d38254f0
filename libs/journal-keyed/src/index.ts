export type {
  ClaimOutcome,
  KeyedLimits,
  KeyedReplica,
  KeyedReplicaOptions,
  KeyedReplicaStatus,
} from './keyed-replica.ts';
export { DEFAULT_KEYED_LIMITS, keyedGroupNameOf, openKeyedReplica } from './open-keyed-replica.ts';
