/**
 * More than the broker can do: a reader that stops, publishers at twice the capacity in a small
 * heap, and ten thousand clients that connect at once. Bystanders measure what it does to others.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type CampaignResult, atLeast, atMost, type Figure, holds, told } from '@robustmq/campaign';
import type { MqttConnection } from '@robustmq/mqtt-client';
import { BrokerProcess } from './broker-process.ts';
import { LatencyProbe, type ProbeSpan } from './latency-probe.ts';
import { MemoryWatch } from './memory-watch.ts';
import { type StalledReader, stallReader } from './stalled-reader.ts';
import { Traffic } from './traffic.ts';
import type { FloodJob, ReadJob, TrafficReport } from './traffic-job.ts';

const WARM_UP_MS = 3000;
const STALLED_GROWTH_MEGABYTES = 96;
/** Below this a doubling is noise of the machine. */
const P99_FLOOR_MS = 5;
const HEAP_MEGABYTES = 512;
const RECOVERY_MS_MAX = 10_000;
const RECOVERED_P99_MS = 50;
const STORM_P99_MS = 200;
const PUBLISHER_CONNECTIONS = 10;
const READERS = 2;
const CATCH_UP_LIMIT_MS = 120_000;

/** How long. */
export interface OverloadOptions {
  readonly stalledSeconds: number;
  readonly overloadSeconds: number;
  readonly connects: number;
}

export async function runOverloadCampaign(options: OverloadOptions): Promise<CampaignResult> {
  const figures: Figure[] = [
    ...(await withBroker([], (broker) => stalledReaders(broker, options.stalledSeconds))),
    ...(await withBroker([`--max-old-space-size=${HEAP_MEGABYTES}`], (broker) =>
      twiceTheCapacity(broker, options.overloadSeconds),
    )),
    ...(await withBroker([], (broker) => connectStorm(broker, options.connects))),
  ];
  return { figures, examples: [] };
}

async function withBroker(
  nodeOptions: readonly string[],
  scene: (broker: BrokerProcess) => Promise<readonly Figure[]>,
): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-overload-'));
  const broker = new BrokerProcess({
    ...{ folder, dataFolder: join(folder, 'data'), sections: {}, nodeOptions, environment: {} },
  });
  try {
    await broker.start();
    return await scene(broker);
  } finally {
    await broker.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

const STALLED: readonly StalledReader[] = [
  { clientId: 'stalled-q0', filter: 'flood/#', qos: 0, session: 'clean' },
  { clientId: 'stalled-q1', filter: 'flood/#', qos: 1, session: 'clean' },
  { clientId: 'stalled-durable', filter: 'flood/#', qos: 1, session: 'durable' },
];

/** Issue: 10,000 messages a second into a stalled reader leave memory flat and others unaffected. */
async function stalledReaders(broker: BrokerProcess, seconds: number): Promise<readonly Figure[]> {
  const port = broker.port ?? 0;
  const figures: Figure[] = [];
  for (const reader of STALLED) {
    const reading = await stalledSpan(broker, { reader: null, qos: reader.qos, seconds });
    const stalled = await stalledSpan(broker, { reader, qos: reader.qos, seconds });
    const name = reader.clientId;
    figures.push(
      told(`${name}: messages/s`, Math.round(stalled.sent / (seconds + WARM_UP_MS / 1000))),
      told(`${name}: memory MB before`, reading.megabytes),
      atMost(
        `${name}: memory MB more`,
        stalled.megabytes - reading.megabytes,
        STALLED_GROWTH_MEGABYTES,
      ),
      told(`${name}: others' p99 ms, reading`, reading.span.p99Ms),
      atMost(
        `${name}: others' p99 ms, stalled`,
        stalled.span.p99Ms,
        Math.max(P99_FLOOR_MS, 2 * reading.span.p99Ms),
      ),
      atMost(`${name}: others' messages lost`, stalled.missing, 0),
    );
  }
  const after = await LatencyProbe.start(port, { name: 'after', qos: 1, messagesPerSecond: 50 });
  await delay(1000);
  figures.push(atMost('unasked exits', broker.crashes, 0));
  after.end();
  return figures;
}

interface StalledSpan {
  readonly sent: number;
  readonly megabytes: number;
  readonly span: ProbeSpan;
  readonly missing: number;
}

/** A flood of 10,000 messages a second for one reader, who reads (null) or has stopped. */
async function stalledSpan(
  broker: BrokerProcess,
  scene: { readonly reader: StalledReader | null; readonly qos: number; readonly seconds: number },
): Promise<StalledSpan> {
  const port = broker.port ?? 0;
  const qos = scene.qos === 0 ? 0 : 1;
  let stalled: MqttConnection | null = null;
  let reading: Traffic | null = null;
  if (scene.reader === null) {
    reading = new Traffic(readJob(port, { filter: 'flood/#', qos, session: 'clean' }));
    await reading.ready(READERS);
  } else stalled = await stallReader(port, scene.reader);
  const probe = await LatencyProbe.start(port, { name: 'probe', qos: 1, messagesPerSecond: 200 });
  const watch = new MemoryWatch(broker);
  const flood = new Traffic({
    ...{ kind: 'flood', port, prefix: 'flood', qos, connections: 4, payloadBytes: 256 },
    ...{ messagesPerSecond: 10_000, seconds: scene.seconds + WARM_UP_MS / 1000 },
  });
  await delay(WARM_UP_MS);
  probe.span();
  await delay(scene.seconds * 1000);
  const span = probe.span();
  const { sent } = await flood.done(20_000);
  await delay(200);
  const late = probe.span();
  const megabytes = watch.takeMegabytes();
  watch.end();
  probe.end();
  await flood.end();
  await reading?.end();
  stalled?.destroy();
  const inFlight = Math.abs(span.sent + late.sent - span.received - late.received);
  // A handful is on its way whenever we look.
  return { sent, megabytes, span, missing: inFlight > 50 ? inFlight : 0 };
}

/** Publishing at twice what the broker can do, in a small heap. */
async function twiceTheCapacity(
  broker: BrokerProcess,
  seconds: number,
): Promise<readonly Figure[]> {
  const port = broker.port ?? 0;
  const stalled = await stallReader(port, {
    ...{ clientId: 'stalled', filter: 'much/#', qos: 1, session: 'clean' },
  });
  const clean = new Traffic(readJob(port, { filter: 'much/#', qos: 1, session: 'clean' }));
  const durable = new Traffic(readJob(port, { filter: 'much/q1/#', qos: 1, session: 'durable' }));
  await Promise.all([clean.ready(READERS), durable.ready(READERS)]);
  const capacity = await capacityOf(port);
  const watch = new MemoryWatch(broker);
  const shape: Omit<FloodJob, 'prefix' | 'qos'> = {
    kind: 'flood',
    port,
    connections: PUBLISHER_CONNECTIONS,
    payloadBytes: 1024,
    messagesPerSecond: capacity,
    seconds,
  };
  const qos0 = new Traffic({ ...shape, prefix: 'much/q0', qos: 0 });
  const qos1 = new Traffic({ ...shape, prefix: 'much/q1', qos: 1 });
  const first = await qos0.done(seconds * 1000 + 60_000);
  const second = await qos1.done(seconds * 1000 + 60_000);
  const recoveredMs = await recoveryMs(broker);
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
    atMost('crashes', broker.crashes, 0),
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

function readJob(port: number, what: Pick<ReadJob, 'filter' | 'qos' | 'session'>): ReadJob {
  return { kind: 'read', port, connections: READERS, ...what };
}

/** Messages a second when publishers wait for the broker. */
async function capacityOf(port: number): Promise<number> {
  const seconds = 3;
  const flood = new Traffic({
    ...{ kind: 'flood', port, connections: PUBLISHER_CONNECTIONS, payloadBytes: 1024 },
    ...{ prefix: 'much/q0', qos: 1, messagesPerSecond: 0, seconds },
  });
  const { acknowledged } = await flood.done(60_000);
  await flood.end();
  return Math.round(acknowledged / seconds);
}

/** Milliseconds until bystanders are served as usual. */
async function recoveryMs(broker: BrokerProcess): Promise<number> {
  const startedAtMs = performance.now();
  if (broker.port === null) return Number.POSITIVE_INFINITY;
  const probe = await LatencyProbe.start(broker.port, {
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

/** Ten thousand clients within ten seconds. */
async function connectStorm(broker: BrokerProcess, connects: number): Promise<readonly Figure[]> {
  const port = broker.port ?? 0;
  const probe = await LatencyProbe.start(port, { name: 'present', qos: 1, messagesPerSecond: 200 });
  await delay(WARM_UP_MS);
  const quiet = probe.span();
  const startedAtMs = performance.now();
  const storm = new Traffic({
    ...{ kind: 'storm', port, connections: connects, connectionsPerSecond: 1000 },
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
    atMost('unasked exits in the storm', broker.crashes, 0),
  ];
}
