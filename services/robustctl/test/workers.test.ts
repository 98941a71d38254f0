import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '@robustmq/campaign';
import { connect, type MqttClient } from '@robustmq/mqtt-client';
import { afterAll, beforeAll, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const CLIENTS = 24;

let folder = '';
let placement = '';
let mqttPort = 0;
let otherPort = 0;
const children: ChildProcess[] = [];

interface Ended {
  readonly exitCode: number | null;
  readonly output: string;
}

interface WorkerState {
  readonly worker: number;
  readonly nodeId: number;
  readonly pid: number | null;
  readonly restarts: number;
}

function begin(...words: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, ['--conditions=source', MAIN, ...words], {
    cwd: folder,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}

function ended(child: ChildProcess): Promise<Ended> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (output += String(chunk)));
  }
  return new Promise((resolve) => {
    child.on('close', (exitCode) => resolve({ exitCode, output }));
  });
}

async function robustctl(...words: readonly string[]): Promise<string> {
  const { exitCode, output } = await ended(begin(...words));
  if (exitCode !== 0) throw new Error(`${words.join(' ')} ended with ${exitCode}: ${output}`);
  return output;
}

/** Resolves when a component says that it is ready. */
function started(component: string, file: string): Promise<ChildProcess> {
  const child = begin(component, 'start', file);
  let text = '';
  return new Promise((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      text += String(chunk);
      if (text.includes('is ready')) resolve(child);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.on('close', () => reject(new Error(`${component} ended: ${text}`)));
  });
}

function written(name: string, lines: readonly string[]): string {
  const file = join(folder, `${name}.toml`);
  writeFileSync(file, [...lines, ''].join('\n'));
  return file;
}

function brokerFile(nodeId: number, port: number, more: readonly string[]): string {
  return written(`broker-${nodeId}`, [
    ...[`broker_id = ${nodeId}`, 'grpc_port = 0', 'http_port = "off"'],
    ...[`placement_center = ["${placement}"]`, ...more],
    ...['[network]', `tcp_port = ${port}`, 'websocket_port = "off"'],
    ...['[storage]', `directory = ${JSON.stringify(join(folder, `broker-${nodeId}`))}`],
    ...['[cluster]', 'shard_replica_num = 1', 'message_shards = 1', 'session_shards = 1'],
    ...['[system]', 'warm_up_ms = 0'],
  ]);
}

async function startStores(placementPort: number): Promise<void> {
  const placementFile = written('placement', [
    ...['node_id = 1', `grpc_port = ${placementPort}`, 'http_port = "off"'],
    ...[`nodes = { "1" = "${placement}" }`, `data_path = ${JSON.stringify(join(folder, 'p'))}`],
  ]);
  await started('placement-center', placementFile);
  const journalFile = written('journal', [
    ...['node_id = 1', 'grpc_port = 0', 'prometheus_port = "off"'],
    `placement_center = ["${placement}"]`,
    `data_path = [${JSON.stringify(join(folder, 'j'))}]`,
  ]);
  await started('journal-server', journalFile);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'robustctl-workers-'));
  mkdirSync(join(folder, 'p'));
  const [placementPort = 0, first = 0, second = 0] = await freePorts(3);
  placement = `127.0.0.1:${placementPort}`;
  [mqttPort, otherPort] = [first, second];
  await startStores(placementPort);
});

afterAll(() => {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function client(port: number, clientId: string): Promise<MqttClient> {
  return connect({
    ...{ host: '127.0.0.1', port, clientId, cleanStart: false, timeoutMs: 30_000 },
    properties: { sessionExpiryIntervalSeconds: 600 },
  });
}

async function workersOf(file: string): Promise<readonly WorkerState[]> {
  const { output } = await ended(begin('broker-mqtt', 'status', file, '--output', 'json'));
  const status = JSON.parse(output) as { process: { workers?: readonly WorkerState[] } | null };
  return status.process?.workers ?? [];
}

async function listed(...words: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const output = await robustctl(...words, '--server', placement, '--output', 'json');
  const lines = output.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('workers share a port, are started again, are drained, and end together', async () => {
  const file = brokerFile(1, mqttPort, ['workers = 2']);
  const supervisor = await started('broker-mqtt', file);
  await started('broker-mqtt', brokerFile(7, otherPort, []));
  const nodes = await listed('cluster', 'nodes');
  const brokers = nodes.filter(({ clusterType }) => clusterType === 'mqtt-broker');
  expect(brokers.map(({ nodeId }) => nodeId)).toEqual([1, 7, 1001]);

  const clients: MqttClient[] = [];
  for (let index = 0; index < CLIENTS; index += 1) {
    clients.push(await client(mqttPort, `c${index}`));
  }
  const where = await listed('client', 'list');
  expect(where.length).toBe(CLIENTS);
  // All on one of the two: once in eight million runs.
  expect(new Set(where.map(({ broker }) => broker))).toEqual(new Set([1, 1001]));

  const [first, second] = await workersOf(file);
  expect([first?.nodeId, second?.nodeId]).toEqual([1, 1001]);
  process.kill(second?.pid ?? 0, 'SIGKILL');
  let again: WorkerState | undefined;
  do [, again] = await workersOf(file);
  while (again === undefined || again.pid === null || again.restarts === 0);
  expect(again.pid).not.toBe(second?.pid);

  let drained = '';
  // The worker that was started again is a member as soon as it has registered.
  while (drained === '') {
    drained = await robustctl('node', 'drain', '1', '1001', '--server', placement).catch(
      (error: unknown) => {
        if (!String(error).includes('broker 1001')) throw error;
        return '';
      },
    );
  }
  expect(drained).toContain('broker 1 is drained');
  expect(drained).toContain('broker 1001 is drained');
  await expect(client(mqttPort, 'c0')).rejects.toThrow();
  const moved = await client(otherPort, 'c0');
  expect(moved.connack.sessionPresent).toBe(true);
  for (const each of [...clients, moved]) each.destroy();

  const pids = (await workersOf(file)).map(({ pid }) => pid ?? 0);
  const stopped = ended(supervisor);
  supervisor.kill('SIGTERM');
  expect((await stopped).exitCode).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);
});
