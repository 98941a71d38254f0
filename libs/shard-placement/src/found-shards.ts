/**
 * Gives new shards their first place: on as many servers as they want, those with the fewest replicas.
 *
 * While fewer servers are registered, a shard waits, because the servers of a new cluster come one after
 * the other. A shard that has waited long enough is founded on those that there are: one copy now is
 * worth more to whoever waits for it than three later, and it gets the others as servers come
 * (`repairShards`).
 */

import type { ClusterView, Placing, ShardView } from './cluster-view.ts';
import type { ServerLoad } from './server-load.ts';

/**
 * @param patient  names of shards that may wait for more servers
 * @returns one decision for each shard that is to be founded now; `load` counts them
 */
export function foundShards(
  view: ClusterView,
  load: ServerLoad,
  patient: ReadonlySet<string>,
): readonly Placing[] {
  const decisions: Placing[] = [];
  for (const shard of view.shards) {
    if (shard.replicas.length > 0) continue;
    const placing = founding(shard, load, patient.has(shard.name) ? 'wait' : 'take');
    if (placing === null) continue;
    load.apply(shard, placing);
    decisions.push(placing);
  }
  return decisions;
}

function founding(shard: ShardView, load: ServerLoad, fewer: 'wait' | 'take'): Placing | null {
  const { servers } = load;
  if (servers.length === 0 || (servers.length < shard.wanted && fewer === 'wait')) return null;
  const replicas: number[] = [];
  while (replicas.length < Math.min(shard.wanted, servers.length)) {
    const next = load.leastLoaded(servers.filter((server) => !replicas.includes(server)));
    if (next === null) break;
    replicas.push(next);
  }
  replicas.sort((first, second) => first - second);
  const preferredLeader = load.leastLeading(replicas);
  const reason = `founded on ${replicas.length} of ${shard.wanted} servers`;
  return { shard: shard.name, replicas, preferredLeader, reason };
}
