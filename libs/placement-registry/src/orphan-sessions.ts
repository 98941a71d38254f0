/**
 * Releases the sessions that a dead broker owned, so that their clients are seen as away: session
 * expiry and will delay then count from here (MQTT-5.0 §3.1.2.11.2, §3.1.3.2.2).
 *
 * What else a dead node leaves behind (routes, group members) is bound to its lease and needs no one.
 *
 * An owner is dead when its incarnation is not registered: it never is again, because a node that comes
 * back takes the next incarnation. Each release names the epoch that was found, so a session that
 * somebody took over meanwhile is left alone.
 */

import type { Clock } from '@robustmq/environment';
import type { CallOptions } from '@robustmq/placement';
import type { Controller } from './controller.ts';
import type { NodeRegistry } from './node-registry.ts';
import type { Page, Stored } from './record-table.ts';
import { RegistryError } from './registry-error.ts';
import type { OwnerName, Ownership, SessionRegistry } from './session-registry.ts';

/** What the loop reads and writes. */
export interface OrphanSessionsOptions {
  readonly nodes: NodeRegistry;
  readonly sessions: SessionRegistry;
  readonly clock: Clock;
  /** For each of its steps. */
  readonly call: CallOptions;
}

/** Looks at every owner at the start and whenever a broker goes or comes back. */
export function orphanSessions(options: OrphanSessionsOptions): Controller {
  return {
    name: 'orphan-sessions',
    run: async (signal) => {
      const watch = options.nodes.watch({ within: ['mqtt-broker'], call: options.call });
      const cancel = (): void => watch.cancel();
      signal.addEventListener('abort', cancel, { once: true });
      try {
        for await (const _change of watch) {
          await releaseOrphans(options, signal);
          if (signal.aborted) return;
        }
      } finally {
        signal.removeEventListener('abort', cancel);
        watch.cancel();
      }
    },
  };
}

/** One look at every owner. @returns how many sessions were released */
export async function releaseOrphans(
  options: OrphanSessionsOptions,
  signal: AbortSignal,
): Promise<number> {
  const { nodes, sessions, call } = options;
  let released = 0;
  for (const owner of await sessions.listOwners(call)) {
    if (signal.aborted) break;
    // Read one by one, after the owners: who registers from here on has another incarnation.
    const isOver = await nodes.isOver({ clusterType: 'mqtt-broker', ...owner }, call);
    if (isOver) released += await releaseAllOf(owner, options, signal);
  }
  return released;
}

async function releaseAllOf(
  owner: OwnerName,
  options: OrphanSessionsOptions,
  signal: AbortSignal,
): Promise<number> {
  let released = 0;
  let after: string | null = null;
  do {
    const request = { after, limit: 500 };
    const page: Page<Ownership> = await options.sessions.listOwned(owner, request, options.call);
    for (const owned of page.items) {
      if (signal.aborted) return released;
      if (await releaseOrphan(owned, options)) released += 1;
    }
    after = page.next;
  } while (after !== null);
  return released;
}

async function releaseOrphan(
  owned: Stored<Ownership>,
  { sessions, clock, call }: OrphanSessionsOptions,
): Promise<boolean> {
  const clientId = owned.names.at(-1) ?? '';
  try {
    await sessions.release({ clientId, epoch: owned.value.epoch }, clock.nowMs(), call);
    return true;
  } catch (error) {
    if (error instanceof RegistryError && error.fault.code === 'REGISTRY_FENCED') return false;
    throw error;
  }
}
