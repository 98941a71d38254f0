import type { BrokerPorts, ReadJob } from './traffic-job.ts';

/** Connections of one job that reads. */
export const READERS = 2;

/** Readers of `filter`, one after the other over the brokers. */
export function readJob(
  ports: BrokerPorts,
  what: Pick<ReadJob, 'filter' | 'qos' | 'session'>,
): ReadJob {
  return { kind: 'read', ports, connections: READERS, ...what };
}
