import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '@robustmq/campaign';
import { connect, type MqttClient } from '@robustmq/mqtt-client';
import { afterAll, beforeAll, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const children: ChildProcess[] = [];
let folder = '';
let placement = '';
let ports: readonly number[] = [];

/** What of a process is of interest here. */
interface Running {
  readonly child: ChildProcess;
  /** Resolves when it has printed the text. @throws what it printed, when it ends before */
  prints(text: string): Promise<void>;
  /** Resolves with everything that it printed. */
  ended(): Promise<{ readonly exitCode: number | null; readonly output: string }>;
}

function begin(...words: readonly string[]): Running {
  const child = spawn(process.execPath, ['--conditions=source', MAIN, ...words], {
    cwd: folder,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  let heard = (): void => {};
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += String(chunk);
      heard();
    });
  }
  return {
    child,
    prints: (text) =>
      new Promise((resolve, reject) => {
        heard = () => {
          if (output.includes(text)) resolve();
        };
        heard();
        void closed.then(() => reject(new Error(`it ended: ${output}`)));
      }),
    ended: async () => ({ exitCode: await closed, output }),
  };
}

function written(name: string, lines: readonly string[]): string {
  writeFileSync(join(folder, name), [...lines, ''].join('\n'));
  return name;
}

/** An authority, and one certificate that it vouches for. */
function makeCertificates(name: string): void {
  const openssl = (...words: readonly string[]): void => {
    execFileSync('openssl', words, { cwd: folder, stdio: 'ignore' });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const [authority, subject] = [`${name}-ca`, ['-subj', `/CN=${name}`]];
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    `${authority}.key`,
    '-out',
    `${authority}.pem`,
    ...subject,
  );
  openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, ...subject);
  written('san', ['subjectAltName=IP:127.0.0.1']);
  const by = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-CAcreateserial'];
  openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-extfile', 'san', '-out', `${name}.pem`);
}

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const STORES_TLS = [
  ...['[tls]', 'enable = true', 'cert = "own.pem"', 'key = "own.key"', 'ca = "own-ca.pem"'],
];

function brokerFile(
  nodeId: number,
  port: number,
  shows: { readonly token: string; readonly certificate: string },
): string {
  const { token, certificate } = shows;
  return written(`broker-${nodeId}.toml`, [
    ...[`broker_id = ${nodeId}`, 'grpc_port = 0', 'http_port = "off"'],
    `placement_center = ["${placement}"]`,
    ...['[network]', `tcp_port = ${port}`, 'websocket_port = "off"'],
    ...['[storage]', `directory = "broker-${nodeId}"`],
    ...['[cluster]', 'shard_replica_num = 1', 'message_shards = 1', 'session_shards = 1'],
    ...['retained_shards = 1', `cluster_token_file = "${token}"`],
    ...[`tls_cert = "${certificate}.pem"`, `tls_key = "${certificate}.key"`],
    ...[`tls_ca = "${certificate}-ca.pem"`, '[system]', 'warm_up_ms = 0'],
  ]);
}

const RIGHT = { token: 'token', certificate: 'own' };

function client(port: number, clientId: string): Promise<MqttClient> {
  return connect({
    ...{ host: '127.0.0.1', port, clientId, cleanStart: false, timeoutMs: 30_000 },
    properties: { sessionExpiryIntervalSeconds: 600 },
  });
}

beforeAll(async () => {
  if (!hasOpenssl()) return;
  folder = mkdtempSync(join(tmpdir(), 'robustctl-secured-'));
  for (const name of ['own', 'foreign']) makeCertificates(name);
  written('token', ['a secret']);
  written('wrong', ['another one']);
  const [placementPort = 0, ...rest] = await freePorts(5);
  ports = rest;
  placement = `127.0.0.1:${placementPort}`;
  const placementFile = written('placement.toml', [
    ...['node_id = 1', `grpc_port = ${placementPort}`, 'http_port = "off"'],
    ...[`nodes = { "1" = "${placement}" }`, 'data_path = "p"', 'cluster_token_file = "token"'],
    ...STORES_TLS,
  ]);
  await begin('placement-center', 'start', placementFile).prints('is ready');
  const journalFile = written('journal.toml', [
    ...['node_id = 1', 'grpc_port = 0', 'prometheus_port = "off"'],
    ...[`placement_center = ["${placement}"]`, 'data_path = ["j"]'],
    ...['cluster_token_file = "token"', ...STORES_TLS],
  ]);
  await begin('journal-server', 'start', journalFile).prints('is ready');
});

afterAll(() => {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

test.skipIf(!hasOpenssl())(
  'a cluster with TLS and a token keeps messages and moves sessions',
  async () => {
    const [first = 0, second = 0] = ports;
    await begin('broker-mqtt', 'start', brokerFile(1, first, RIGHT)).prints('is ready');
    await begin('broker-mqtt', 'start', brokerFile(2, second, RIGHT)).prints('is ready');
    const reader = await client(first, 'reader');
    await reader.subscribe([{ filter: 'a/#', qos: 1 }]);
    reader.destroy();
    const writer = await client(second, 'writer');
    await writer.publish({ topic: 'a/b', payload: Buffer.from('x'), qos: 1 });
    const moved = await client(second, 'reader');
    expect(moved.connack.sessionPresent).toBe(true);
    for (const each of [writer, moved]) each.destroy();
  },
);

test.skipIf(!hasOpenssl())(
  'a broker with another token is told so and does not start',
  async () => {
    const file = brokerFile(3, ports[2] ?? 0, { ...RIGHT, token: 'wrong' });
    const { exitCode, output } = await begin('broker-mqtt', 'start', file).ended();
    expect(exitCode).not.toBe(0);
    expect(output).toContain('token');
  },
);

test.skipIf(!hasOpenssl())(
  'a broker that trusts another authority says so while it waits',
  async () => {
    const file = brokerFile(4, ports[3] ?? 0, { ...RIGHT, certificate: 'foreign' });
    await begin('broker-mqtt', 'start', file).prints('certificate');
  },
);
