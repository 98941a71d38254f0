import type { BrokerPorts } from './traffic-job.ts';

/** What is given more than it can do: one broker, or all brokers of a cluster, on this machine. */
export interface OverloadTarget {
  readonly ports: BrokerPorts;
  /** Ends of processes that nobody asked for. */
  readonly crashes: number;
  /** Resident memory of the broker that has most. */
  readonly residentBytes: number;
}

/** Starts a target, lets `scene` happen to it, and takes it away. */
export type WithTarget = <Result>(
  nodeOptions: readonly string[],
  scene: (target: OverloadTarget) => Promise<Result>,
) => Promise<Result>;
