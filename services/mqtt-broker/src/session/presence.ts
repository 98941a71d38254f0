import type { SubscriptionRequest } from '@robustmq/mqtt-codec';
import type { ClientSession } from './client-session.ts';

/** Told of clients that come, go, subscribe and unsubscribe; publishes it below `$SYS`. */
export interface Presence {
  connected(session: ClientSession): void;
  disconnected(session: ClientSession, reason: string): void;
  subscribed(session: ClientSession, subscriptions: readonly SubscriptionRequest[]): void;
  unsubscribed(session: ClientSession, filters: readonly string[]): void;
}
