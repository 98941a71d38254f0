import type { Page, SubscriptionRecord } from '@robustmq/placement-registry';
import type { ClusterEdges } from './cluster-edges.ts';
import type { StoredSubscription } from './contract.ts';

/** What a session is subscribed to, as the placement center has it. @throws PlacementError */
export async function storedSubscriptions(
  { registries, settings }: ClusterEdges,
  clientId: string,
): Promise<readonly StoredSubscription[]> {
  const call = { deadlineMs: settings.callDeadlineMs, signal: null };
  const found: StoredSubscription[] = [];
  let after: string | null = null;
  do {
    const request = { after, limit: 500 };
    const page: Page<SubscriptionRecord> = await registries.subscriptions.list(
      clientId,
      request,
      call,
    );
    for (const { value } of page.items) found.push(storedOf(value));
    after = page.next;
  } while (after !== null);
  return found;
}

function storedOf(record: SubscriptionRecord): StoredSubscription {
  return {
    key: record.topicFilter,
    qos: record.qos,
    noLocal: record.noLocal,
    retainAsPublished: record.retainAsPublished,
    retainHandling: record.retainHandling as 0 | 1 | 2,
    identifier: record.subscriptionIdentifier ?? 0,
  };
}
