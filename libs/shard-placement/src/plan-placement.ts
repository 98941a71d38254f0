import type { ClusterView, Placing, ShardView } from './cluster-view.ts';
import { foundShards } from './found-shards.ts';
import { rebalanceShards } from './rebalance-shards.ts';
import { repairShards } from './repair-shards.ts';
import { ServerLoad } from './server-load.ts';
import { spreadLeaders } from './spread-leaders.ts';

/** Bounds on what is under way at once, and who may wait. */
export interface PlacementRules {
  readonly repairsMax: number;
  readonly movesMax: number;
  /**
   * Names of shards that may wait: a new one for more servers, one with too few replicas until a server
   * that has just given one up has deleted it.
   */
  readonly patient: ReadonlySet<string>;
}

/**
 * Everything that is to be decided now, in the order in which it matters: new shards, lost replicas, even
 * load, even leadership. At most one decision per shard; what a shard needs besides comes with the next look.
 */
export function planPlacement(view: ClusterView, rules: PlacementRules): readonly Placing[] {
  const load = new ServerLoad(view);
  const decisions = new Map<string, Placing>();
  let current = view;
  const take = (placings: readonly Placing[]): void => {
    for (const placing of placings) decisions.set(placing.shard, placing);
    current = { ...view, shards: view.shards.map((shard) => withPlacing(shard, decisions)) };
  };
  take(foundShards(current, load, rules.patient));
  take(repairShards(current, load, rules));
  take(rebalanceShards(current, load, rules.movesMax));
  take(spreadLeaders(current, load));
  return [...decisions.values()];
}

function withPlacing(shard: ShardView, decisions: ReadonlyMap<string, Placing>): ShardView {
  const placing = decisions.get(shard.name);
  if (placing === undefined) return shard;
  const { replicas, preferredLeader } = placing;
  return { ...shard, replicas, preferredLeader };
}
