/** Brokers on this machine that serve the same clients: what all products of the race have in common. */

import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export type ProductName = 'robustmq' | 'nats' | 'rabbitmq';

export interface BrokerGroup {
  /** `127.0.0.1:port` of each broker. */
  readonly brokers: readonly string[];
  /** The processes of each broker, its workers included. */
  readonly brokerPids: readonly (readonly number[])[];
  /** Every process of the product. */
  readonly pids: readonly number[];
  /** Ends the processes; their files belong to whoever named the folder. */
  readonly stop: () => Promise<void>;
}

const POLL_MS = 50;

/** The process and everything that it started. */
export function withDescendants(pid: number): readonly number[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  const children = threads.flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
  );
  return [pid, ...children.flatMap((child) => withDescendants(Number(child)))];
}

/** @throws Error when nothing listens on the port within the limit */
export async function listensOn(port: number, limitMs: number): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (performance.now() < endMs) {
    if (await isOpen(port)) return;
    await pause(POLL_MS);
  }
  throw new Error(`nothing listens on port ${port} after ${limitMs} ms`);
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
