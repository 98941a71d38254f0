import type { ClusterWorld } from './cluster-world.ts';

/**
 * Looks into the brokers for a durable session that two of them own by the same epoch. A lower epoch may
 * stand beside a higher one for a moment: whatever it writes is refused.
 *
 * @returns what does not hold
 */
export function checkOwnership({ brokers }: ClusterWorld): string | null {
  const owners = new Map<string, number>();
  for (const { nodeId, context, edges } of brokers.values()) {
    if (!edges.life.isAlive) continue;
    for (const { clientId, ownerEpoch } of context.sessions.all()) {
      if (ownerEpoch === 0) continue;
      const key = `${clientId} by epoch ${ownerEpoch}`;
      const other = owners.get(key);
      if (other !== undefined) return `brokers ${other} and ${nodeId} both own ${key}`;
      owners.set(key, nodeId);
    }
  }
  return null;
}

/**
 * When nothing is going on any more: every client is connected to one broker, and nothing waits anywhere.
 *
 * @returns what does not hold
 */
export function checkRest({ brokers }: ClusterWorld): string | null {
  const homes = new Map<string, number>();
  for (const { nodeId, context } of brokers.values()) {
    if (context.queuedBytes > 0) return `broker ${nodeId} has ${context.queuedBytes} bytes queued`;
    if (!context.log.isSettled) return `broker ${nodeId} has appends under way`;
    for (const session of context.sessions.all()) {
      const { clientId } = session;
      const other = homes.get(clientId);
      if (other !== undefined) return `${clientId} has a session at brokers ${other} and ${nodeId}`;
      homes.set(clientId, nodeId);
      const open = session.hasWindow ? session.window.count : 0;
      if (open > 0) return `${clientId} has ${open} exchanges open at broker ${nodeId}`;
    }
  }
  return null;
}
