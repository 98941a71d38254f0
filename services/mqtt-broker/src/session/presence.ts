import type { SubscriptionRequest } from '@robustmq/mqtt-codec';
import type { ClientConnection } from '../connection/client-connection.ts';
import type { ClientSession } from './client-session.ts';

/** What CONNECT asked for, and what was there. */
export interface ConnectFacts {
  readonly cleanStart: boolean;
  readonly sessionPresent: boolean;
}

/** Told of clients that come, go, subscribe and unsubscribe; publishes it below `$SYS`. */
export interface Presence {
  /** After CONNACK. */
  connected(session: ClientSession, facts: ConnectFacts): void;
  /** Once for each `connected`; `connection` is the one that ended. */
  disconnected(session: ClientSession, connection: ClientConnection): void;
  subscribed(session: ClientSession, subscriptions: readonly SubscriptionRequest[]): void;
  unsubscribed(session: ClientSession, filters: readonly string[]): void;
}
