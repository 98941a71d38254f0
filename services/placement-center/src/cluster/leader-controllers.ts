/**
 * What the leader does by itself: it releases sessions of dead brokers, forgets what has expired, and gives
 * the shards of the journal their places.
 */
import { systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import type { Placement } from '@robustmq/placement';
import type { Controller } from '@robustmq/placement-node';
import {
  DEFAULT_PLACE_SHARDS_RULES,
  expiredRecords,
  openRegistries,
  orphanSessions,
  placeShards,
  type PlaceShardsOptions,
} from '@robustmq/placement-registry';

const STEP_DEADLINE_MS = 10_000;
const REST_MS = 60_000;

/** What is said about the loops in the configuration, and who is told of their decisions. */
export interface LeaderControllersOptions {
  readonly clusterName: string;
  /** A journal server that is away for longer is lost: others get its replicas. */
  readonly journalServerLostAfterMs: number;
  readonly onShardPlaced: PlaceShardsOptions['onPlaced'];
}

export function leaderControllers(
  placement: Placement,
  options: LeaderControllersOptions,
): readonly Controller[] {
  const { nodes, sessions, idempotence, bans, shards, shardStates } = openRegistries(placement, {
    clusterName: options.clusterName,
    random: systemRandom,
  });
  const call = { deadlineMs: STEP_DEADLINE_MS, signal: null };
  return [
    orphanSessions({ nodes, sessions, clock: systemClock, call }),
    expiredRecords({
      idempotence,
      bans,
      clock: systemClock,
      timers: systemTimers,
      restMs: REST_MS,
      call,
    }),
    placeShards({
      nodes,
      shards,
      shardStates,
      clock: systemClock,
      timers: systemTimers,
      rules: { ...DEFAULT_PLACE_SHARDS_RULES, lostAfterMs: options.journalServerLostAfterMs },
      call,
      onPlaced: options.onShardPlaced,
    }),
  ];
}
