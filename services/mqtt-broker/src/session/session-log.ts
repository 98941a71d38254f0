import type { BrokerContext } from '../broker-context.ts';
import { OPERATION } from '../durable/operations.ts';
import type { ClientSession } from './client-session.ts';
import { encodeSession, encodeSubscription, encodeTerms } from './session-record.ts';

/** What changes of a durable session but its exchanges, durable with the open commit group. */

/** It is new: all of it. */
export function logSession(context: BrokerContext, session: ClientSession): void {
  log(context, session, OPERATION.session, encodeSession(session));
}

/** A connection came or went; what it subscribed to is as it was. */
export function logTerms(context: BrokerContext, session: ClientSession): void {
  if (context.log.stateIsPartial) logSession(context, session);
  else log(context, session, OPERATION.terms, encodeTerms(session));
}

/** One subscription came, went or has other options: the cost does not follow their number. */
export function logSubscription(context: BrokerContext, session: ClientSession, key: string): void {
  const subscription = session.subscriptions.get(key);
  // What a change builds on may have been lost to a full disk.
  if (context.log.stateIsPartial) logSession(context, session);
  else if (subscription === undefined) {
    log(context, session, OPERATION.unsubscribed, new TextEncoder().encode(key));
  } else log(context, session, OPERATION.subscribed, encodeSubscription(key, subscription));
}

function log(
  context: BrokerContext,
  session: ClientSession,
  code: number,
  record: Uint8Array,
): void {
  context.log.operations.ofSession(code, session.number, record);
  context.markDirty(session);
}
