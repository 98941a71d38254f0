/** Clients that connect all at once. */
import { setTimeout as delay } from 'node:timers/promises';
import { atLeast, atMost, type Figure, holds, told } from '../figures.ts';
import { LatencyProbe } from './latency-probe.ts';
import type { OverloadTarget } from './overload-target.ts';
import { Traffic } from './traffic.ts';

const WARM_UP_MS = 3000;
const STORM_P99_MS = 200;

/** Ten thousand clients within ten seconds. */
export async function connectStorm(
  target: OverloadTarget,
  connects: number,
): Promise<readonly Figure[]> {
  const { ports } = target;
  const probe = await LatencyProbe.start(ports, {
    name: 'present',
    qos: 1,
    messagesPerSecond: 200,
  });
  await delay(WARM_UP_MS);
  const quiet = probe.span();
  const startedAtMs = performance.now();
  const storm = new Traffic({
    ...{ kind: 'storm', ports, connections: connects, connectionsPerSecond: 1000 },
  });
  const report = await storm.done(60_000);
  const seconds = (performance.now() - startedAtMs) / 1000;
  const span = probe.span();
  const stillThere = probe.isConnected;
  probe.end();
  await storm.end();
  return [
    atLeast('connects served', report.ready, connects),
    atMost('connects failed', report.lost, 0),
    told('within s', seconds),
    told('slowest connect ms', Math.round(report.connectMsMax)),
    told("present clients' p99 ms before", quiet.p99Ms),
    atMost("present clients' p99 ms", span.p99Ms, STORM_P99_MS),
    holds('present clients still connected', stillThere),
    atMost('unasked exits in the storm', target.crashes, 0),
  ];
}
