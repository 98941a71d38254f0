/** Readers that stop: what they cost the broker's memory and the others' latency. */
import { setTimeout as delay } from 'node:timers/promises';
import type { MqttConnection } from '@robustmq/mqtt-client';
import { atMost, type Figure, told } from '../figures.ts';
import { LatencyProbe, type ProbeSpan } from './latency-probe.ts';
import { MemoryWatch } from './memory-watch.ts';
import type { OverloadTarget } from './overload-target.ts';
import { READERS, readJob } from './read-job.ts';
import { type StalledReader, stallReader } from './stalled-reader.ts';
import { Traffic } from './traffic.ts';

const WARM_UP_MS = 3000;
const STALLED_GROWTH_MEGABYTES = 96;
/** Below this a doubling is noise of the machine. */
const P99_FLOOR_MS = 5;

const STALLED: readonly StalledReader[] = [
  { clientId: 'stalled-q0', filter: 'flood/#', qos: 0, session: 'clean' },
  { clientId: 'stalled-q1', filter: 'flood/#', qos: 1, session: 'clean' },
  { clientId: 'stalled-durable', filter: 'flood/#', qos: 1, session: 'durable' },
];

/** 10,000 messages a second into a stalled reader leave memory flat and others unaffected. */
export async function stalledReaders(
  target: OverloadTarget,
  seconds: number,
): Promise<readonly Figure[]> {
  const { ports } = target;
  const figures: Figure[] = [];
  for (const reader of STALLED) {
    const reading = await stalledSpan(target, { reader: null, qos: reader.qos, seconds });
    const stalled = await stalledSpan(target, { reader, qos: reader.qos, seconds });
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
  const after = await LatencyProbe.start(ports, { name: 'after', qos: 1, messagesPerSecond: 50 });
  await delay(1000);
  figures.push(atMost('unasked exits', target.crashes, 0));
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
  target: OverloadTarget,
  scene: { readonly reader: StalledReader | null; readonly qos: number; readonly seconds: number },
): Promise<StalledSpan> {
  const { ports } = target;
  const qos = scene.qos === 0 ? 0 : 1;
  let stalled: MqttConnection | null = null;
  let reading: Traffic | null = null;
  if (scene.reader === null) {
    reading = new Traffic(readJob(ports, { filter: 'flood/#', qos, session: 'clean' }));
    await reading.ready(READERS);
  } else stalled = await stallReader(ports[0] ?? 0, scene.reader);
  const probe = await LatencyProbe.start(ports, { name: 'probe', qos: 1, messagesPerSecond: 200 });
  const watch = new MemoryWatch(target);
  const flood = new Traffic({
    ...{ kind: 'flood', ports, prefix: 'flood', qos, connections: 4, payloadBytes: 256 },
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
