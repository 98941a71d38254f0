import { describe, expect, test } from 'vitest';
import type { ShardView } from './cluster-view.ts';
import { planPlacement } from './plan-placement.ts';

function shard(
  name: string,
  replicas: readonly number[],
  more: Partial<ShardView> = {},
): ShardView {
  const observed = replicas.length === 0 ? null : { voters: replicas, learners: [] };
  const preferredLeader = replicas[0] ?? null;
  return { name, wanted: 3, replicas, preferredLeader, observed, ...more };
}

interface Row {
  readonly shards: readonly ShardView[];
  readonly alive: readonly number[];
  readonly lost?: readonly number[];
  readonly full?: readonly number[];
  readonly patient?: readonly string[];
  /** `name replicas leader`, one per decision. */
  readonly decisions: readonly string[];
  readonly why: string;
}

const ROWS: readonly Row[] = [
  {
    shards: [shard('a', []), shard('b', [])],
    alive: [1, 2, 3, 4],
    decisions: ['a 1,2,3 1', 'b 1,2,4 2'],
    why: 'new shards go where the fewest replicas are, and other servers lead each',
  },
  {
    shards: [shard('a', [])],
    alive: [1, 2],
    patient: ['a'],
    decisions: [],
    why: 'a new shard waits for as many servers as it wants',
  },
  {
    shards: [shard('a', [])],
    alive: [1, 2],
    decisions: ['a 1,2 1'],
    why: 'a shard that has waited is founded on those that there are',
  },
  {
    shards: [shard('a', [])],
    alive: [],
    decisions: [],
    why: 'without a server nothing is founded',
  },
  {
    shards: [shard('a', [1, 2])],
    alive: [1, 2, 3],
    decisions: ['a 1,2,3 1'],
    why: 'a shard with too few replicas gets one when a server comes',
  },
  {
    shards: [shard('a', [1, 2])],
    alive: [1, 2, 3],
    patient: ['a'],
    decisions: [],
    why: 'it waits while a server may still have what it gave up just now',
  },
  {
    shards: [shard('a', [1, 2, 3])],
    alive: [1, 2, 4],
    decisions: [],
    why: 'a server that is away for a moment keeps its replicas',
  },
  {
    shards: [shard('a', [1, 2, 3])],
    alive: [2, 3, 4],
    lost: [1],
    decisions: ['a 2,3,4 2'],
    why: 'a lost server is replaced, and does not lead any more',
  },
  {
    shards: [shard('a', [1, 2, 3])],
    alive: [1, 2],
    lost: [3],
    decisions: [],
    why: 'a lost server without a substitute keeps its place',
  },
  {
    shards: [shard('a', [1, 2, 3])],
    alive: [3, 4, 5],
    lost: [1, 2],
    decisions: ['a 1,2,3 3'],
    why: 'a shard without a majority keeps its replicas, and prefers who is left',
  },
  {
    shards: [
      shard('a', [1, 2, 4], { observed: { voters: [1, 2, 3], learners: [4] } }),
      shard('b', [1, 2, 5]),
      shard('c', [1, 2, 5]),
    ],
    alive: [1, 2, 3, 5],
    lost: [4],
    decisions: ['a 1,2,3 1', 'b 2,3,5 3', 'c 1,2,5 2'],
    why: 'a substitute that is lost itself is given up for one that has a copy',
  },
  {
    shards: ['a', 'b', 'c', 'd'].map((name) => shard(name, [1, 2, 3])),
    alive: [1, 2, 3, 4],
    decisions: ['a 2,3,4 4', 'b 1,3,4 1', 'c 1,2,3 2', 'd 1,2,3 3'],
    why: 'a server that joins gets replicas, as many at once as may move; leaders spread',
  },
  {
    shards: [
      ...['a', 'b', 'c', 'd'].map((name) => shard(name, [1, 2, 3])),
      shard('e', [1, 2, 4], { observed: { voters: [1, 2, 3], learners: [4] } }),
      shard('f', [1, 2, 4], { observed: { voters: [1, 2, 3], learners: [4] } }),
    ],
    alive: [1, 2, 3, 4],
    decisions: ['a 1,2,3 2', 'b 1,2,3 3', 'c 1,2,3 2', 'd 1,2,3 3'],
    why: 'no further move begins while as many as may be are under way',
  },
  {
    shards: ['a', 'b', 'c'].map((name) => shard(name, [1, 2, 3])),
    alive: [1, 2, 3],
    decisions: ['a 1,2,3 2', 'b 1,2,3 3'],
    why: 'leadership is spread over those who have the replicas',
  },
  {
    shards: [shard('a', [1, 2, 3], { preferredLeader: 1 })],
    alive: [2, 3],
    decisions: [],
    why: 'the preference for a leader outlives its restart',
  },
  {
    shards: [shard('a', [1, 2, 3]), shard('b', [1, 2, 3], { preferredLeader: 2 })],
    alive: [1, 2, 3],
    full: [1],
    decisions: ['a 1,2,3 3'],
    why: 'a server with a full disk leads nothing that another could, and keeps its replicas',
  },
  {
    shards: [shard('a', [1, 2, 3])],
    alive: [1, 2, 3],
    full: [1, 2, 3],
    decisions: [],
    why: 'nothing is gained by a new leader while every disk is full',
  },
  {
    shards: ['a', 'b', 'c'].map((name) => shard(name, [1, 2, 3], { preferredLeader: 2 })),
    alive: [1, 2, 3],
    full: [1],
    decisions: ['a 1,2,3 3'],
    why: 'leadership spreads over the servers with room alone',
  },
  {
    shards: [shard('a', [])],
    alive: [1, 2, 3],
    full: [2],
    decisions: ['a 1,3 1'],
    why: 'a new shard is not put on a full disk',
  },
];

describe('a plan of where shards should be', () => {
  for (const { shards, alive, lost = [], full = [], patient = [], decisions, why } of ROWS) {
    test(why, () => {
      const view = { shards, alive: new Set(alive), lost: new Set(lost), full: new Set(full) };
      const rules = { repairsMax: 2, movesMax: 2, patient: new Set(patient) };
      const plan = planPlacement(view, rules);
      const told = plan.map(
        (each) => `${each.shard} ${each.replicas.join()} ${each.preferredLeader}`,
      );
      expect(told).toEqual(decisions);
    });
  }
});
