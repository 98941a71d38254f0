import type { PlaceShardsOptions } from '@robustmq/placement-registry';
import { log, logEvents, type Logger } from '@robustmq/telemetry';

/** Tells the log about each decision on the place of a shard. */
export function logShardPlaced(logger: Logger): PlaceShardsOptions['onPlaced'] {
  return ({ shard, replicas, preferredLeader, reason }) =>
    log(logger, logEvents.placementShardPlaced, {
      shard,
      replicas: replicas.join(),
      preferredLeader: preferredLeader ?? 0,
      reason,
    });
}
