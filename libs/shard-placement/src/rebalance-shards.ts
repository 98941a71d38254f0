/**
 * Moves replicas from servers with many to servers with few, one replica of a shard at a time.
 *
 * A replica moves only when the difference is 2 or more, so each move makes the distribution more even,
 * and there is an end. Shards that are settled and whole move, others are left to be repaired first.
 */

import { type ClusterView, isSettled, type Placing, type ShardView } from './cluster-view.ts';
import type { ServerLoad } from './server-load.ts';

/** @param movesMax  how many shards may be under way at once, those that are already included */
export function rebalanceShards(
  view: ClusterView,
  load: ServerLoad,
  movesMax: number,
): readonly Placing[] {
  const decisions: Placing[] = [];
  const movable = new Set(view.shards.filter((shard) => isWhole(shard, view)));
  const underWay = view.shards.filter((shard) => shard.observed !== null && !isSettled(shard));
  for (let free = movesMax - underWay.length; free > 0; free -= 1) {
    const move = nextMove(movable, load);
    if (move === null) break;
    movable.delete(move.shard);
    load.apply(move.shard, move.placing);
    decisions.push(move.placing);
  }
  return decisions;
}

interface Move {
  readonly shard: ShardView;
  readonly placing: Placing;
}

function isWhole(shard: ShardView, view: ClusterView): boolean {
  return isSettled(shard) && shard.replicas.every((server) => view.alive.has(server));
}

/** From the server with the most to one with at least 2 fewer, which does not hold the shard yet. */
function nextMove(movable: ReadonlySet<ShardView>, load: ServerLoad): Move | null {
  const byLoad = load.servers.toSorted(
    (first, second) => load.replicasOn(second) - load.replicasOn(first) || first - second,
  );
  for (const from of byLoad) {
    for (const to of byLoad.toReversed()) {
      if (load.replicasOn(from) - load.replicasOn(to) < 2) break;
      const shard = shardToMove(movable, from, to);
      if (shard !== null) return { shard, placing: moved(shard, from, to) };
    }
  }
  return null;
}

/** Rather one that `from` does not lead: then no client has to look for a leader. */
function shardToMove(movable: ReadonlySet<ShardView>, from: number, to: number): ShardView | null {
  let found: ShardView | null = null;
  for (const shard of movable) {
    if (!shard.replicas.includes(from) || shard.replicas.includes(to)) continue;
    if (shard.preferredLeader !== from) return shard;
    found ??= shard;
  }
  return found;
}

function moved(shard: ShardView, from: number, to: number): Placing {
  const replicas = shard.replicas
    .map((server) => (server === from ? to : server))
    .toSorted((first, second) => first - second);
  const preferredLeader = shard.preferredLeader === from ? to : shard.preferredLeader;
  const reason = `from server ${from} to ${to}, which holds fewer`;
  return { shard: shard.name, replicas, preferredLeader, reason };
}
