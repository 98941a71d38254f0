import type { ExchangeCounters } from '@robustmq/journal-client';
import type { RaftHost } from '@robustmq/raft-driver';
import type { JournalServerGaugeSource } from '@robustmq/telemetry';
import type { DamageCounters } from './damage-reports.ts';
import type { HostedShards } from '../shards/hosted-shards.ts';

/** What metrics read. Before the server is open everything is 0. */
export function gaugesOf(parts: {
  readonly isRegistered: () => boolean;
  readonly shards: () => HostedShards | null;
  readonly host: () => RaftHost | null;
  readonly exchange: ExchangeCounters;
  readonly damage: DamageCounters;
}): JournalServerGaugeSource {
  const { exchange, damage } = parts;
  const count = (isCounted: (status: Status) => boolean): number =>
    (parts.shards()?.list() ?? []).filter(isCounted).length;
  return {
    isRegistered: () => (parts.isRegistered() ? 1 : 0),
    shardsOpen: () => count(({ phase }) => phase === 'open'),
    shardsLed: () => count(({ role }) => role === 'leader'),
    shardsFailed: () => count(({ phase }) => phase === 'failed'),
    shardsWithoutLeader: () => count(({ phase, leader }) => phase === 'open' && leader === null),
    storedBytes: () => storedBytes(parts.shards()),
    streams: () => exchange.streams,
    tails: () => exchange.tails,
    appends: () => exchange.appends,
    appendBytes: () => exchange.appendBytes,
    appendsRefused: () => exchange.appendsRefused,
    calls: () => exchange.calls,
    recordsSent: () => exchange.recordsSent,
    changesSent: () => exchange.changesSent,
    damageFound: () => damage.found,
    damageMended: () => damage.mended,
    raftFlushes: () => parts.host()?.counters.flushes ?? 0,
    raftBytesWritten: () => parts.host()?.counters.bytesWritten ?? 0,
    raftFramesSent: () => parts.host()?.counters.framesSent ?? 0,
    raftFramesReceived: () => parts.host()?.counters.framesReceived ?? 0,
    raftFramesRefused: () => parts.host()?.counters.framesRefused ?? 0,
  };
}

type Status = ReturnType<HostedShards['list']>[number];

function storedBytes(shards: HostedShards | null): number {
  if (shards === null) return 0;
  const amounts = shards.list().map(({ name }) => shards.amountsOf(name)?.bytes ?? 0);
  return amounts.reduce((sum, bytes) => sum + bytes, 0);
}
