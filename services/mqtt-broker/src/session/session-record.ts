import type { Subscription } from '@robustmq/broker';
import { ExchangeState } from '@robustmq/mqtt-session';
import { consumerOf } from '../durable/embedded-log.ts';
import { FieldReader, FieldWriter } from '../durable/operations.ts';
import type { ClientSession } from './client-session.ts';

/**
 * A durable session as bytes: identity, terms and subscriptions. What changes with every message
 * (exchanges, receipts, place in the journal) follows in the *state*, which only checkpoints hold;
 * between two checkpoints the journal's operations tell it.
 *
 *     text client id | u8 1: has user, 2: superuser | text user | u32 expiry s | f64 epoch | f64 expires at
 *     | u32 count x (text key | u8 options | u32 identifier | f64 since)
 */
export interface SessionRecord extends SessionTerms {
  readonly subscriptions: readonly SubscriptionRecord[];
}

/** The first line of the above. */
export interface SessionTerms {
  readonly clientId: string;
  readonly username: string | null;
  readonly superuser: boolean;
  readonly sessionExpirySeconds: number;
  readonly epoch: number;
  readonly expiresAtMs: number;
}

export interface SubscriptionRecord {
  /** As subscribed, `$share/…` prefix included. */
  readonly key: string;
  readonly qos: number;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
  readonly identifier: number;
  readonly since: number;
}

export function encodeSession(session: ClientSession): Uint8Array {
  const writer = new FieldWriter();
  writeTerms(writer, session);
  writer.u32(session.subscriptions.size);
  for (const [key, subscription] of session.subscriptions) {
    writeSubscription(writer, key, subscription);
  }
  return writer.finish();
}

export function decodeSession(bytes: Uint8Array): SessionRecord {
  const reader = new FieldReader(bytes);
  const terms = readTerms(reader);
  const subscriptions: SubscriptionRecord[] = [];
  for (let left = reader.u32(); left > 0; left -= 1) subscriptions.push(readSubscription(reader));
  return { ...terms, subscriptions };
}

/** What a session is but its subscriptions: all that a connection changes. */
export function encodeTerms(session: ClientSession): Uint8Array {
  const writer = new FieldWriter();
  writeTerms(writer, session);
  return writer.finish();
}

export function decodeTerms(bytes: Uint8Array): SessionTerms {
  return readTerms(new FieldReader(bytes));
}

export function encodeSubscription(key: string, subscription: Subscription): Uint8Array {
  const writer = new FieldWriter();
  writeSubscription(writer, key, subscription);
  return writer.finish();
}

export function decodeSubscription(bytes: Uint8Array): SubscriptionRecord {
  return readSubscription(new FieldReader(bytes));
}

function writeTerms(writer: FieldWriter, session: ClientSession): void {
  const { username } = session.identity;
  writer
    .text(session.clientId)
    .u8((username === null ? 0 : 1) | (session.superuser ? 2 : 0))
    .text(username ?? '')
    .u32(session.sessionExpirySeconds)
    .f64(session.epoch)
    .f64(session.expiresAtMs);
}

function readTerms(reader: FieldReader): SessionTerms {
  const clientId = reader.text();
  const flags = reader.u8();
  const username = reader.text();
  return {
    clientId,
    username: (flags & 1) !== 0 ? username : null,
    superuser: (flags & 2) !== 0,
    sessionExpirySeconds: reader.u32(),
    epoch: reader.f64(),
    expiresAtMs: reader.f64(),
  };
}

function writeSubscription(writer: FieldWriter, key: string, subscription: Subscription): void {
  const options =
    subscription.qos |
    (subscription.noLocal ? 4 : 0) |
    (subscription.retainAsPublished ? 8 : 0) |
    (subscription.retainHandling << 4);
  writer.text(key).u8(options).u32(subscription.identifier).f64(subscription.since);
}

function readSubscription(reader: FieldReader): SubscriptionRecord {
  const key = reader.text();
  const options = reader.u8();
  return {
    key,
    qos: options & 3,
    noLocal: (options & 4) !== 0,
    retainAsPublished: (options & 8) !== 0,
    retainHandling: ((options >> 4) & 3) as 0 | 1 | 2,
    identifier: reader.u32(),
    since: reader.f64(),
  };
}

/** The part that changes with every message. */
export interface SessionState {
  readonly number: number;
  readonly position: number;
  readonly exchanges: readonly {
    readonly id: number;
    readonly state: number;
    readonly offset: number;
  }[];
  readonly receipts: readonly number[];
  /** Exchanges whose message a shared group gave, by the group's key. */
  readonly given: readonly { readonly id: number; readonly by: string }[];
}

/**
 * The state once everything below `next` is durable.
 *
 * @param next  the journal's next offset: where a live session's place is
 * @param exactlyOnce  identifiers of QoS 2 among the exchanges that still wait for their commit
 */
export function encodeState(
  session: ClientSession,
  next: number,
  exactlyOnce: ReadonlySet<number> | undefined,
): Uint8Array {
  const writer = new FieldWriter();
  const exchanges = session.hasWindow ? session.window.open() : [];
  const receipts = session.receiptCount > 0 ? session.receipts.identifiers() : [];
  writer.u32(session.number).f64(consumerOf(session)?.placeInLog(next) ?? next);
  writer.u32(exchanges.length);
  for (const { id, state, offset } of exchanges) {
    writer
      .u16(id)
      .u8(committedState(state, exactlyOnce?.has(id) === true))
      .f64(offset);
  }
  writer.u32(receipts.length);
  for (const receipt of receipts) writer.u16(receipt);
  const given = session.givenExchanges();
  writer.u32(given.length);
  for (const { identifier, by } of given) writer.u16(identifier).text(by);
  return writer.finish();
}

/** What a commit makes of a state: only it is ever read again, since checkpoints wait for the commit. */
function committedState(state: number, exactlyOnce: boolean): number {
  if (state === ExchangeState.received) return ExchangeState.awaitingPubcomp;
  if (state !== ExchangeState.assigned) return state;
  return exactlyOnce ? ExchangeState.awaitingPubrec : ExchangeState.awaitingPuback;
}

export function decodeState(bytes: Uint8Array): SessionState {
  const reader = new FieldReader(bytes);
  const number = reader.u32();
  const position = reader.f64();
  const exchanges: { id: number; state: number; offset: number }[] = [];
  for (let left = reader.u32(); left > 0; left -= 1) {
    exchanges.push({ id: reader.u16(), state: reader.u8(), offset: reader.f64() });
  }
  const receipts: number[] = [];
  for (let left = reader.u32(); left > 0; left -= 1) receipts.push(reader.u16());
  const given: { id: number; by: string }[] = [];
  for (let left = reader.done ? 0 : reader.u32(); left > 0; left -= 1) {
    given.push({ id: reader.u16(), by: reader.text() });
  }
  return { number, position, exchanges, receipts, given };
}
