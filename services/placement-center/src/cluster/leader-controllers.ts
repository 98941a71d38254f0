/** What the leader does by itself: it releases sessions of dead brokers and forgets what has expired. */
import { systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import type { Placement } from '@robustmq/placement';
import type { Controller } from '@robustmq/placement-node';
import { expiredRecords, openRegistries, orphanSessions } from '@robustmq/placement-registry';

const STEP_DEADLINE_MS = 10_000;
const REST_MS = 60_000;

export function leaderControllers(
  placement: Placement,
  clusterName: string,
): readonly Controller[] {
  const { nodes, sessions, idempotence, bans } = openRegistries(placement, {
    clusterName,
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
  ];
}
