import { setTimeout as sleep } from 'node:timers/promises';
import type { CallOptions } from '@robustmq/placement';
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
}

/** `node drain`: sends the clients of a broker to others, and waits until none is left. */
export function runDrain(nodeId: number, flags: DrainFlags): Promise<void> {
  return withRegistries(flags, async (registries, call) => {
    const node = await brokerOf(registries, nodeId, call);
    await onBroker(flags, node, async (on) => {
      const request = { clientsPerSecond: flags.rate, toBroker: flags.to ?? 0 };
      const begun = await on.drain(request, call);
      const drained = await untilEmpty(on, begun, call);
      print(
        flags.output === 'json'
          ? JSON.stringify({ broker: nodeId, ...drained })
          : `broker ${nodeId} is drained: ${drained.sentAway} clients sent away; it can be stopped`,
      );
    });
  });
}

/** `node undrain`: the broker lets clients in again. */
export function runUndrain(nodeId: number, flags: ClusterFlags): Promise<void> {
  return withRegistries(flags, async (registries, call) => {
    const node = await brokerOf(registries, nodeId, call);
    const status = await onBroker(flags, node, (on) => on.undrain({}, call));
    print(
      flags.output === 'json'
        ? JSON.stringify({ broker: nodeId, ...status })
        : `broker ${nodeId} lets clients in`,
    );
  });
}

async function untilEmpty(
  on: BrokerClient,
  begun: broker.DrainStatus,
  call: CallOptions,
): Promise<broker.DrainStatus> {
  let status = begun;
  let changedMs = performance.now();
  while (status.clients > 0 || status.sessions > 0) {
    note(`${status.sentAway} sent away, ${status.clients} clients, ${status.sessions} sessions`);
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
