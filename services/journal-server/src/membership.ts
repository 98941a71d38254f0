/**
 * This server in the placement center: registered, kept so, and registered anew when that was lost.
 *
 *     register ──▶ host the shards of this registration ──▶ lease lost ──▶ stop that ──▶ register …
 *
 * Shards stay open in between: they are safe by their terms and fences, not by the lease.
 */
import type { Clock, Timers } from '@robustmq/environment';
import type { Placement } from '@robustmq/placement';
import { keepLeaseAlive } from '@robustmq/placement-client';
import {
  type Controller,
  encodeServerNotice,
  type NodeRegistry,
  type Registration,
} from '@robustmq/placement-registry';

/** Who registers, and what goes on while it is. */
export interface MembershipOptions {
  readonly placement: Placement;
  readonly nodes: NodeRegistry;
  readonly nodeId: number;
  /** As `host:port`. */
  readonly address: string;
  readonly version: string;
  readonly ttlSeconds: number;
  readonly clock: Clock;
  readonly timers: Timers;
  /** What runs while a registration lasts; it begins anew with each. */
  whileRegistered(registration: Registration): Controller;
  /** null: not registered any more. */
  changed(registration: Registration | null): void;
}

const CALL_MS = 10_000;

/** As a loop for `runControllers`, which runs it again when it ends. */
export function membership(options: MembershipOptions): Controller {
  return { name: 'membership', run: (signal) => runOnce(options, signal) };
}

async function runOnce(options: MembershipOptions, signal: AbortSignal): Promise<void> {
  const { placement, nodes, clock, timers, ttlSeconds } = options;
  const keptAtMs = clock.monotonicMs();
  const registration = await register(options, signal);
  const lease = { id: registration.lease, ttlSeconds };
  const kept = keepLeaseAlive(placement, lease, { clock, timers, keptAtMs });
  options.changed(registration);
  try {
    const lasting = AbortSignal.any([signal, kept.lost]);
    await options.whileRegistered(registration).run(lasting);
  } finally {
    kept.stop();
    options.changed(null);
  }
  if (!signal.aborted) return;
  // An orderly end is known at once, in place of after the time to live.
  const call = { deadlineMs: CALL_MS, signal: null };
  await nodes.unregister({ clusterType: 'journal-server', nodeId: options.nodeId }, call);
}

function register(options: MembershipOptions, signal: AbortSignal): Promise<Registration> {
  const { nodes, nodeId, address, version, ttlSeconds, clock } = options;
  const nodeIp = address.slice(0, address.lastIndexOf(':'));
  const extendInfo = encodeServerNotice({ version, diskFull: false });
  const node = { clusterType: 'journal-server', nodeId, nodeIp, innerAddress: address } as const;
  const life = { ttlSeconds, nowMs: clock.nowMs() };
  return nodes.register({ ...node, extendInfo }, life, { deadlineMs: CALL_MS, signal });
}
