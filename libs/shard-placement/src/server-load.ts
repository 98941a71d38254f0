import type { ClusterView, Placing, ShardView } from './cluster-view.ts';

/** How much each server has to do, kept up to date while decisions are made one after the other. */
export class ServerLoad {
  /** Servers that may get something, ascending. */
  readonly servers: readonly number[];
  readonly #replicas = new Map<number, number>();
  readonly #leaders = new Map<number, number>();

  constructor(view: ClusterView) {
    const roomy = [...view.alive].filter((server) => !view.full.has(server));
    this.servers = roomy.toSorted((first, second) => first - second);
    for (const shard of view.shards) this.#count(shard, 1);
  }

  /** How many replicas it holds or is to hold. */
  replicasOn(server: number): number {
    return this.#replicas.get(server) ?? 0;
  }

  /** How many shards it leads or is to lead. */
  leadersOn(server: number): number {
    return this.#leaders.get(server) ?? 0;
  }

  /** Of `among`, who holds the fewest replicas; the lowest node id among equals; null: of nobody. */
  leastLoaded(among: readonly number[]): number | null {
    return lowestBy(among, (server) => this.replicasOn(server));
  }

  /** Of `among`, who leads the fewest. */
  leastLeading(among: readonly number[]): number | null {
    return lowestBy(among, (server) => this.leadersOn(server));
  }

  /** Counts a decision about `shard`. */
  apply(shard: ShardView, placing: Placing): void {
    this.#count(shard, -1);
    this.#count(placing, 1);
  }

  #count(of: Pick<ShardView, 'replicas' | 'preferredLeader'>, by: 1 | -1): void {
    for (const server of of.replicas) this.#replicas.set(server, this.replicasOn(server) + by);
    const { preferredLeader: leader } = of;
    if (leader !== null) this.#leaders.set(leader, this.leadersOn(leader) + by);
  }
}

function lowestBy(among: readonly number[], weight: (server: number) => number): number | null {
  let best: number | null = null;
  for (const server of among) {
    if (best === null) best = server;
    const difference = weight(server) - weight(best);
    if (difference < 0 || (difference === 0 && server < best)) best = server;
  }
  return best;
}
