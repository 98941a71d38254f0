import { ReasonCode } from '@robustmq/mqtt-codec';
import { willDelayMs } from '@robustmq/mqtt-session';
import { NodeLinkError } from '@robustmq/node-link';
import type { CallOptions } from '@robustmq/placement';
import {
  type NodeLife,
  type OwnedSession,
  type Reading,
  type Registration,
  RegistryError,
  type SessionClaim,
  type SessionOwner,
  type SessionRecord,
} from '@robustmq/placement-registry';
import { Backoff } from '@robustmq/rpc';
import { waitMs } from '../broker-environment.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { WillMessage } from '../session/will-message.ts';
import { ClientQueues } from './client-queues.ts';
import type { ClientRegistrar, RegistrarHost } from './client-registrar.ts';
import type { ClusterEdges } from './cluster-edges.ts';
import type { OwnershipAnswer, OwnershipRequest } from './contract.ts';
import { DeadLives, isAlive, isSameLife } from './dead-lives.ts';
import { letGoOfClaim } from './let-go-of-claim.ts';
import { encodeQuestion } from './link-questions.ts';
import {
  isFenced,
  PLACELESS,
  REFUSED_OTHER_USER,
  refusalOf,
  SUPERSEDED,
  UNAVAILABLE,
} from './ownership-answers.ts';
import type { Peers } from './peers.ts';
import { SharedReading } from './shared-reading.ts';
import { storedSubscriptions } from './stored-subscriptions.ts';
import type { StoredWills } from './stored-wills.ts';

const RETRY = { firstMs: 50, longestMs: 2_000 };
/** How long an owner may refuse connections, or not answer to them, before its registration is revoked. */
const LINK_WAIT_MS = 1_000;

/** A connect that has been granted its client and has not taken the session yet. */
interface Attempt {
  /** Somebody else wants the client by now: this one stops. */
  superseded: boolean;
  readonly done: Promise<void>;
}

/**
 * Which sessions this broker owns. A client is granted by its registrar; a session that outlives its
 * connection, or that has a will, is claimed in the placement center besides, whose epoch fences
 * everything that is written about it:
 *
 *     granted ─▶ owner before has yielded, or is revoked ─▶ dead lives fenced ─▶ claimed (epoch)
 *             ─▶ its will taken ─▶ state restored ─▶ own will saved ─▶ taken by the connection
 *
 * A session that no client is connected to is on no broker: it is settled, released and forgotten here.
 */
export class SessionOwnership implements RegistrarHost {
  readonly #edges: ClusterEdges;
  readonly #peers: Peers;
  readonly #registrationOf: () => Registration | null;
  readonly #registrar: () => ClientRegistrar;
  readonly #wills: StoredWills;
  readonly #deadLives: DeadLives;
  readonly #queues: ClientQueues;
  readonly #lives: SharedReading<readonly NodeLife[]>;
  readonly #attempts = new Map<string, Attempt>();
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #givingUp = new Map<string, Promise<void>>();
  /** The part of giving up that waits for no attempt, so that an attempt may wait for it. Never rejects. */
  readonly #yields = new Map<string, Promise<void>>();
  /** Their connection ends, and what becomes of the session is decided elsewhere. */
  readonly #yielding = new Set<string>();
  #nextConnection = 1;

  constructor(parts: {
    readonly edges: ClusterEdges;
    readonly peers: Peers;
    readonly registrationOf: () => Registration | null;
    readonly registrar: () => ClientRegistrar;
    readonly wills: StoredWills;
  }) {
    this.#edges = parts.edges;
    this.#peers = parts.peers;
    this.#registrationOf = parts.registrationOf;
    this.#registrar = parts.registrar;
    this.#wills = parts.wills;
    const { durable, settings, timers } = parts.edges;
    this.#deadLives = new DeadLives((life) => durable.fence(life, settings.stateDeadlineMs));
    this.#queues = new ClientQueues((action) => timers.soon(action));
    const { nodes } = parts.edges.registries;
    this.#lives = new SharedReading(timers, () => nodes.listLives('mqtt-broker', this.#call));
  }

  get #call(): CallOptions {
    return { deadlineMs: this.#edges.settings.callDeadlineMs, signal: null };
  }

  /** See the contract. Never rejects but for mistakes. */
  acquire(request: OwnershipRequest): Promise<OwnershipAnswer> {
    return this.#queues.run(request.clientId, () => this.#acquire(request));
  }

  /** Nobody took what `acquire` answered. */
  abandoned(clientId: string, epoch: number): void {
    void this.#queues.run(clientId, async () => {
      const session = this.#edges.context.sessions.find(clientId);
      if (session?.online === true) return;
      if (epoch > 0) await this.#leave({ clientId, epoch, session: session ?? null, will: null });
      this.#registrar().release(clientId);
    });
  }

  /** The connection of the session is gone; `will` is due unless it is null. */
  detached(session: ClientSession, will: WillMessage | null): void {
    const { clientId, ownerEpoch: epoch } = session;
    if (this.#yielding.has(clientId)) return;
    void this.#queues.run(clientId, async () => {
      // Another connection here has it already, and has dealt with the will.
      if (this.#edges.context.sessions.find(clientId)?.online === true) return;
      if (epoch > 0) {
        const leaving = this.#leave({ clientId, epoch, session, will });
        this.#leaving.set(clientId, leaving);
        await leaving;
        this.#leaving.delete(clientId);
      }
      this.#registrar().release(clientId);
    });
  }

  /**
   * Another broker gets the client: its connection here is told 0x8E and closed, and its session settled.
   *
   * @throws JournalError  it could not be settled
   */
  giveUp(clientId: string): Promise<void> {
    const known = this.#givingUp.get(clientId);
    if (known !== undefined) return known;
    const giving = this.#giveUp(clientId).finally(() => this.#givingUp.delete(clientId));
    this.#givingUp.set(clientId, giving);
    return giving;
  }

  /** Every task about a client that is under way has ended. */
  settled(): Promise<void> {
    return this.#queues.settled();
  }

  /** This life of the broker is over: it owns nothing that outlives a connection any more. */
  lifeOver(reason: string): void {
    const { context } = this.#edges;
    for (const attempt of this.#attempts.values()) attempt.superseded = true;
    for (const session of [...context.sessions.all()]) {
      if (session.ownerEpoch === 0) continue;
      this.#yielding.add(session.clientId);
      session.connection?.close(ReasonCode.serverBusy, reason);
      if (context.sessions.find(session.clientId) === session) context.sessions.discard(session);
      this.#yielding.delete(session.clientId);
    }
  }

  async #acquire(request: OwnershipRequest): Promise<OwnershipAnswer> {
    const { clientId, username } = request;
    const granted = await this.#registrar().grant({ clientId, username });
    if (granted === 'otherUser') return REFUSED_OTHER_USER;
    const { promise, resolve } = Promise.withResolvers<void>();
    const attempt: Attempt = { superseded: false, done: promise };
    this.#attempts.set(clientId, attempt);
    let answer: OwnershipAnswer;
    try {
      answer = await this.#own(request, attempt);
    } catch (error) {
      answer = refusalOf(error);
      if (!isFenced(error)) this.#edges.failed('taking a session over', error);
    }
    this.#attempts.delete(clientId);
    resolve();
    if (answer.verdict === 'refuse' && !this.#isOnline(clientId)) {
      this.#registrar().release(clientId);
    }
    return answer;
  }

  async #own(request: OwnershipRequest, attempt: Attempt): Promise<OwnershipAnswer> {
    const { clientId, username } = request;
    const { registries, settings } = this.#edges;
    const isStored = request.sessionExpirySeconds > 0 || request.will !== null;
    const registration = this.#registrationOf();
    let reading: Reading<SessionRecord>;
    try {
      reading = await registries.sessions.table.read([clientId], this.#call);
    } catch (error) {
      // Nothing of it is kept anywhere: the cluster's records are not needed to serve it.
      if (isStored || !settings.serveWithoutPlacement) throw error;
      return { verdict: 'owned', epoch: 0 };
    }
    const seen = reading.stored?.value ?? null;
    if (attempt.superseded) return SUPERSEDED;
    if (seen !== null && seen.username !== username) return REFUSED_OTHER_USER;
    if (seen === null && !isStored) return { verdict: 'owned', epoch: 0 };
    if (registration === null) return PLACELESS;
    const owner = {
      nodeId: registration.node.nodeId,
      incarnation: registration.node.incarnation,
      connectionId: this.#nextConnection++,
    };
    try {
      return await this.#claim(request, { seen, reading, owner, attempt, isStored });
    } catch (error) {
      this.#letGoLater(clientId, owner);
      throw error;
    }
  }

  /** The connect failed, perhaps behind its claim: nobody is served by it, so nobody is to own it. */
  #letGoLater(clientId: string, owner: SessionOwner): void {
    const registration = this.#registrationOf();
    const isOver = (): boolean => this.#registrationOf() !== registration;
    void this.#queues.run(clientId, () => letGoOfClaim(this.#edges, { clientId, owner }, isOver));
  }

  async #claim(request: OwnershipRequest, from: Claiming): Promise<OwnershipAnswer> {
    const { clientId } = request;
    const { sessions } = this.#edges.registries;
    const claim = this.#claimOf(request, from.owner);
    const previous = from.seen;
    if (previous !== null) {
      // Before it is claimed: an owner that could not settle stays the owner, and is asked again.
      const settled = await this.#settlePrevious(clientId, previous, from.owner);
      if (!settled) return UNAVAILABLE;
      if (from.attempt.superseded) return SUPERSEDED;
    }
    const session =
      previous === null
        ? await this.#make(claim)
        : await sessions.takeOver(previous, claim, this.#call, from.reading);
    const owned = { clientId, epoch: session.epoch };
    // One that has lasted its interval is there until the elected broker has ended it.
    const isOver = previous !== null && (request.cleanStart || previous.sessionExpirySeconds === 0);
    // Before its will is touched: a connect that fails leaves one that waits as it is.
    if (previous !== null && !isOver) await this.#restore(request, session);
    if (previous !== null) await this.#wills.publishDue(owned, isOver);
    const mine = isOver ? await this.#beginAnew(owned, request, from) : owned;
    if (mine !== null && request.will !== null) await this.#wills.save(mine, request.will);
    else if (mine !== null && previous !== null && !isOver) await this.#wills.discard(mine);
    if (from.attempt.superseded) {
      await this.#dropRestored(clientId);
      return SUPERSEDED;
    }
    return { verdict: 'owned', epoch: mine?.epoch ?? 0 };
  }

  /** @throws REGISTRY_FENCED  somebody else has made it since it was looked for */
  async #make(claim: SessionClaim): Promise<SessionRecord> {
    const { sessions } = this.#edges.registries;
    const { session, previous } = await sessions.claim(claim, this.#call);
    if (previous === null) return session;
    // It goes back to nobody; who made it is asked to settle by whoever gets it next.
    await sessions.takeOver(session, { ...claim, owner: previous.owner }, this.#call);
    const key = claim.clientId;
    const { epoch: current } = session;
    throw new RegistryError({ code: 'REGISTRY_FENCED', key, offered: 0, current });
  }

  /** Clean Start, or what there was has expired: nothing of it is left (MQTT-5.0 [MQTT-3.1.2-4]). */
  async #beginAnew(
    owned: OwnedSession,
    request: OwnershipRequest,
    from: Claiming,
  ): Promise<OwnedSession | null> {
    const { registries, durable, settings, context } = this.#edges;
    const { clientId, epoch } = owned;
    await durable.forget(clientId, epoch, settings.stateDeadlineMs);
    await registries.sessions.delete(owned, this.#call);
    const local = context.sessions.find(clientId);
    // Without a connection nobody ends it when the session is taken: it is what a yield has left.
    if (local !== undefined && !local.online) context.sessions.discard(local);
    if (!from.isStored) return null;
    const { session } = await registries.sessions.claim(
      this.#claimOf(request, from.owner),
      this.#call,
    );
    return { clientId, epoch: session.epoch };
  }

  /** @returns false when the owner before is alive and could not settle: it is asked again later */
  async #settlePrevious(
    clientId: string,
    { owner }: SessionRecord,
    self: SessionOwner,
  ): Promise<boolean> {
    let lives = await this.#lives.ask();
    if (owner !== null && !isSameLife(owner, self) && isAlive(owner, lives)) {
      const yielded = await this.#askToYield(clientId, owner);
      if (yielded === 'refused') return false;
      if (yielded === 'silent') {
        await this.#revoke(owner);
        lives = await this.#lives.ask();
      }
    }
    await this.#deadLives.settle(lives);
    return true;
  }

  async #askToYield(
    clientId: string,
    owner: SessionOwner,
  ): Promise<'yielded' | 'refused' | 'silent'> {
    const { timers, clock, settings } = this.#edges;
    const beganMs = clock.monotonicMs();
    const question = encodeQuestion({ kind: 'yield', clientId });
    for (;;) {
      const isUp = this.#peers.linkTo(owner.nodeId).isUp;
      const limitMs = isUp ? settings.yieldWaitMs : Math.min(settings.yieldWaitMs, LINK_WAIT_MS);
      const leftMs = beganMs + limitMs - clock.monotonicMs();
      if (leftMs <= 0) return 'silent';
      try {
        await this.#peers.linkTo(owner.nodeId).ask(question, leftMs);
        return 'yielded';
      } catch (error) {
        if (!(error instanceof NodeLinkError)) throw error;
        if (error.fault.code === 'NODE_LINK_REFUSED') return 'refused';
        if (error.fault.code === 'NODE_LINK_TIMEOUT') return 'silent';
        // It may just be connecting, or its lease just ending.
        const lives = await this.#lives.ask();
        if (!isAlive(owner, lives)) return 'yielded';
        await waitMs(timers, Math.min(50, leftMs));
      }
    }
  }

  /** It answers nobody: from now on it is a dead broker, and its appends are refused. */
  async #revoke(owner: SessionOwner): Promise<void> {
    const { nodes } = this.#edges.registries;
    const name = { clusterType: 'mqtt-broker', nodeId: owner.nodeId } as const;
    const stored = await nodes.read(name, this.#call);
    if (stored?.value.incarnation !== owner.incarnation) return;
    this.#edges.revoked(owner.nodeId, owner.incarnation);
    await nodes.unregister(name, this.#call);
  }

  async #restore(request: OwnershipRequest, session: SessionRecord): Promise<void> {
    const { context, durable, settings } = this.#edges;
    const { clientId, username, epoch } = session;
    // One that is just leaving for somebody else is gone, with its places, as soon as it is settled.
    await this.#yields.get(clientId);
    // It has not left this broker.
    if (context.sessions.find(clientId) !== undefined) return;
    const subscriptions = await storedSubscriptions(this.#edges, clientId);
    const { sessionExpirySeconds } = request;
    const stored = { clientId, username, epoch, sessionExpirySeconds, subscriptions };
    await durable.restore(stored, settings.stateDeadlineMs);
  }

  /** Restored for a connect that came too late: the next owner has its record by now. */
  async #dropRestored(clientId: string): Promise<void> {
    const { context, durable, settings } = this.#edges;
    const session = context.sessions.find(clientId);
    if (session === undefined || session.online) return;
    await durable.settle(session, settings.stateDeadlineMs).catch(() => {});
    if (context.sessions.find(clientId) === session) context.sessions.discard(session);
  }

  async #giveUp(clientId: string): Promise<void> {
    // The grant before may have come in this very turn: its attempt begins before the turn ends.
    await this.#endOfTurn();
    const attempt = this.#attempts.get(clientId);
    if (attempt !== undefined) {
      attempt.superseded = true;
      await attempt.done;
      // What the attempt's answer sets off is done by then.
      await this.#endOfTurn();
    }
    const yielded = this.#yield(clientId);
    const ended = yielded.catch(() => {});
    this.#yields.set(clientId, ended);
    await yielded.finally(() => this.#yields.delete(clientId));
  }

  async #yield(clientId: string): Promise<void> {
    const { context, durable, settings } = this.#edges;
    await this.#leaving.get(clientId);
    const session = context.sessions.find(clientId);
    if (session === undefined) return;
    this.#yielding.add(clientId);
    try {
      session.connection?.close(
        ReasonCode.sessionTakenOver,
        'another connection took the session over',
      );
      if (context.sessions.find(clientId) !== session) return;
      await durable.settle(session, settings.stateDeadlineMs);
      if (context.sessions.find(clientId) === session) context.sessions.discard(session);
    } catch (error) {
      this.#leaveLater(session);
      throw error;
    } finally {
      this.#yielding.delete(clientId);
    }
  }

  /** It could not be settled for the one who asked: it is released as soon as it can be. */
  #leaveLater(session: ClientSession): void {
    const { clientId, ownerEpoch: epoch } = session;
    void this.#queues.run(clientId, async () => {
      if (session.online || this.#edges.context.sessions.find(clientId) !== session) return;
      await this.#leave({ clientId, epoch, session, will: 'kept' });
      this.#registrar().release(clientId);
    });
  }

  /** Never rejects: tried until it is done, somebody else has the session, or this life is over. */
  async #leave(leaving: Leaving): Promise<void> {
    const { timers, random } = this.#edges;
    const registration = this.#registrationOf();
    const backoff = new Backoff(RETRY, random);
    const step = { ...leaving };
    while (registration !== null && this.#registrationOf() === registration) {
      try {
        await this.#leaveOnce(step);
        return;
      } catch (error) {
        if (isFenced(error)) return;
        this.#edges.failed('giving a session up', error);
        await waitMs(timers, backoff.nextMs());
      }
    }
  }

  async #leaveOnce(leaving: Leaving): Promise<void> {
    const { context, registries, durable, settings } = this.#edges;
    const { clientId, epoch, session, will } = leaving;
    const expirySeconds = session?.sessionExpirySeconds ?? 0;
    const isDue =
      will !== null && will !== 'kept' && willDelayMs(will.delaySeconds, expirySeconds) === 0;
    if (isDue) {
      const taken = await this.#wills.take(leaving);
      leaving.will = null;
      if (taken !== null) this.#wills.publish(taken);
    } else if (will === null) await this.#wills.discard(leaving);
    if (session === null || expirySeconds === 0 || !session.durable) {
      if (session === null || session.durable) {
        await durable.forget(clientId, epoch, settings.stateDeadlineMs);
      }
      await registries.sessions.delete(leaving, this.#call);
      return;
    }
    await durable.settle(session, settings.stateDeadlineMs);
    const terms = { sessionExpirySeconds: expirySeconds };
    await registries.sessions.release(leaving, this.#nowMs, this.#call, terms);
    if (context.sessions.find(clientId) === session && !session.online) {
      context.sessions.discard(session);
    }
  }

  #claimOf(request: OwnershipRequest, owner: SessionOwner) {
    const { clientId, username, sessionExpirySeconds, will } = request;
    const willDelaySeconds = will?.delaySeconds ?? 0;
    const nowMs = this.#nowMs;
    return { clientId, username, owner, sessionExpirySeconds, willDelaySeconds, nowMs };
  }

  #isOnline(clientId: string): boolean {
    return this.#edges.context.sessions.find(clientId)?.online === true;
  }

  #endOfTurn(): Promise<void> {
    return new Promise((resolve) => this.#edges.timers.soon(resolve));
  }

  get #nowMs(): number {
    return Math.max(0, Math.floor(this.#edges.clock.nowMs()));
  }
}

interface Claiming {
  readonly seen: SessionRecord | null;
  /** What it was seen in. */
  readonly reading: Reading<SessionRecord>;
  readonly owner: SessionOwner;
  readonly attempt: Attempt;
  /** The placement center keeps something of it. */
  readonly isStored: boolean;
}

interface Leaving extends OwnedSession {
  /** null: none was taken. */
  readonly session: ClientSession | null;
  /** `kept`: whoever gets the session next decides; null: it was deleted. */
  will: WillMessage | 'kept' | null;
}
