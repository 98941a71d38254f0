/** A helper process: does the job that its parent sends, and reports when asked. */
import { setTimeout as delay } from 'node:timers/promises';
import { connect, connectPacket, openConnection, resolveOptions } from '@robustmq/mqtt-client';
import type { MqttConnection } from '@robustmq/mqtt-client';
import { Flood } from './flood.ts';
import {
  type FloodJob,
  newCounters,
  portOf,
  type ReadJob,
  type StormJob,
  type TrafficJob,
} from './traffic-job.ts';

const TICK_MS = 5;
const CONNECT_LIMIT_MS = 30_000;
/** What an unlimited flood may send at once. */
const UNLIMITED = 4096;

const counters = newCounters();
let ending = false;

async function open(port: number, clientId: string): Promise<MqttConnection> {
  const startedAtMs = performance.now();
  const options = resolveOptions({ port, clientId, keepAliveSeconds: 0 });
  const connection = await openConnection(options, 5, CONNECT_LIMIT_MS);
  connection.send(connectPacket(options));
  const answer = await connection.next(CONNECT_LIMIT_MS);
  if (answer?.kind !== 'connack' || answer.reasonCode !== 0) {
    connection.destroy();
    throw new Error(`refused: ${JSON.stringify(answer)}`);
  }
  counters.ready += 1;
  counters.connectMsMax = Math.max(counters.connectMsMax, performance.now() - startedAtMs);
  connection.closed
    .then(() => {
      if (!ending) counters.lost += 1;
    })
    .catch(() => undefined);
  return connection;
}

async function flood(job: FloodJob): Promise<void> {
  const floods: Flood[] = [];
  for (let number = 0; number < job.connections; number += 1) {
    const connection = await open(portOf(job.ports, number), `flood-${job.prefix}-${number}`);
    floods.push(new Flood(connection, { job, number }, counters));
  }
  const share = job.messagesPerSecond / job.connections;
  const startedAtMs = performance.now();
  let lastMs = startedAtMs;
  const due = floods.map(() => 0);
  while (performance.now() - startedAtMs < job.seconds * 1000) {
    await delay(TICK_MS);
    const nowMs = performance.now();
    for (const [index, each] of floods.entries()) {
      if (share === 0) {
        each.publish(UNLIMITED);
        continue;
      }
      const wanted = (due[index] ?? 0) + (share * (nowMs - lastMs)) / 1000;
      const whole = Math.floor(wanted);
      due[index] = wanted - whole;
      counters.heldBack += whole - each.publish(whole);
    }
    lastMs = nowMs;
  }
}

async function read(job: ReadJob): Promise<void> {
  for (let number = 0; number < job.connections; number += 1) {
    const client = await connect({
      port: portOf(job.ports, number),
      clientId: `read-${job.session}-${number}`,
      version: 4,
      cleanStart: job.session === 'clean',
      onMessage: () => {
        counters.received += 1;
      },
    });
    await client.subscribe([{ filter: job.filter, qos: job.qos }]);
    counters.ready += 1;
    client.closed
      .then(() => {
        if (!ending) counters.lost += 1;
      })
      .catch(() => undefined);
  }
  await new Promise(() => undefined); // until the parent is done
}

async function storm(job: StormJob): Promise<void> {
  const startedAtMs = performance.now();
  const opening: Promise<unknown>[] = [];
  while (opening.length < job.connections) {
    const due = ((performance.now() - startedAtMs) * job.connectionsPerSecond) / 1000;
    while (opening.length < Math.min(due, job.connections)) {
      const { length } = opening;
      const opened = open(portOf(job.ports, length), `storm-${length}`).catch(() => {
        counters.lost += 1;
      });
      opening.push(opened);
    }
    await delay(TICK_MS);
  }
  await Promise.all(opening);
}

async function run(job: TrafficJob): Promise<void> {
  if (job.kind === 'flood') await flood(job);
  else if (job.kind === 'read') await read(job);
  else await storm(job);
  counters.done = true;
  process.send?.(counters);
}

process.on('message', (message: TrafficJob | 'report' | 'end') => {
  if (message === 'report') process.send?.(counters);
  else if (message === 'end') {
    ending = true;
    process.exit(0);
  } else {
    run(message).catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  }
});
process.on('disconnect', () => process.exit(0));
