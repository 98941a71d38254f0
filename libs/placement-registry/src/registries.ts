import type { RandomSource } from '@robustmq/environment';
import type { Placement } from '@robustmq/placement';
import { type AccessRule, accessRuleRegistry } from './access-rule-registry.ts';
import { type Ban, banRegistry } from './ban-registry.ts';
import { type ClusterSetting, clusterSettings } from './cluster-settings.ts';
import { DeletedShardRegistry } from './deleted-shard-registry.ts';
import { documentRegistry, type PlacementDocument } from './document-registry.ts';
import { IdempotenceRegistry } from './idempotence-registry.ts';
import { NodeRegistry } from './node-registry.ts';
import type { RecordRegistry } from './record-registry.ts';
import { registryStore } from './registry-store.ts';
import { RouteRegistry } from './route-registry.ts';
import { SegmentRegistry, segmentsOfShard } from './segment-registry.ts';
import { SessionRegistry } from './session-registry.ts';
import { shardNames, ShardRegistry } from './shard-registry.ts';
import { ShardStateRegistry, shardStateTable } from './shard-state-registry.ts';
import { ShareLeaderRegistry } from './share-leader-registry.ts';
import { SubscriptionRegistry, subscriptionTable } from './subscription-registry.ts';
import { TopicRegistry } from './topic-registry.ts';
import { UniqueIds } from './unique-ids.ts';
import { type UserRecord, userRegistry } from './user-registry.ts';
import { WillRegistry, willTable } from './will-registry.ts';

/** Everything that one cluster keeps in the placement store, by what it is about. */
export interface Registries {
  readonly nodes: NodeRegistry;
  readonly settings: RecordRegistry<ClusterSetting>;
  readonly uniqueIds: UniqueIds;
  readonly idempotence: IdempotenceRegistry;
  readonly sessions: SessionRegistry;
  readonly subscriptions: SubscriptionRegistry;
  readonly routes: RouteRegistry;
  readonly shareLeaders: ShareLeaderRegistry;
  readonly wills: WillRegistry;
  readonly topics: TopicRegistry;
  readonly users: RecordRegistry<UserRecord>;
  readonly accessRules: RecordRegistry<AccessRule>;
  readonly bans: RecordRegistry<Ban>;
  readonly shards: ShardRegistry;
  readonly deletedShards: DeletedShardRegistry;
  readonly shardStates: ShardStateRegistry;
  readonly segments: SegmentRegistry;
  readonly documents: RecordRegistry<PlacementDocument>;
}

/** The registries hold no state of their own: several of them on one store see the same. */
export function openRegistries(
  placement: Placement,
  options: { readonly clusterName: string; readonly random: RandomSource },
): Registries {
  const store = registryStore(placement, options);
  const nodes = new NodeRegistry(store);
  const sessions = new SessionRegistry(store, nodes, (clientId) => [
    { kind: 'delete', range: subscriptionTable(store).rangeOf([clientId]) },
    willTable(store).remove([clientId]),
  ]);
  const uniqueIds = new UniqueIds(store);
  const deletedShards = new DeletedShardRegistry(store);
  const shards = new ShardRegistry(store, {
    ids: uniqueIds,
    deleted: deletedShards,
    belongingsOf: (name) => [
      segmentsOfShard(store, name),
      shardStateTable(store).remove(shardNames(name)),
    ],
  });
  return {
    nodes,
    settings: clusterSettings(store),
    uniqueIds,
    idempotence: new IdempotenceRegistry(store),
    sessions,
    subscriptions: new SubscriptionRegistry(store, sessions),
    routes: new RouteRegistry(store, nodes),
    shareLeaders: new ShareLeaderRegistry(store, nodes),
    wills: new WillRegistry(store, sessions),
    topics: new TopicRegistry(store),
    users: userRegistry(store),
    accessRules: accessRuleRegistry(store),
    bans: banRegistry(store),
    shards,
    deletedShards,
    shardStates: new ShardStateRegistry(store, shards, nodes),
    segments: new SegmentRegistry(store, shards),
    documents: documentRegistry(store),
  };
}
