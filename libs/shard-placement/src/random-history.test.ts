import { describe, expect, test } from 'vitest';
import { isSettled } from './cluster-view.ts';
import { RandomCluster } from './random-cluster.fixture.ts';

const SEEDS = 150;
const STEPS = 400;
const TURNS_MAX = 2_000;

describe('random histories of a cluster', () => {
  test('every change leaves a healthy majority, and decisions come to an even end', () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const cluster = new RandomCluster(seed);
      try {
        for (let step = 0; step < STEPS; step += 1) cluster.step();
        // Some servers never return: as many as no shard needs for its majority.
        for (let server = 1; server <= cluster.servers; server += 1) {
          if (!mayStayAway(cluster, server)) cluster.revive(server);
          else if (!cluster.alive.has(server)) cluster.lost.add(server);
        }
        expect(cluster.settle(TURNS_MAX)).toBeLessThan(TURNS_MAX);
        assertPlaced(cluster);
        assertEven(cluster);
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });
});

function mayStayAway(cluster: RandomCluster, server: number): boolean {
  if (cluster.alive.has(server)) return true;
  // Without an alive one nothing could be founded.
  if (cluster.alive.size === 0) return false;
  return cluster.shards.every(({ voters, learners, view }) => {
    const involved = [...voters, ...learners, ...view.replicas];
    return (
      !involved.includes(server) ||
      voters.every((voter) => cluster.alive.has(voter) || (voter === server && voters.length >= 3))
    );
  });
}

function assertPlaced({ shards, alive, lost }: RandomCluster): void {
  for (const { view, voters } of shards) {
    expect(isSettled(view), `${view.name} is settled`).toBe(true);
    expect(new Set(voters)).toEqual(new Set(view.replicas));
    const spare = [...alive].filter((server) => !view.replicas.includes(server));
    const isLost = view.replicas.some((server) => lost.has(server));
    if (spare.length > 0) expect(isLost, `${view.name} has a lost replica`).toBe(false);
    expect(view.replicas.length).toBeGreaterThanOrEqual(Math.min(view.wanted, alive.size));
    expect(view.replicas.length).toBeLessThanOrEqual(view.wanted);
    expect(view.replicas).toContain(view.preferredLeader);
  }
}

function assertEven({ shards, alive, lost }: RandomCluster): void {
  const views = shards.map(({ view }) => view);
  if (views.every(({ replicas }) => replicas.every((server) => !lost.has(server)))) {
    const counts = [...alive].map(
      (server) => views.filter(({ replicas }) => replicas.includes(server)).length,
    );
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  }
  const leads = (server: number): number =>
    views.filter(({ preferredLeader }) => preferredLeader === server).length;
  for (const { preferredLeader, replicas } of views) {
    for (const server of replicas) {
      if (!alive.has(server)) continue;
      expect(leads(preferredLeader ?? 0) - leads(server)).toBeLessThan(2);
    }
  }
}
