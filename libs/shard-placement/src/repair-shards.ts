/**
 * Replaces replicas on servers that are lost, and adds those that a shard still lacks.
 *
 * What is decided is where a shard should be; its leader carries that out with a joint change, in which
 * the new replica has a copy before the old one goes. So a decision never takes a copy away, and one that
 * is made anew while the one before is under way does no harm either.
 *
 * A shard without a majority is left alone: nobody could carry a decision out, and what its servers hold
 * is all there is. A lost server without a substitute keeps its place: taking it out would only make
 * the majority smaller in name.
 */

import { type ClusterView, hasMajority, isSettled, type Placing } from './cluster-view.ts';
import type { ShardView } from './cluster-view.ts';
import type { ServerLoad } from './server-load.ts';

/** How much at once, and who may wait. */
export interface RepairRules {
  /** How many shards may be under way at once, those that are already included. */
  readonly repairsMax: number;
  /** Names of shards that need no further replica yet. */
  readonly patient: ReadonlySet<string>;
}

export function repairShards(
  view: ClusterView,
  load: ServerLoad,
  { repairsMax, patient }: RepairRules,
): readonly Placing[] {
  const decisions: Placing[] = [];
  let underWay = view.shards.filter(isUnderWay).length;
  for (const shard of view.shards) {
    if (shard.observed === null || !hasMajority(shard, view.alive)) continue;
    if (!isUnderWay(shard) && underWay >= repairsMax) continue;
    const grown = patient.has(shard.name) ? null : growing(shard, load);
    const placing = replacing(shard, view, load) ?? grown;
    if (placing === null) continue;
    if (!isUnderWay(shard)) underWay += 1;
    load.apply(shard, placing);
    decisions.push(placing);
  }
  return decisions;
}

/** Somebody is to get a copy. */
function isUnderWay(shard: ShardView): boolean {
  return shard.observed !== null && !isSettled(shard);
}

function replacing(shard: ShardView, view: ClusterView, load: ServerLoad): Placing | null {
  const lost = shard.replicas.find((server) => view.lost.has(server));
  if (lost === undefined) return null;
  const substitute = substituteFor(shard, load);
  if (substitute === null) return null;
  const replicas = shard.replicas
    .map((server) => (server === lost ? substitute : server))
    .toSorted((first, second) => first - second);
  const preferredLeader =
    shard.preferredLeader === lost || shard.preferredLeader === null
      ? load.leastLeading(replicas.filter((server) => view.alive.has(server)))
      : shard.preferredLeader;
  const reason = `server ${lost} is lost, ${substitute} takes its place`;
  return { shard: shard.name, replicas, preferredLeader, reason };
}

/** A server that has a copy already, else the one with the fewest replicas. */
function substituteFor(shard: ShardView, load: ServerLoad): number | null {
  const free = load.servers.filter((server) => !shard.replicas.includes(server));
  const holders = free.filter((server) => shard.observed?.voters.includes(server) === true);
  return load.leastLoaded(holders) ?? load.leastLoaded(free);
}

function growing(shard: ShardView, load: ServerLoad): Placing | null {
  if (shard.replicas.length >= shard.wanted || !isSettled(shard)) return null;
  const added = load.leastLoaded(load.servers.filter((server) => !shard.replicas.includes(server)));
  if (added === null) return null;
  const replicas = [...shard.replicas, added].toSorted((first, second) => first - second);
  const reason = `${replicas.length} of ${shard.wanted} replicas, on ${added} too`;
  return { shard: shard.name, replicas, preferredLeader: shard.preferredLeader, reason };
}
