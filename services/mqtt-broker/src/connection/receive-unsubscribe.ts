import { ReasonCode, type Unsubscribe } from '@robustmq/mqtt-codec';
import { parseSubscriptionFilter } from '@robustmq/topic';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { ClientConnection } from './client-connection.ts';

/**
 * An UNSUBSCRIBE: nothing new begins (MQTT-5.0 [MQTT-3.10.4-2]), open exchanges go on
 * ([MQTT-3.10.4-3]). Each filter counts as if it came alone ([MQTT-3.10.4-6]); UNSUBACK always comes
 * ([MQTT-3.10.4-4]) and carries one code each, in order ([MQTT-3.11.3-1]).
 */
export function receiveUnsubscribe(connection: ClientConnection, unsubscribe: Unsubscribe): void {
  const { context } = connection;
  const session = connection.session as ClientSession;
  context.counters.unsubscribeReceived += 1;
  const reasonCodes = unsubscribe.filters.map((filter) =>
    unsubscribeOne(connection, session, filter),
  );
  const answer = (): void => {
    context.counters.unsubackSent += 1;
    connection.send({
      kind: 'unsuback',
      // MQTT-5.0 [MQTT-2.2.1-6], [MQTT-3.10.4-5].
      packetIdentifier: unsubscribe.packetIdentifier,
      reasonCodes: connection.version === 5 ? reasonCodes : [],
      properties: {},
    });
  };
  if (session.durable) {
    for (const [index, filter] of unsubscribe.filters.entries()) {
      if (reasonCodes[index] === ReasonCode.success)
        context.log.subscriptionChanged(session, filter);
    }
    // Not durable, so not said: the client asks again over its next connection.
    context.log.afterCommit((committed) => {
      if (committed) answer();
      else connection.close(ReasonCode.quotaExceeded, 'the journal is full');
    });
  } else answer();
  context.presence.unsubscribed(session, unsubscribe.filters);
}

function unsubscribeOne(
  connection: ClientConnection,
  session: ClientSession,
  filter: string,
): number {
  const { context } = connection;
  // Compared character by character (MQTT-5.0 [MQTT-3.10.4-1]).
  if (removeSubscription(context, session, filter)) return ReasonCode.success;
  const parsed = parseSubscriptionFilter(filter, context.settings.limits);
  return parsed.ok ? ReasonCode.noSubscriptionExisted : ReasonCode.topicFilterInvalid;
}

/** @param key  the filter as subscribed. @returns whether there was one */
export function removeSubscription(
  context: BrokerContext,
  session: ClientSession,
  key: string,
): boolean {
  const subscription = session.removeSubscription(key);
  if (subscription === undefined) return false;
  context.router.unsubscribe(subscription);
  if (subscription.group !== null) context.groups.memberLeft(subscription.group);
  session.consumer?.filtersChanged();
  return true;
}
