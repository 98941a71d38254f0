/**
 * The services of the placement center on anything that is a `Placement`.
 *
 *     KvService, WatchService, LeaseService       the store itself
 *     PlacementCenterService, MqttService, EngineService       its registries
 *
 * They translate and decide nothing: who leads, and what a follower answers, is up to the `Placement`.
 */

import { type Clock, type RandomSource, systemTimers } from '@robustmq/environment';
import type { CallOptions, Placement } from '@robustmq/placement';
import { openRegistries } from '@robustmq/placement-registry';
import type { MountedService, placementCenter } from '@robustmq/rpc';
import { engineCalls } from './engine-calls.ts';
import { kvCalls } from './kv-calls.ts';
import { leaseCalls, type ListLeases } from './lease-calls.ts';
import { mqttCalls } from './mqtt-calls.ts';
import { placementCenterCalls } from './placement-center-calls.ts';
import { watchCalls } from './watch-calls.ts';

/** What the services stand on. */
export interface PlacementHandlersOptions {
  readonly placement: Placement;
  /** The cluster of requests that name none. */
  readonly clusterName: string;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** How long a node stays registered without a heartbeat. */
  readonly heartbeatTimeoutMs: number;
  /** How long idempotent data is kept at least. */
  readonly idempotenceKeepMs: number;
  /** A hash of a password in clear, as brokers check it; null: only hashes are taken. */
  readonly hashPassword: ((password: string) => Promise<string>) | null;
  /** null: LeaseService.Leases is UNIMPLEMENTED. */
  readonly listLeases: ListLeases | null;
  /** Told of what is no `PlacementError`: a mistake of ours. Must not throw. */
  reportMistake(error: unknown): void;
  /** null: PlacementCenterService.ClusterStatus is UNIMPLEMENTED. */
  readonly clusterStatus:
    | ((options: CallOptions) => Promise<placementCenter.ClusterStatusReply>)
    | null;
}

/** How often a member makes sure that it hears of its group, while somebody watches at it. */
const CHECK_EVERY_MS = 5_000;

/** All six, for `openRpcServer`. The `Placement` stays its owner's: nothing here closes it. */
export function placementHandlers(options: PlacementHandlersOptions): readonly MountedService[] {
  const { placement, clusterName, random } = options;
  const served = {
    ...options,
    registriesOf: (named: string) =>
      openRegistries(placement, { clusterName: named === '' ? clusterName : named, random }),
  };
  return [
    kvCalls(placement, options.reportMistake),
    watchCalls(placement, { timers: systemTimers, checkEveryMs: CHECK_EVERY_MS }),
    leaseCalls(placement, options.listLeases),
    placementCenterCalls(served),
    mqttCalls(served),
    engineCalls(served),
  ];
}
