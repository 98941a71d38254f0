import type { ClientIdentity } from '@robustmq/access';
import { ReasonCode } from '@robustmq/mqtt-codec';
import { type ConnectionTerms, sessionExpiresAtMs } from '@robustmq/mqtt-session';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientConnection } from '../connection/client-connection.ts';
import type { SessionReader } from '../durable/broker-log.ts';
import { resendExchanges } from '../durable/resend.ts';
import { ClientSession } from './client-session.ts';
import type { ConnectFacts } from './presence.ts';
import type { WillMessage } from './will-message.ts';

export type TakenSession =
  | {
      readonly verdict: 'taken';
      readonly session: ClientSession;
      readonly present: boolean;
      /** `durable`: the open commit group holds what CONNACK vouches for. */
      readonly promises: 'nothing' | 'durable';
    }
  | { readonly verdict: 'refuse'; readonly reasonCode: number; readonly reason: string };

/** What a CONNECT asks for. */
export interface Claim {
  readonly connection: ClientConnection;
  readonly identity: ClientIdentity;
  readonly superuser: boolean;
  readonly cleanStart: boolean;
  readonly terms: ConnectionTerms;
  readonly will: WillMessage | null;
  /** See {@link ClientSession.ownerEpoch}. */
  readonly ownerEpoch: number;
}

/**
 * Every session by client identifier (MQTT-5.0 [MQTT-3.1.3-2]).
 *
 * One connection owns a session at a time; a new one takes it
 * over, and the old one is told and closed first (MQTT-5.0 [MQTT-3.1.4-3]).
 *
 * LIMIT: sessionsMax
 */
export class SessionRegistry {
  readonly #context: BrokerContext;
  readonly #sessions = new Map<string, ClientSession>();
  readonly #byNumber = new Map<number, ClientSession>();
  /** Durable sessions without a connection that end some day. */
  readonly #expiring = new Set<ClientSession>();
  /** Sessions that ended since the last checkpoint. */
  readonly ended: Set<string> = new Set();
  nextNumber = 1;
  #nextEpoch: number;

  constructor(context: BrokerContext) {
    this.#context = context;
    this.#nextEpoch = context.clock.nowMs() * 1024;
  }

  get count(): number {
    return this.#sessions.size;
  }

  all(): IterableIterator<ClientSession> {
    return this.#sessions.values();
  }

  find(clientId: string): ClientSession | undefined {
    return this.#sessions.get(clientId);
  }

  byNumber(number: number): ClientSession | undefined {
    return this.#byNumber.get(number);
  }

  /** For a client that sends none: hard to guess, since it is the only key to the session. */
  assignClientId(): string {
    const bytes = Buffer.alloc(12);
    this.#context.random.fill(bytes);
    return `auto-${bytes.toString('hex')}`;
  }

  /** Gives the session of this client identifier to `claim.connection`. */
  take(claim: Claim): TakenSession {
    const { clientId } = claim.identity;
    const known = this.#sessions.get(clientId);
    if (known !== undefined && !mayClaim(known, claim)) {
      // A session belongs to its user: another one gets neither it nor its messages.
      return {
        verdict: 'refuse',
        reasonCode: ReasonCode.clientIdentifierNotValid,
        reason: 'the client identifier is in use by another user',
      };
    }
    if (known?.connection != null) {
      this.#context.counters.sessionsTakenOver += 1;
      known.connection.close(
        ReasonCode.sessionTakenOver,
        'another connection took the session over',
      );
    }
    // The close may have ended it (session expiry 0).
    let session = this.#sessions.get(clientId);
    let replacesDurable = false;
    const isOver = session !== undefined && this.#isOver(session);
    // Clean Start ends what there was (MQTT-5.0 [MQTT-3.1.2-4], [MQTT-3.1.4-4]).
    if (session !== undefined && (claim.cleanStart || isOver)) {
      replacesDurable = session.number !== 0;
      this.end(session, isOver ? 'expired' : 'replaced');
      session = undefined;
    }
    if (session === undefined && this.#sessions.size >= this.#context.settings.limits.sessionsMax) {
      return {
        verdict: 'refuse',
        reasonCode: ReasonCode.quotaExceeded,
        reason: 'too many sessions',
      };
    }
    const present = session !== undefined;
    if (present) this.#context.counters.sessionsResumed += 1;
    // MQTT-5.0 [MQTT-3.1.2-5], [MQTT-3.1.2-6].
    const owned = session ?? this.#create(claim);
    this.#attach(owned, claim);
    const isNewDurable = !present && owned.number !== 0;
    const promises = claim.will !== null || replacesDurable || isNewDurable ? 'durable' : 'nothing';
    return { verdict: 'taken', session: owned, present, promises };
  }

  /** After CONNACK: repeat what is open, then go on with what waits. */
  resume(session: ClientSession, facts: ConnectFacts): void {
    this.#context.presence.connected(session, facts);
    const { consumer } = session;
    if (consumer === null) return;
    if (session.hasWindow && session.window.count > 0) resendExchanges(this.#context, session);
    session.pump();
    this.#context.groups.memberReturned(session);
  }

  /** The connection is gone; the session stays while its interval lasts (MQTT-5.0 [MQTT-3.1.2-23]). */
  detach(session: ClientSession, connection: ClientConnection): void {
    const context = this.#context;
    const { will } = session;
    session.connection = null;
    context.forgetWaiting(session);
    if (connection.accepted) context.presence.disconnected(session, connection);
    const { consumer } = session;
    if (session.sessionExpirySeconds === 0 || consumer === null) {
      context.wills.connectionLost(session);
      context.cluster?.detached(session, will);
      this.end(session, 'connection closed');
      return;
    }
    session.expiresAtMs = sessionExpiresAtMs(context.nowMs(), session.sessionExpirySeconds);
    if (session.expiresAtMs !== Number.POSITIVE_INFINITY) this.#expiring.add(session);
    session.dropQueue();
    session.forgetEmptyWindow();
    context.log.detached(session);
    context.log.termsChanged(session);
    context.wills.connectionLost(session);
    context.groups.memberAway(session);
    context.cluster?.detached(session, will);
  }

  /** The session is over: nothing of it is left. */
  end(session: ClientSession, reason: 'replaced' | 'expired' | 'connection closed'): void {
    const context = this.#context;
    this.#sessions.delete(session.clientId);
    this.#expiring.delete(session);
    session.consumer?.stop();
    for (const subscription of session.subscriptions.values()) {
      context.router.unsubscribe(subscription);
    }
    context.wills.sessionEnded(session);
    context.groups.sessionEnded(session);
    session.resetExchanges();
    if (reason === 'expired') context.counters.sessionsExpired += 1;
    if (session.number === 0) return;
    this.#byNumber.delete(session.number);
    context.log.sessionEnded(session);
    context.dirtySessions.delete(session);
    this.ended.add(session.clientId);
  }

  /** Once a second: what has lasted its interval goes (MQTT-5.0 [MQTT-4.1.0-2]). */
  expireDue(nowMs: number): void {
    for (const session of this.#expiring) {
      if (session.expiresAtMs <= nowMs) this.end(session, 'expired');
    }
  }

  /** A session as recovery found it: offline, behind, its expiry counted from now on. */
  restore(session: ClientSession, number: number, consumer: SessionReader): void {
    session.number = number;
    session.consumer = consumer;
    this.#sessions.set(session.clientId, session);
    // 0: its state, with the number, is still to come.
    if (number !== 0) this.#byNumber.set(number, session);
    if (number >= this.nextNumber) this.nextNumber = number + 1;
    if (session.epoch >= this.#nextEpoch) this.#nextEpoch = session.epoch + 1;
  }

  /** Undoes `restore`, such as when the journal says that the session ended later. */
  discard(session: ClientSession): void {
    for (const subscription of session.subscriptions.values()) {
      this.#context.router.unsubscribe(subscription);
    }
    session.resetExchanges();
    this.#sessions.delete(session.clientId);
    this.#byNumber.delete(session.number);
    this.#expiring.delete(session);
  }

  /** After recovery: sessions that were connected when the broker died are disconnected as of now. */
  startExpiry(session: ClientSession, nowMs: number): void {
    if (session.expiresAtMs === Number.POSITIVE_INFINITY) {
      session.expiresAtMs = sessionExpiresAtMs(nowMs, session.sessionExpirySeconds);
    }
    if (session.expiresAtMs !== Number.POSITIVE_INFINITY) this.#expiring.add(session);
  }

  /**
   * Whether its interval has passed and only the sweep has not come yet, such as right after a restart. In
   * a cluster the elected broker alone judges that.
   */
  #isOver({ connection, expiresAtMs }: ClientSession): boolean {
    const { cluster } = this.#context;
    return cluster === null && connection === null && expiresAtMs <= this.#context.nowMs();
  }

  #create(claim: Claim): ClientSession {
    const session = new ClientSession(this.#context, claim.identity, {
      sessionExpirySeconds: claim.terms.sessionExpirySeconds,
    });
    this.#sessions.set(session.clientId, session);
    this.#context.counters.sessionsCreated += 1;
    return session;
  }

  #attach(session: ClientSession, claim: Claim): void {
    const context = this.#context;
    this.#nextEpoch += 1;
    // In a cluster the owner's epoch is the order, and fences the session's record.
    session.epoch = claim.ownerEpoch > 0 ? claim.ownerEpoch : this.#nextEpoch;
    const sameRights =
      session.superuser === claim.superuser &&
      session.identity.remoteAddress === claim.identity.remoteAddress;
    session.ownerEpoch = claim.ownerEpoch;
    session.identity = claim.identity;
    session.superuser = claim.superuser;
    if (!sameRights) this.#askRightsAgain(session);
    session.connection = claim.connection;
    // A repetition for the connection before this one is void; the next one covers what it had left.
    session.resending = false;
    session.takeUnsent();
    session.expiresAtMs = Number.POSITIVE_INFINITY;
    this.#expiring.delete(session);
    session.sessionExpirySeconds = claim.terms.sessionExpirySeconds;
    if (session.hasWindow) session.window.setLimit(claim.terms.sendMaximum);
    context.wills.clientReturned(session.clientId);
    const isNew = session.sessionExpirySeconds > 0 && session.consumer === null;
    if (isNew) this.#makeDurable(session);
    else if (session.number !== 0) context.log.termsChanged(session);
    context.wills.set(session, claim.will);
    context.cluster?.attached(session);
  }

  /** Deliveries remember what access rules said about the client as it was then. */
  #askRightsAgain(session: ClientSession): void {
    for (const subscription of session.subscriptions.values()) {
      this.#context.router.changed(subscription.filter);
    }
  }

  #makeDurable(session: ClientSession): void {
    session.number = this.nextNumber;
    this.nextNumber += 1;
    this.#byNumber.set(session.number, session);
    this.#context.log.sessionMade(session);
    for (const subscription of session.subscriptions.values()) {
      this.#context.router.changed(subscription.filter);
    }
  }
}

function mayClaim(known: ClientSession, claim: Claim): boolean {
  return known.identity.username === claim.identity.username;
}
