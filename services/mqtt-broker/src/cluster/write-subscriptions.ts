import type { Revision } from '@robustmq/placement';
import type { SubscriptionRecord } from '@robustmq/placement-registry';
import type { ClientSession } from '../session/client-session.ts';
import type { ClusterEdges } from './cluster-edges.ts';

const SUBSCRIPTIONS_PER_CHANGE = 100;

/**
 * Stores subscriptions of a durable session as they are now.
 *
 * @returns the revision that holds them
 * @throws RegistryError REGISTRY_FENCED when somebody else owns the session; PlacementError
 */
export async function writeSubscriptions(
  { registries, settings }: ClusterEdges,
  session: ClientSession,
  keys: readonly string[],
): Promise<Revision> {
  const records: SubscriptionRecord[] = [];
  for (const topicFilter of keys) {
    const subscription = session.subscriptions.get(topicFilter);
    if (subscription === undefined) continue;
    const { qos, noLocal, retainAsPublished, retainHandling, identifier } = subscription;
    const subscriptionIdentifier = identifier === 0 ? null : identifier;
    const terms = { qos, noLocal, retainAsPublished, retainHandling, subscriptionIdentifier };
    records.push({ topicFilter, ...terms });
  }
  const owner = { clientId: session.clientId, epoch: session.ownerEpoch };
  const call = { deadlineMs: settings.callDeadlineMs, signal: null };
  let newest = 0;
  for (let first = 0; first < records.length; first += SUBSCRIPTIONS_PER_CHANGE) {
    const some = records.slice(first, first + SUBSCRIPTIONS_PER_CHANGE);
    newest = Math.max(newest, await registries.subscriptions.subscribe(owner, some, call));
  }
  return newest as Revision;
}
