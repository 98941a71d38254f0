/**
 * Three NATS servers with a stream of three replicas in files. From version 2.10 on they flush with
 * every write, as journal servers do; before, they acknowledge what the system may still lose.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { openNatsCluster } from '@robustmq/store-servers';
import type { AppendTarget } from './append-load.ts';

/** What a publish is given up after. */
const TIMEOUT_MS = 30_000;

/** Whether an acknowledged record is on disk. */
export function flushesEachWrite(): boolean {
  const [major = 0, minor = 0] = natsVersion().split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 10);
}

export function natsVersion(): string {
  const text = execFileSync('nats-server', ['-v'], { encoding: 'utf8' });
  return /v(\d+\.\d+\.\d+)/.exec(text)?.[1] ?? '0.0.0';
}

/** @param folder  made here */
export async function startJetStream(folder: string): Promise<AppendTarget> {
  const { connect } = await import('@nats-io/transport-node');
  const { jetstream, jetstreamManager } = await import('@nats-io/jetstream');
  mkdirSync(folder, { recursive: true });
  const settings = flushesEachWrite() ? ['sync_interval: always'] : [];
  const cluster = await openNatsCluster({ folder, jetstream: settings });
  try {
    const { servers, user, password: pass } = cluster;
    const connection = await connect({
      servers: [...servers],
      user,
      pass,
      ignoreClusterUpdates: true,
    });
    const manager = await jetstreamManager(connection, { timeout: TIMEOUT_MS });
    await manager.streams.add({
      name: 'bench',
      subjects: ['bench.>'],
      storage: 'file',
      num_replicas: 3,
    });
    const client = jetstream(connection, { timeout: TIMEOUT_MS });
    return {
      pids: cluster.pids,
      append: (producer, body) =>
        client.publish(`bench.${producer}`, body, { timeout: TIMEOUT_MS }),
      close: async () => {
        await connection.close();
        await cluster.close();
      },
    };
  } catch (error) {
    await cluster.close();
    throw error;
  }
}
