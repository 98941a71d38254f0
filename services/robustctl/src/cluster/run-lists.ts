import type { ListFlags } from './cluster-flags.ts';
import { type ListLayout, printPages } from './paged-list.ts';
import { withRegistries } from './with-registries.ts';
import type { RouteRecord, SessionRecord, SubscriptionRecord } from '@robustmq/placement-registry';

/** `session list`: every durable session, wherever its client is. */
export function runSessionList(flags: ListFlags): Promise<void> {
  return withRegistries(flags, (registries, call) =>
    printPages(flags, SESSIONS, (page) => registries.sessions.list(page, call)),
  );
}

/** `subscription list [CLIENT]`: what durable sessions are subscribed to. */
export function runSubscriptionList(clientId: string | undefined, flags: ListFlags): Promise<void> {
  return withRegistries(flags, (registries, call) =>
    printPages(flags, SUBSCRIPTIONS, (page) =>
      registries.subscriptions.list(clientId ?? null, page, call),
    ),
  );
}

/** `route list`: which brokers have an online subscriber for which filter. */
export function runRouteList(flags: ListFlags): Promise<void> {
  return withRegistries(flags, (registries, call) =>
    printPages(flags, ROUTES, (page) => registries.routes.list(page, call)),
  );
}

const SESSIONS: ListLayout<SessionRecord> = {
  heading: ['client', 'broker', 'epoch', 'expires after', 'since'],
  row: (session) => [
    session.clientId,
    session.owner === null ? '-' : String(session.owner.nodeId),
    String(session.epoch),
    expiryText(session.sessionExpirySeconds),
    timeText(session.owner === null ? session.disconnectedAtMs : session.connectedAtMs),
  ],
  record: (session) => session,
};

const SUBSCRIPTIONS: ListLayout<SubscriptionRecord> = {
  heading: ['client', 'QoS', 'filter'],
  row: (subscription, names) => [
    names[0] ?? '',
    String(subscription.qos),
    subscription.topicFilter,
  ],
  record: (subscription, names) => ({ clientId: names[0], ...subscription }),
};

const ROUTES: ListLayout<RouteRecord> = {
  heading: ['broker', 'filter'],
  row: ({ nodeId }, names) => [String(nodeId), names[0] ?? ''],
  record: (route, names) => ({ topicFilter: names[0], ...route }),
};

/** MQTT-5.0 §3.1.2.11.2. */
function expiryText(seconds: number): string {
  return seconds === 0xffff_ffff ? 'never' : `${seconds} s`;
}

export function timeText(ms: number | null): string {
  return ms === null ? '-' : new Date(ms).toISOString();
}
