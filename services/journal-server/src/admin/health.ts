import { healthReport, type HealthSource } from '@robustmq/telemetry';
import type { HostedShardStatus } from '../shards/shard-set.ts';

/** What the health routes tell of a journal server. */
export interface ServerCondition {
  readonly phase: 'new' | 'serving' | 'stopping';
  readonly isRegistered: boolean;
  readonly shards: readonly HostedShardStatus[];
}

export function healthOf(condition: () => ServerCondition): HealthSource {
  return {
    live: () => healthReport([{ name: 'process', ok: true, detail: 'the event loop turns' }]),
    started: () => {
      const { phase } = condition();
      return healthReport([{ name: 'started', ok: phase !== 'new', detail: phase }]);
    },
    ready: () => {
      const { phase, isRegistered, shards } = condition();
      const failed = shards.filter((shard) => shard.phase === 'failed');
      const leaderless = shards.filter((shard) => shard.phase === 'open' && shard.leader === null);
      return healthReport([
        { name: 'started', ok: phase === 'serving', detail: phase },
        {
          name: 'registered',
          ok: isRegistered,
          detail: isRegistered ? 'the placement center lists this server' : 'not listed',
        },
        {
          name: 'shards',
          ok: failed.length === 0,
          detail: failed.length === 0 ? `${shards.length} here` : failureDetail(failed),
        },
        {
          name: 'leaders',
          ok: leaderless.length === 0,
          detail:
            leaderless.length === 0
              ? 'every shard here knows its leader'
              : `without a leader: ${namesOf(leaderless)}`,
        },
      ]);
    },
  };
}

/** Names are told up to as many. */
const NAMES_MAX = 5;

function failureDetail(failed: readonly HostedShardStatus[]): string {
  const [first] = failed;
  return `failed: ${namesOf(failed)}; the first one: ${first?.failure ?? ''}`;
}

function namesOf(shards: readonly HostedShardStatus[]): string {
  const names = shards.slice(0, NAMES_MAX).map(({ name }) => name);
  const more = shards.length - names.length;
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
}
