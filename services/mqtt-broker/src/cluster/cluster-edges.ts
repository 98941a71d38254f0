import type { Clock, RandomSource, Timers } from '@robustmq/environment';
import type { FrameTransport } from '@robustmq/node-link';
import type { Placement } from '@robustmq/placement';
import type { Registries } from '@robustmq/placement-registry';
import type { BrokerContext } from '../broker-context.ts';
import type { ClusterSettings } from './cluster-settings.ts';
import type { DurableSessions } from './contract.ts';

/** What a broker's place in a cluster is built on. */
export interface ClusterEdges {
  readonly context: BrokerContext;
  readonly settings: ClusterSettings;
  readonly placement: Placement;
  readonly registries: Registries;
  readonly transport: FrameTransport;
  readonly durable: DurableSessions;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomSource;
  /** Something failed and is tried again, or refused. Must not throw. */
  failed(task: string, error: unknown): void;
  /** A broker that answered nobody is about to lose its registration. Must not throw. */
  revoked(nodeId: number, incarnation: number): void;
}
