/** Three processes on this machine that replicate one store: what both sides of the race have in common. */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export type StoreName = 'etcd' | 'robustmq';

export const MEMBERS = 3;

export interface StoreGroup {
  /** `host:port` of each member's client interface, the leader first. */
  readonly endpoints: readonly string[];
  readonly pids: readonly number[];
  /** Ends the processes; their files belong to whoever named the folder. */
  readonly stop: () => Promise<void>;
}

const STOP_LIMIT_MS = 15_000;
const POLL_MS = 100;
const START_LIMIT_MS = 30_000;
/** USER_HZ of every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100;

/** Starts a member; what it prints goes to `logPath`. */
export function startMember(command: readonly string[], logPath: string): ChildProcess {
  const log = openSync(logPath, 'a');
  const [program = '', ...words] = command;
  const child = spawn(program, words, { stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  return child;
}

export async function stopMembers(children: readonly ChildProcess[]): Promise<void> {
  await Promise.all(children.map(stopMember));
}

async function stopMember(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await ended;
  clearTimeout(limit);
}

/** Asks until there is an answer, and says in the error what was waited for. */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | null>,
  children: readonly ChildProcess[],
): Promise<T> {
  const endMs = performance.now() + START_LIMIT_MS;
  while (performance.now() < endMs) {
    const dead = children.find((child) => child.exitCode !== null);
    if (dead !== undefined) throw new Error(`${what}: a member ended with ${dead.exitCode}`);
    const answer = await ask().catch(() => null);
    if (answer !== null) return answer;
    await pause(POLL_MS);
  }
  throw new Error(`${what}: nothing after ${START_LIMIT_MS} ms`);
}

/** Processor time that these processes have used so far. */
export function cpuSecondsOf(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / TICKS_PER_SECOND;
}

export function residentMegabytesOf(pids: readonly number[]): number {
  const kilobytes = pids.map((pid) => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0);
  });
  return Math.max(...kilobytes) / 1024;
}

export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(Array.from({ length: count }, openOnAnyPort));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function openOnAnyPort(): Promise<ReturnType<typeof createServer>> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}
