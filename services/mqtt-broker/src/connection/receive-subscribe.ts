import { Subscription, type SubscriptionOptions } from '@robustmq/broker';
import { ReasonCode, type Subscribe, type SubscriptionRequest } from '@robustmq/mqtt-codec';
import { hasWildcard, parseSubscriptionFilter, type SubscriptionFilter } from '@robustmq/topic';
import type { BrokerContext } from '../broker-context.ts';
import type { BrokerCluster } from '../cluster/contract.ts';
import { RetainedReplay } from '../session/retained-replay.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { ClientConnection } from './client-connection.ts';
import { removeSubscription } from './receive-unsubscribe.ts';

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
  const replays: Subscription[] = [];
  const granted: Granted[] = [];
  const identifier = subscribe.properties.subscriptionIdentifiers?.[0] ?? 0;
  const reasonCodes = subscribe.subscriptions.map((request) =>
    subscribeOne(connection, session, { request, identifier, replays, granted }),
  );
  const answer = (codes: readonly number[]): void => {
    context.counters.subackSent += 1;
    connection.send({
      kind: 'suback',
      // MQTT-5.0 [MQTT-2.2.1-6], [MQTT-3.8.4-2].
      packetIdentifier: subscribe.packetIdentifier,
      reasonCodes: connection.version === 5 ? codes : codes.map(toReturnCode),
      properties: {},
    });
  };
  const start = (): void => {
    if (replays.length === 0) {
      answer(reasonCodes);
      return;
    }
    context.log.afterRetained(() => {
      answer(reasonCodes);
      // Another connection has subscribed anew, or not at all.
      if (session.connection !== connection) return;
      for (const each of replays) new RetainedReplay(context, session, each).start();
    });
  };
  const refuse = (reasonCode: ReasonCode): void =>
    answer(takeBack(session, connection, { reasonCodes, granted, reasonCode }));
  const spread = (): void => {
    if (context.cluster === null) start();
    else spreadInterest(context.cluster, connection, { granted, start, refuse });
  };
  if (session.durable) {
    for (const { request } of granted) context.log.subscriptionChanged(session, request.filter);
    context.log.afterCommit((committed) => {
      if (committed) spread();
      else refuse(ReasonCode.quotaExceeded);
    }, session);
  } else spread();
  context.presence.subscribed(session, subscribe.subscriptions);
}

/** SUBACK waits until the other brokers know what is wanted here. */
function spreadInterest(
  cluster: BrokerCluster,
  connection: ClientConnection,
  then: {
    readonly granted: readonly Granted[];
    readonly start: () => void;
    readonly refuse: (reasonCode: ReasonCode) => void;
  },
): void {
  const session = connection.session as ClientSession;
  const keys = then.granted.map(({ request }) => request.filter);
  cluster
    .subscribed(session, keys)
    .then(({ outcome }) => {
      if (connection.phase === 'closed') return;
      if (outcome === 'refused') then.refuse(ReasonCode.unspecifiedError);
      else then.start();
    })
    .catch((error: unknown) => connection.context.fatal('a subscription', error));
}

/** A subscription as it was before a SUBSCRIBE granted it; null: there was none. */
interface Granted {
  readonly request: SubscriptionRequest;
  readonly before: SubscriptionOptions | null;
}

/**
 * What was granted could not be stored, so nothing of it would outlive a crash: none of it is granted.
 * What the session had before stays.
 *
 * @returns the codes for SUBACK: `reasonCode` instead of success (MQTT-5.0 §3.9.3; for 3.1.1 0x80)
 */
function takeBack(
  session: ClientSession,
  connection: ClientConnection,
  refused: {
    readonly reasonCodes: readonly number[];
    readonly granted: readonly Granted[];
    readonly reasonCode: ReasonCode;
  },
): readonly number[] {
  const { context } = connection;
  for (const { request, before } of refused.granted.toReversed()) {
    const subscription = session.subscriptions.get(request.filter);
    if (subscription === undefined) continue;
    if (before === null) removeSubscription(context, session, request.filter);
    else changeOptions(context, subscription, before);
    session.consumer?.filtersChanged();
  }
  const gone = refused.granted.filter(({ before }) => before === null);
  // Whether they were stored or not: they are not wanted here.
  void context.cluster?.unsubscribed(
    session,
    gone.map(({ request }) => request.filter),
  );
  return refused.reasonCodes.map((code) => (code < 0x80 ? refused.reasonCode : code));
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
    readonly replays: Subscription[];
    readonly granted: Granted[];
  },
): number {
  const { context } = connection;
  const { request } = ask;
  const before = optionsOf(session.subscriptions.get(request.filter));
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
      since: session.durable ? context.log.subscriptionStart(session) : 0,
    },
  });
  ask.granted.push({ request, before });
  const subscription = session.subscriptions.get(request.filter);
  // MQTT-5.0 [MQTT-3.3.1-9], [MQTT-3.3.1-10], [MQTT-3.3.1-11]: handling 1 only when the subscription is
  // new; never for shared ones (MQTT-5.0 §4.8.2).
  const replay =
    parsed.value.shareName === null &&
    (request.retainHandling === 0 || (request.retainHandling === 1 && isNew));
  if (replay && subscription !== undefined) ask.replays.push(subscription);
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
  if (!session.superuser && !access.maySubscribe(session.identity, parsed.filter)) {
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
    changeOptions(connection.context, known, begins ? { ...changed, since } : changed);
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

function changeOptions(
  context: BrokerContext,
  subscription: Subscription,
  options: Omit<SubscriptionOptions, 'since'> & { readonly since?: number },
): void {
  subscription.change(options);
  context.router.changed(subscription.filter);
  if (subscription.group !== null) context.groups.memberChanged(subscription.group, subscription);
}

function optionsOf(subscription: Subscription | undefined): SubscriptionOptions | null {
  if (subscription === undefined) return null;
  const { qos, noLocal, retainAsPublished, retainHandling, identifier, since } = subscription;
  return { qos, noLocal, retainAsPublished, retainHandling, identifier, since };
}

/** 3.1.1 knows one failure code; 3.1 none, but no better answer either. */
function toReturnCode(reasonCode: number): number {
  return reasonCode >= 0x80 ? 0x80 : reasonCode;
}
