/** Publishers that offer twice what the broker can do: nothing acknowledged is lost, and it recovers. */
import { setTimeout as delay } from 'node:timers/promises';
import { atMost, type Figure, told } from '../figures.ts';
import { LatencyProbe } from './latency-probe.ts';
import { MemoryWatch } from './memory-watch.ts';
import type { OverloadTarget } from './overload-target.ts';
import { READERS, readJob } from './read-job.ts';
import { stallReader } from './stalled-reader.ts';
import { Traffic } from './traffic.ts';
import type { BrokerPorts, FloodJob, TrafficReport } from './traffic-job.ts';

const RECOVERY_MS_MAX = 10_000;
const RECOVERED_P99_MS = 50;
const PUBLISHER_CONNECTIONS = 10;
const CATCH_UP_LIMIT_MS = 120_000;

/** Publishing at twice what the broker can do, in a small heap. */
export async function twiceTheCapacity(
  target: OverloadTarget,
  seconds: number,
): Promise<readonly Figure[]> {
  const { ports } = target;
  const stalled = await stallReader(ports[0] ?? 0, {
    ...{ clientId: 'stalled', filter: 'much/#', qos: 1, session: 'clean' },
  });
  const clean = new Traffic(readJob(ports, { filter: 'much/#', qos: 1, session: 'clean' }));
  const durable = new Traffic(readJob(ports, { filter: 'much/q1/#', qos: 1, session: 'durable' }));
  await Promise.all([clean.ready(READERS), durable.ready(READERS)]);
  const capacity = await capacityOf(ports);
  const watch = new MemoryWatch(target);
  const shape: Omit<FloodJob, 'prefix' | 'qos'> = {
    kind: 'flood',
    ports,
    connections: PUBLISHER_CONNECTIONS,
    payloadBytes: 1024,
    messagesPerSecond: capacity,
    seconds,
  };
  const qos0 = new Traffic({ ...shape, prefix: 'much/q0', qos: 0 });
  const qos1 = new Traffic({ ...shape, prefix: 'much/q1', qos: 1 });
  const first = await qos0.done(seconds * 1000 + 60_000);
  const second = await qos1.done(seconds * 1000 + 60_000);
  const recoveredMs = await recoveryMs(target);
  const lacking = await lackingAfter(durable, () => qos1.report());
  const { acknowledged } = await qos1.report();
  const cut =
    first.lost + second.lost + (await clean.report()).lost + (await durable.report()).lost;
  const megabytes = watch.takeMegabytes();
  watch.end();
  stalled.destroy();
  for (const each of [qos0, qos1, clean, durable]) await each.end();
  return [
    told('capacity, messages/s', capacity),
    told('offered for s', seconds),
    told('sent, messages/s', Math.round((first.sent + second.sent) / seconds)),
    told('held back by back-pressure', first.heldBack + second.heldBack),
    told('refused with 0x97', second.refused),
    told('acknowledged', acknowledged),
    atMost('acknowledged, not delivered to durable readers', lacking, 0),
    atMost('publishers and readers cut off', cut, 0),
    told('memory MB, largest', megabytes),
    atMost('crashes', target.crashes, 0),
    atMost('recovered after ms', recoveredMs, RECOVERY_MS_MAX),
  ];
}

/** Waits until the readers have what is acknowledged. @returns how much they lack at the deadline */
async function lackingAfter(
  readers: Traffic,
  publishers: () => Promise<TrafficReport>,
): Promise<number> {
  const deadlineMs = performance.now() + CATCH_UP_LIMIT_MS;
  for (;;) {
    const { acknowledged } = await publishers();
    const lacking = READERS * acknowledged - (await readers.report()).received;
    if (lacking <= 0 || performance.now() > deadlineMs) return Math.max(0, lacking);
    await delay(200);
  }
}

/** Messages a second when publishers wait for the broker. */
async function capacityOf(ports: BrokerPorts): Promise<number> {
  const seconds = 3;
  const flood = new Traffic({
    ...{ kind: 'flood', ports, connections: PUBLISHER_CONNECTIONS, payloadBytes: 1024 },
    ...{ prefix: 'much/q0', qos: 1, messagesPerSecond: 0, seconds },
  });
  const { acknowledged } = await flood.done(60_000);
  await flood.end();
  return Math.round(acknowledged / seconds);
}

/** Milliseconds until bystanders are served as usual. */
async function recoveryMs(target: OverloadTarget): Promise<number> {
  const startedAtMs = performance.now();
  const probe = await LatencyProbe.start(target.ports, {
    ...{ name: 'recovery', qos: 1, messagesPerSecond: 200 },
  });
  let passedMs = 0;
  for (let isServed = false; !isServed && passedMs < 3 * RECOVERY_MS_MAX; ) {
    await delay(500);
    const { received, p99Ms } = probe.span();
    passedMs = performance.now() - startedAtMs;
    isServed = received > 50 && p99Ms < RECOVERED_P99_MS;
  }
  probe.end();
  return Math.round(passedMs);
}
