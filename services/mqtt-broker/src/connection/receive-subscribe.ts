import { Subscription, type SubscriptionOptions } from '@robustmq/broker';
import { ReasonCode, type Subscribe, type SubscriptionRequest } from '@robustmq/mqtt-codec';
import { hasWildcard, parseSubscriptionFilter, type SubscriptionFilter } from '@robustmq/topic';
import { RetainedReplay } from '../session/retained-replay.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { ClientConnection } from './client-connection.ts';

/**
 * A SUBSCRIBE (MQTT-5.0 [MQTT-3.8.4-1]): each filter is judged alone, as if it came alone
 * ([MQTT-3.8.4-5]); SUBACK carries one code each ([MQTT-3.8.4-6]), in order ([MQTT-3.9.3-1]).
 * For a durable session SUBACK leaves when the subscriptions are durable.
 */
export function receiveSubscribe(connection: ClientConnection, subscribe: Subscribe): void {
  const { context } = connection;
  const session = connection.session as ClientSession;
  context.counters.subscribeReceived += 1;
  const fault = faultOf(connection, subscribe);
  if (fault !== null) {
    connection.close(fault.reasonCode, fault.reason);
    return;
  }
  const replays: RetainedReplay[] = [];
  const identifier = subscribe.properties.subscriptionIdentifiers?.[0] ?? 0;
  const reasonCodes = subscribe.subscriptions.map((request) =>
    subscribeOne(connection, session, { request, identifier, replays }),
  );
  const answer = (): void => {
    context.counters.subackSent += 1;
    connection.send({
      kind: 'suback',
      // MQTT-5.0 [MQTT-2.2.1-6], [MQTT-3.8.4-2].
      packetIdentifier: subscribe.packetIdentifier,
      reasonCodes: connection.version === 5 ? reasonCodes : reasonCodes.map(toReturnCode),
      properties: {},
    });
    for (const replay of replays) replay.start();
  };
  if (session.durable) {
    session.logSession();
    context.log.afterCommit(answer);
  } else answer();
  context.presence.subscribed(session, subscribe.subscriptions);
}

function faultOf(
  connection: ClientConnection,
  subscribe: Subscribe,
): { readonly reasonCode: number; readonly reason: string } | null {
  const { protocol, limits } = connection.context.settings;
  if (subscribe.subscriptions.length > limits.filtersPerSubscribeMax) {
    return {
      reasonCode: ReasonCode.quotaExceeded,
      reason: `${subscribe.subscriptions.length} filters in one SUBSCRIBE exceed ${limits.filtersPerSubscribeMax}`,
    };
  }
  const identified = subscribe.properties.subscriptionIdentifiers !== undefined;
  if (identified && !protocol.subscriptionIdentifiersAvailable) {
    return {
      reasonCode: ReasonCode.subscriptionIdentifiersNotSupported,
      reason: 'subscription identifiers are not available',
    };
  }
  // MQTT-5.0 [MQTT-3.8.3-4].
  if (subscribe.subscriptions.some(({ filter, noLocal }) => noLocal && isShared(filter))) {
    return { reasonCode: ReasonCode.protocolError, reason: 'no local on a shared subscription' };
  }
  return null;
}

function isShared(filter: string): boolean {
  return filter.startsWith('$share/') || filter.startsWith('$queue/');
}

/** @returns the reason code for SUBACK */
function subscribeOne(
  connection: ClientConnection,
  session: ClientSession,
  ask: {
    readonly request: SubscriptionRequest;
    readonly identifier: number;
    readonly replays: RetainedReplay[];
  },
): number {
  const { context } = connection;
  const { request } = ask;
  const parsed = parseSubscriptionFilter(request.filter, context.settings.limits);
  if (!parsed.ok) return ReasonCode.topicFilterInvalid;
  const refusal = refusalOf(connection, session, request.filter, parsed.value);
  if (refusal !== 0) return refusal;
  // Granted is what is offered (MQTT-5.0 [MQTT-3.8.4-7]); asking for more is no fault ([MQTT-3.2.2-10]).
  const qos = Math.min(request.qos, context.settings.protocol.maximumQos);
  const isNew = put(session, connection, {
    key: request.filter,
    parsed: parsed.value,
    options: {
      qos,
      noLocal: request.noLocal,
      retainAsPublished: request.retainAsPublished,
      retainHandling: request.retainHandling,
      identifier: ask.identifier,
      // An ephemeral session has no place in the journal.
      since: session.durable ? context.log.nextOffset : 0,
    },
  });
  const subscription = session.subscriptions.get(request.filter);
  // MQTT-5.0 [MQTT-3.3.1-9], [MQTT-3.3.1-10], [MQTT-3.3.1-11]: handling 1 only when the subscription is
  // new; never for shared ones (MQTT-5.0 §4.8.2).
  const replay =
    parsed.value.shareName === null &&
    (request.retainHandling === 0 || (request.retainHandling === 1 && isNew));
  if (replay && subscription !== undefined && context.retained.count > 0) {
    ask.replays.push(new RetainedReplay(context, session, subscription));
  }
  return qos;
}

function refusalOf(
  connection: ClientConnection,
  session: ClientSession,
  key: string,
  parsed: SubscriptionFilter,
): number {
  const { access, counters } = connection.context;
  const { protocol, limits } = connection.context.settings;
  if (parsed.shareName !== null && !protocol.sharedSubscriptionAvailable) {
    return ReasonCode.sharedSubscriptionsNotSupported;
  }
  if (!protocol.wildcardSubscriptionAvailable && hasWildcard(parsed.filter)) {
    return ReasonCode.wildcardSubscriptionsNotSupported;
  }
  if (protocol.refusedSubscriptions.includes(parsed.filter)) return ReasonCode.unspecifiedError;
  if (
    !access.unrestricted &&
    !session.superuser &&
    !access.maySubscribe(session.identity, parsed.filter)
  ) {
    counters.aclFailed += 1;
    return ReasonCode.notAuthorized;
  }
  if (
    session.subscriptions.size >= limits.subscriptionsPerClientMax &&
    !session.subscriptions.has(key)
  ) {
    return ReasonCode.quotaExceeded;
  }
  return 0;
}

/**
 * Adds or replaces (MQTT-5.0 [MQTT-3.8.4-3]), without a gap ([MQTT-3.8.4-4]).
 *
 * @returns whether it is new
 */
function put(
  session: ClientSession,
  connection: ClientConnection,
  ask: {
    readonly key: string;
    readonly parsed: SubscriptionFilter;
    readonly options: SubscriptionOptions;
  },
): boolean {
  const { router } = connection.context;
  const known = session.subscriptions.get(ask.key);
  if (known !== undefined) {
    const { since, ...changed } = ask.options;
    // What came while it was of QoS 0 is not in the journal for it.
    const begins = known.qos === 0 && changed.qos > 0;
    known.change(begins ? { ...changed, since } : changed);
    router.changed(known.filter);
    if (known.group !== null) connection.context.groups.memberChanged(known.group, known);
    session.consumer?.filtersChanged();
    return false;
  }
  const subscription = new Subscription(ask.parsed.filter, session, ask.options);
  session.addSubscription(ask.key, subscription);
  router.subscribe(subscription, ask.parsed.shareName);
  if (subscription.group !== null) {
    session.noteGroups();
    connection.context.groups.memberJoined(subscription.group);
  }
  session.consumer?.filtersChanged();
  return true;
}

/** 3.1.1 knows one failure code; 3.1 none, but no better answer either. */
function toReturnCode(reasonCode: number): number {
  return reasonCode >= 0x80 ? 0x80 : reasonCode;
}
