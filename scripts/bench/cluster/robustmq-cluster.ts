/** The product as it comes: three members of the placement center, three journal servers, and brokers. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePorts, ServiceProcess } from '@robustmq/campaign';
import { connect } from '@robustmq/mqtt-client';
import { type BrokerGroup, withDescendants } from './broker-group.ts';

export interface ClusterShape {
  readonly brokers: number;
  /** Processes of each broker. */
  readonly workers: number;
  /** The cores that the brokers may use, as taskset spells them; null: all. */
  readonly brokerCores: string | null;
}

const MAIN = new URL('../../../services/robustctl/dist/main.js', import.meta.url).pathname;
const START_LIMIT_MS = 60_000;
const POLL_MS = 50;
const MEMBERS = [0, 1, 2];

/** @param folder  exists and is empty */
export async function startRobustmqCluster(
  folder: string,
  { brokers, workers, brokerCores }: ClusterShape,
): Promise<BrokerGroup> {
  const ports = await freePorts(3 + brokers);
  const members = MEMBERS.map((index) => `127.0.0.1:${ports[index]}`);
  const placement = `placement_center = [${members.map((each) => `"${each}"`).join(', ')}]`;
  const nodes = members.map((each, index) => `"${index + 1}" = "${each}"`).join(', ');
  const centers = MEMBERS.map((index) =>
    processOf(folder, `placement-center-${index + 1}`, [
      ...[`node_id = ${index + 1}`, `grpc_port = ${ports[index]}`, 'http_port = "off"'],
      ...[`nodes = { ${nodes} }`, 'data_path = "data"'],
    ]),
  );
  const journals = MEMBERS.map((index) =>
    processOf(folder, `journal-server-${index + 1}`, [
      ...[`node_id = ${index + 1}`, 'grpc_port = 0', 'prometheus_port = "off"'],
      ...[placement, 'data_path = ["data"]'],
    ]),
  );
  const linkPorts = await brokerPorts(brokers, workers);
  const mqttPorts = ports.slice(3);
  const brokerProcesses = mqttPorts.map((port, index) =>
    processOf(
      folder,
      `broker-mqtt-${index + 1}`,
      [
        ...[`broker_id = ${index + 1}`, `grpc_port = ${linkPorts[index]}`, 'http_port = "off"'],
        ...[placement, `workers = ${workers}`],
        ...['[network]', `tcp_port = ${port}`, 'websocket_port = "off"'],
      ],
      brokerCores,
    ),
  );
  const all = [...centers, ...journals, ...brokerProcesses];
  const stop = async (): Promise<void> => {
    for (const each of [...brokerProcesses, ...journals, ...centers].map((one) => one.end())) {
      await each;
    }
  };
  try {
    for (const each of all) each.start();
    for (const port of mqttPorts) await serves(port, all);
  } catch (error) {
    await stop();
    throw error;
  }
  const brokerPids = brokerProcesses.map(({ pid }) => withDescendants(pid ?? 0));
  const others = [...centers, ...journals].map(({ pid }) => pid ?? 0);
  return {
    brokers: mqttPorts.map((port) => `127.0.0.1:${port}`),
    ...{ brokerPids, pids: [...brokerPids.flat(), ...others], stop },
  };
}

/** Workers after the first take the ports 1000 above the one that is named. */
async function brokerPorts(brokers: number, workers: number): Promise<readonly number[]> {
  const highest = 65_535 - 1000 * (workers - 1);
  for (;;) {
    const ports = await freePorts(brokers);
    if (ports.every((port) => port <= highest)) return ports;
  }
}

function processOf(
  folder: string,
  name: string,
  lines: readonly string[],
  cores: string | null = null,
): ServiceProcess {
  const place = join(folder, name);
  mkdirSync(place);
  const file = join(place, 'node.toml');
  writeFileSync(file, ['cluster_name = "bench"', ...lines, ''].join('\n'));
  const prefix = cores === null ? [] : ['taskset', '-c', cores];
  const component = name.replace(/-\d+$/, '');
  const words = [...prefix, process.execPath, MAIN, component, 'start', file];
  return new ServiceProcess({ words, folder: place, environment: {} });
}

/** Until a durable subscriber there gets what it publishes itself. */
async function serves(port: number, all: readonly ServiceProcess[]): Promise<void> {
  const endMs = performance.now() + START_LIMIT_MS;
  while (performance.now() < endMs) {
    const dead = all.find((each) => !each.isRunning);
    if (dead !== undefined) throw new Error(`a process ended: ${dead.output.slice(-2000)}`);
    if (await acknowledges(port)) return;
    await pause(POLL_MS);
  }
  throw new Error(`the broker on port ${port} does not serve within ${START_LIMIT_MS} ms`);
}

async function acknowledges(port: number): Promise<boolean> {
  try {
    const client = await connect({
      ...{ port, clientId: `probe-${port}`, cleanStart: true, timeoutMs: 2000 },
      properties: { sessionExpiryIntervalSeconds: 1 },
    });
    try {
      await client.subscribe([{ filter: `probe/${port}`, qos: 1 }]);
      await client.publish({ topic: `probe/${port}`, payload: new Uint8Array(1), qos: 1 });
      return true;
    } finally {
      client.destroy();
    }
  } catch {
    return false;
  }
}
