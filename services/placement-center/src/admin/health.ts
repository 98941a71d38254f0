import type { PlacementNodeStatus } from '@robustmq/placement-node';
import { healthReport, type HealthSource } from '@robustmq/telemetry';

/** What the health routes tell of a member. */
export interface MemberCondition {
  readonly phase: 'new' | 'joining' | 'serving' | 'stopping';
  /** null before the member is open. */
  readonly status: PlacementNodeStatus | null;
}

export function healthOf(condition: () => MemberCondition): HealthSource {
  return {
    live: () => healthReport([{ name: 'process', ok: true, detail: 'the event loop turns' }]),
    started: () => {
      const { phase } = condition();
      const ok = phase === 'serving' || phase === 'stopping';
      return healthReport([{ name: 'started', ok, detail: phase }]);
    },
    ready: () => {
      const { phase, status } = condition();
      const leader = status?.raft.leader ?? null;
      return healthReport([
        { name: 'started', ok: phase === 'serving', detail: phase },
        {
          name: 'leader',
          ok: leader !== null,
          detail: leader === null ? 'no leader is known' : `member ${String(leader)} leads`,
        },
        {
          name: 'store',
          ok: status !== null && status.storeBytes < status.storeBytesMax,
          detail:
            status === null
              ? 'not open yet'
              : `${String(status.storeBytes)} of ${String(status.storeBytesMax)} bytes`,
        },
      ]);
    },
  };
}
