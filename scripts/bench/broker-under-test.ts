/** Starts and stops the two brokers, each on core 0, each fresh for every run. */

import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { runCommand } from './command.ts';
import type { BrokerName } from './load-result.ts';

export interface RunningBroker {
  readonly port: number;
  readonly pid: number;
  /** Ends the process and removes its files. */
  readonly stop: () => Promise<void>;
}

export interface BrokerPlaces {
  /** The repository, built. */
  readonly root: string;
  /** Where `peers.sh` is. */
  readonly generator: string;
  /** Where the brokers keep their files; on a disk that the durable runs are to be measured on. */
  readonly data: string;
}

const BROKER_CORE = '0';
const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 15_000;
const POLL_MS = 50;

export function startBroker(name: BrokerName, places: BrokerPlaces): Promise<RunningBroker> {
  return name === 'mosquitto' ? startMosquitto(places) : startRobustmq(places);
}

/** Everything in memory, queue limits raised: the configuration is that of `peers.sh`. */
async function startMosquitto({ generator, data }: BrokerPlaces): Promise<RunningBroker> {
  const port = await freePort();
  const folder = mkdtempSync(join(data, 'mosquitto-'));
  const environment = { BENCH_DIR: folder };
  const peers = (...words: readonly string[]): Promise<string> =>
    output(['bash', join(generator, 'peers.sh'), ...words], environment);
  const pid = Number(
    (await peers('start', 'mosquitto', String(port), '--core', BROKER_CORE)).trim(),
  );
  if (!Number.isInteger(pid) || pid <= 0) throw new Error('mosquitto did not start');
  const stop = async (): Promise<void> => {
    await peers('stop', 'mosquitto', String(port));
    rmSync(folder, { recursive: true, force: true });
  };
  return { port, pid, stop };
}

/** The product as it comes: durable storage, limits, metrics, logs; only ports and folders differ. */
async function startRobustmq({ root, data }: BrokerPlaces): Promise<RunningBroker> {
  const folder = mkdtempSync(join(data, 'robustmq-'));
  const configuration = join(folder, 'bench.toml');
  const storage = join(folder, 'data');
  mkdirSync(storage);
  writeFileSync(configuration, configurationText(storage));
  const log = openSync(join(folder, 'log'), 'w');
  const child = spawn(
    'taskset',
    ['-c', BROKER_CORE, join(root, 'scripts/robustctl'), 'standalone', 'start', configuration],
    { cwd: folder, stdio: ['ignore', log, log], detached: true },
  );
  closeSync(log);
  const stop = async (): Promise<void> => {
    await endProcess(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const port = await portOf(child, storage);
    return { port, pid: child.pid ?? 0, stop };
  } catch (error) {
    const said = readFileSync(join(folder, 'log'), 'utf8').trim().split('\n').slice(-3).join('\n');
    await stop();
    throw new Error(`RobustMQ did not start: ${said}`, { cause: error });
  }
}

/** Port 0 lets the system choose. */
function configurationText(storage: string): string {
  return `http_port = 0
[network]
tcp_port = 0
websocket_port = 0
[storage]
directory = ${JSON.stringify(storage)}
`;
}

/** Waits until the broker has written what it listens on into its data folder. */
async function portOf(child: ChildProcess, storage: string): Promise<number> {
  const deadlineMs = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadlineMs && child.exitCode === null) {
    const port = listenedPort(join(storage, 'robustctl.pid'));
    if (port !== undefined) return port;
    await pause(POLL_MS);
  }
  throw new Error('no listener came up');
}

function listenedPort(file: string): number | undefined {
  try {
    const { listeners } = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly listeners: readonly { readonly kind: string; readonly port: number }[];
    };
    return listeners.find((each) => each.kind === 'tcp')?.port;
  } catch {
    return undefined; // not written yet
  }
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await ended;
  clearTimeout(limit);
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

async function output(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const result = await runCommand(command, { environment, limitMs: 60_000, signal: null });
  if (result.exitCode === 0) return result.output;
  throw new Error(`${command.slice(2).join(' ')}: ${result.errors.trim()}`);
}
