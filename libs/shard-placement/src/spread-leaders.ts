/**
 * Says who should lead, so that every server leads about the same number of shards.
 *
 * The preferred leader is one of the replicas. It stays while its server is away for a moment: another
 * replica leads meanwhile, and gives the shard back. Only a lost server loses its preference, and one
 * whose disk is full while another replica has room.
 */

import { type ClusterView, isSettled, type Placing, type ShardView } from './cluster-view.ts';
import type { ServerLoad } from './server-load.ts';

/** @returns decisions that change no replicas */
export function spreadLeaders(view: ClusterView, load: ServerLoad): readonly Placing[] {
  const settled = view.shards.filter(isSettled);
  const decisions = new Map<string, Placing>();
  const leaders = new Map(settled.map((shard) => [shard.name, shard.preferredLeader]));
  const decide = (shard: ShardView, to: number, reason: string): void => {
    const placing = { shard: shard.name, replicas: shard.replicas, preferredLeader: to, reason };
    load.apply({ ...shard, preferredLeader: leaders.get(shard.name) ?? null }, placing);
    leaders.set(shard.name, to);
    decisions.set(shard.name, placing);
  };
  for (const shard of settled) {
    const { preferredLeader: leader } = shard;
    const able = ableToLead(shard, view);
    const isFine =
      leader !== null &&
      shard.replicas.includes(leader) &&
      !view.lost.has(leader) &&
      (!view.full.has(leader) || able.includes(leader));
    if (isFine) continue;
    const to = load.leastLeading(able);
    if (to !== null) decide(shard, to, `server ${to} leads fewest of its replicas`);
  }
  for (let changed = true; changed; ) {
    changed = false;
    for (const shard of settled) {
      const from = leaders.get(shard.name) ?? null;
      const to = load.leastLeading(ableToLead(shard, view));
      if (from === null || to === null || load.leadersOn(from) - load.leadersOn(to) < 2) continue;
      decide(shard, to, `server ${to} leads fewer than ${from}`);
      changed = true;
    }
  }
  return [...decisions.values()];
}

/** Its replicas on servers that are there, those with room if there are any. */
function ableToLead(shard: ShardView, view: ClusterView): readonly number[] {
  const alive = shard.replicas.filter((server) => view.alive.has(server));
  const roomy = alive.filter((server) => !view.full.has(server));
  return roomy.length > 0 ? roomy : alive;
}
