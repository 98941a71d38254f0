import type { Subscription } from '@robustmq/broker';
import type { BrokerContext } from '../broker-context.ts';
import { consumerOf, embeddedGroups } from './embedded-log.ts';

/**
 * Moves every place that lies beyond the end of the journal back to it. Offsets that were promised to
 * a batch which the journal then refused, or which did not survive a crash, are given out again: who
 * kept a higher place would not see the messages that get them.
 */
export function rewindTo(context: BrokerContext, next: number): void {
  for (const session of context.sessions.all()) {
    consumerOf(session)?.rewindTo(next);
    for (const subscription of session.subscriptions.values()) rewindSince(subscription, next);
  }
  embeddedGroups(context).rewindTo(next);
}

function rewindSince(subscription: Subscription, next: number): void {
  if (subscription.since <= next) return;
  const { qos, noLocal, retainAsPublished, retainHandling, identifier } = subscription;
  subscription.change({ qos, noLocal, retainAsPublished, retainHandling, identifier, since: next });
}
