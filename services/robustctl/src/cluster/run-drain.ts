import { setTimeout as sleep } from 'node:timers/promises';
import type { CallOptions } from '@robustmq/placement';
import type { NodeRecord } from '@robustmq/placement-registry';
import type { broker } from '@robustmq/rpc';
import { CommandError, ExitCode } from '../exit-code.ts';
import { note, print } from '../output.ts';
import type { ClusterFlags } from './cluster-flags.ts';
import { type BrokerClient, brokerOf, onBroker } from './on-broker.ts';
import { withRegistries } from './with-registries.ts';

const POLL_MS = 200;
/** A drain that sends nobody away for this long is not waited for. */
const STUCK_MS = 30_000;

/** The flags of `node drain`. */
export interface DrainFlags extends ClusterFlags {
  readonly rate: number;
  readonly to?: number;
  readonly permanent?: boolean;
}

/**
 * `node drain`: sends the clients of brokers to others, and waits until none is left. All are begun before
 * one is waited for, so that none of them is a place that another sends clients to.
 */
export function runDrain(brokers: readonly number[], flags: DrainFlags): Promise<void> {
  return withRegistries(flags, async (registries, call) => {
    const nodes: NodeRecord[] = [];
    for (const nodeId of brokers) nodes.push(await brokerOf(registries, nodeId, call));
    const { rate: clientsPerSecond, to: toBroker = 0, permanent = false } = flags;
    const request = { clientsPerSecond, toBroker, permanent };
    const begun: broker.DrainStatus[] = [];
    for (const node of nodes) {
      begun.push(await onBroker(flags, node, (on) => on.drain(request, call)));
    }
    for (const [index, node] of nodes.entries()) {
      const { nodeId } = node;
      const first = begun[index] as broker.DrainStatus;
      const drained = await onBroker(flags, node, (on) => untilEmpty(on, { nodeId, first, call }));
      print(
        flags.output === 'json'
          ? JSON.stringify({ broker: nodeId, ...drained })
          : `broker ${nodeId} is drained: ${drained.sentAway} clients sent away; it can be stopped`,
      );
    }
  });
}

/** `node undrain`: brokers let clients in again. */
export function runUndrain(brokers: readonly number[], flags: ClusterFlags): Promise<void> {
  return withRegistries(flags, async (registries, call) => {
    for (const nodeId of brokers) {
      const node = await brokerOf(registries, nodeId, call);
      const status = await onBroker(flags, node, (on) => on.undrain({}, call));
      print(
        flags.output === 'json'
          ? JSON.stringify({ broker: nodeId, ...status })
          : `broker ${nodeId} lets clients in`,
      );
    }
  });
}

async function untilEmpty(
  on: BrokerClient,
  {
    nodeId,
    first,
    call,
  }: {
    readonly nodeId: number;
    readonly first: broker.DrainStatus;
    readonly call: CallOptions;
  },
): Promise<broker.DrainStatus> {
  let status = first;
  let changedMs = performance.now();
  while (status.clients > 0 || status.sessions > 0) {
    const { sentAway, clients, sessions } = status;
    note(`broker ${nodeId}: ${sentAway} sent away, ${clients} clients, ${sessions} sessions`);
    await sleep(POLL_MS);
    const now = await on.getDrain({}, call);
    if (!now.draining) throw new CommandError(ExitCode.failed, 'somebody has ended the drain');
    if (now.clients !== status.clients || now.sessions !== status.sessions) {
      changedMs = performance.now();
    } else if (performance.now() - changedMs > STUCK_MS) {
      throw new CommandError(
        ExitCode.timedOut,
        `${now.clients} clients and ${now.sessions} sessions are still there, and none has left for ${STUCK_MS / 1000} s; the drain goes on`,
      );
    }
    status = now;
  }
  return status;
}
