import { ReasonCode, type Unsubscribe } from '@robustmq/mqtt-codec';
import { parseSubscriptionFilter } from '@robustmq/topic';
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
    session.logSession();
    context.log.afterCommit(answer);
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
  const subscription = session.removeSubscription(filter);
  if (subscription === undefined) {
    const parsed = parseSubscriptionFilter(filter, context.settings.limits);
    return parsed.ok ? ReasonCode.noSubscriptionExisted : ReasonCode.topicFilterInvalid;
  }
  context.router.unsubscribe(subscription);
  if (subscription.group !== null) context.groups.memberLeft(subscription.group);
  session.consumer?.filtersChanged();
  return ReasonCode.success;
}
