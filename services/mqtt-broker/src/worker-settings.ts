import { join } from 'node:path';
import type { BrokerSettings } from './settings.ts';

/** Between one worker and the next: of node ids, of `grpc_port` and of `http_port`. */
export const WORKER_STEP = 1000;

/**
 * What one of several processes is told that share the ports for clients: each is a member of the cluster
 * by itself. Worker `k` has its node id, `grpc_port` and `http_port` 1000·(k − 1) above what is configured.
 *
 * @param worker  from 1 on
 */
export function workerSettings(settings: BrokerSettings, worker: number): BrokerSettings {
  const shift = (worker - 1) * WORKER_STEP;
  const portOf = (port: number): number => (port === 0 ? 0 : port + shift);
  const { cluster, http, storage } = settings;
  return {
    ...settings,
    nodeId: settings.nodeId + shift,
    listeners: settings.listeners.map((listener) => ({ ...listener, reusePort: true })),
    cluster: cluster === null ? null : { ...cluster, port: portOf(cluster.port) },
    http: { ...http, port: portOf(http.port) },
    storage: { ...storage, directory: join(storage.directory, `worker-${worker}`) },
  };
}
