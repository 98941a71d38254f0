import { ReasonCode, type Unsubscribe } from '@robustmq/mqtt-codec';
import { parseSubscriptionFilter } from '@robustmq/topic';
import type { BrokerContext } from '../broker-context.ts';
import type { BrokerCluster } from '../cluster/contract.ts';
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
  const spread = (): void => {
    if (context.cluster === null) answer();
    else
      spreadLoss(context.cluster, connection, {
        keys: removedOf(unsubscribe, reasonCodes),
        answer,
      });
  };
  if (session.durable) {
    for (const [index, filter] of unsubscribe.filters.entries()) {
      if (reasonCodes[index] === ReasonCode.success)
        context.log.subscriptionChanged(session, filter);
    }
    // Not durable, so not said: the client asks again over its next connection.
    context.log.afterCommit((committed) => {
      if (committed) spread();
      else connection.close(ReasonCode.quotaExceeded, 'the journal is full');
    }, session);
  } else spread();
  context.presence.unsubscribed(session, unsubscribe.filters);
}

function removedOf(unsubscribe: Unsubscribe, codes: readonly number[]): readonly string[] {
  return unsubscribe.filters.filter((_, index) => codes[index] === ReasonCode.success);
}

/** For a durable session UNSUBACK waits until nobody keeps messages for it any more. */
function spreadLoss(
  cluster: BrokerCluster,
  connection: ClientConnection,
  then: { readonly keys: readonly string[]; readonly answer: () => void },
): void {
  cluster
    .unsubscribed(connection.session as ClientSession, then.keys)
    .then(({ outcome }) => {
      if (outcome !== 'refused') then.answer();
      // Not stored, so not said: the client asks again over its next connection.
      else connection.close(ReasonCode.serverBusy, 'the placement center does not answer');
    })
    .catch((error: unknown) => connection.context.fatal('an UNSUBSCRIBE', error));
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
