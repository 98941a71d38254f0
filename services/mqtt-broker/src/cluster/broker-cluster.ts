import type { SharedGroup } from '@robustmq/broker';
import type { Timers } from '@robustmq/environment';
import { NO_REVISION } from '@robustmq/placement';
import {
  type ClusterSetting,
  encodeNotice,
  type NodeRecord,
  type Registration,
  type RegistryBatch,
  type RouteRecord,
  type ShareLeader,
  type SubscriptionRecord,
} from '@robustmq/placement-registry';
import { log, logEvents } from '@robustmq/telemetry';
import type { ClientSession } from '../session/client-session.ts';
import type { WillMessage } from '../session/will-message.ts';
import { BrokerDrain, type Redirection } from './broker-drain.ts';
import { ClientRegistrar } from './client-registrar.ts';
import type { ClusterEdges } from './cluster-edges.ts';
import { ClusterWideSettings } from './cluster-wide-settings.ts';
import type {
  BrokerCluster,
  InterestOutcome,
  OwnershipAnswer,
  OwnershipRequest,
} from './contract.ts';
import { followRegistry } from './follow-registry.ts';
import { GroupLeadership } from './group-leadership.ts';
import { InterestBarrier } from './interest-barrier.ts';
import { LocalRoutes, routeOfKey } from './local-routes.ts';
import { Membership } from './membership.ts';
import { Peers } from './peers.ts';
import { QuestionAnswers } from './question-answers.ts';
import { FrameReceiver } from './receive-frames.ts';
import { RemoteInterest } from './remote-interest.ts';
import { SessionExpiry } from './session-expiry.ts';
import { SessionOwnership } from './session-ownership.ts';
import { StoredWills } from './stored-wills.ts';
import { SubscriptionWrites } from './subscription-writes.ts';

const APPLIED: InterestOutcome = { outcome: 'applied' };

/** A broker's place in its cluster: `begin` once, `stop` once. */
export class ClusterNode implements BrokerCluster {
  readonly drain: BrokerDrain;
  readonly groups: GroupLeadership;
  readonly #edges: ClusterEdges;
  readonly #peers: Peers;
  readonly #interest: RemoteInterest;
  readonly #routes: LocalRoutes;
  readonly #subscriptions: SubscriptionWrites;
  readonly #barrier: InterestBarrier;
  readonly #membership: Membership;
  readonly #registrar: ClientRegistrar;
  readonly #ownership: SessionOwnership;
  readonly #expiry: SessionExpiry;
  readonly #wills: StoredWills;
  readonly #answers: QuestionAnswers;
  readonly #stopped = new AbortController();
  readonly #following: Promise<void>[] = [];

  constructor(
    edges: ClusterEdges,
    /** Told of each life of this broker, before anything is done in it; null: it is over. */
    lifeChanged: (registration: Registration | null) => void,
  ) {
    this.#edges = edges;
    const { context, settings, registries, transport, clock, timers, random } = edges;
    const { limits } = context.settings;
    const self = settings.nodeId;
    const { linkBytesMax } = settings;
    this.#peers = new Peers({ self, transport, timers, clock, linkBytesMax });
    const peerOf = (node: number) => this.#peers.peerOf(node);
    const joined = (group: SharedGroup): void => context.groups.memberJoined(group);
    const { router } = context;
    this.#interest = new RemoteInterest({ router, limits, self, clock, peerOf, joined });
    this.#routes = new LocalRoutes({
      write: (registration, change) => registries.routes.change(registration, change, this.#call),
      failed: (error) => edges.failed('writing routes', error),
      ...{ timers, random },
    });
    this.#subscriptions = new SubscriptionWrites(edges);
    this.#barrier = new InterestBarrier({
      ...{ interest: this.#interest, peers: this.#peers, timers, random, clock },
      listAlive: () => registries.nodes.listAll('mqtt-broker', this.#call),
      waitMs: settings.subackWaitMs,
    });
    this.drain = new BrokerDrain({
      ...{ context, timers, self },
      alive: () => this.#peers.alive,
      announce: () => this.#announce(),
    });
    this.#membership = this.#membershipOf(lifeChanged);
    this.#wills = new StoredWills(edges, () => this.#membership.registration);
    this.#ownership = new SessionOwnership({
      ...{ edges, peers: this.#peers, wills: this.#wills },
      registrationOf: () => this.#membership.registration,
      registrar: () => this.#registrar,
    });
    this.#registrar = new ClientRegistrar({
      ...{ peers: this.#peers, host: this.#ownership, timers, clock },
      waitMs: settings.yieldWaitMs,
    });
    this.#expiry = new SessionExpiry(edges, this.#wills);
    this.groups = new GroupLeadership({
      ...{ edges, peers: this.#peers },
      registrationOf: () => this.#membership.registration,
    });
    this.#answers = new QuestionAnswers({
      ...{ edges, peers: this.#peers, barrier: this.#barrier, groups: this.groups },
      ...{ ownership: this.#ownership, registrar: this.#registrar },
    });
    this.#listen();
  }

  get isCongested(): boolean {
    return this.#peers.isCongested;
  }

  get isDraining(): boolean {
    return this.drain.isDraining;
  }

  redirect(): Redirection | null {
    return this.drain.redirect();
  }

  get registration(): Registration | null {
    return this.#membership.registration;
  }

  /** Brokers that are alive, this one included. */
  get aliveCount(): number {
    return this.#peers.alive.size;
  }

  /** Brokers that are alive, this one included, as they are registered. */
  get aliveNodes(): ReadonlyMap<number, NodeRecord> {
    return this.#peers.alive;
  }

  /** Clients that this broker keeps the register of. */
  get registeredClients(): number {
    return this.#registrar.entryCount;
  }

  /** Sessions that no broker has, which this one watches over; 0 unless it is elected. */
  get watchedSessions(): number {
    return this.#expiry.count;
  }

  get counters(): Peers['counters'] {
    return this.#peers.counters;
  }

  /**
   * Registers and reads what the others are interested in: after it, clients may be let in.
   *
   * @throws PlacementError, RegistryError when the placement center does not answer
   */
  async begin(): Promise<void> {
    await this.#membership.begin();
    const leaders = this.#followLeaders();
    await Promise.all([
      ...[this.#followNodes(), this.#followRoutes(), this.#followSubscriptions()],
      this.#followSettings(),
    ]);
    await leaders;
  }

  get isElected(): boolean {
    return this.#peers.isElected;
  }

  /** A shard says that this life was declared dead: it is over, and another one begins. */
  fenced(registration: Registration): void {
    this.#membership.abandon(registration, new Error('fenced by another broker'));
  }

  /** Its connections are closed. Waits a while for sessions that are being given up, then says goodbye. */
  async stop(drainMs: number): Promise<void> {
    this.drain.stop();
    await within(this.#ownership.settled(), drainMs, this.#edges.timers);
    this.#stopped.abort();
    this.#answers.stop();
    this.groups.stop();
    this.#expiry.stop();
    this.#wills.stop();
    this.#routes.stop();
    await this.#membership.stop();
    await Promise.all(this.#following);
    await this.#edges.transport.close();
  }

  /** Without a goodbye, for tests: as a process that was killed, all of it stops at once. */
  kill(): void {
    this.drain.stop();
    this.#stopped.abort();
    this.#answers.stop();
    this.groups.stop();
    this.#expiry.stop();
    this.#wills.stop();
    this.#routes.stop();
    this.#membership.kill();
    void this.#edges.transport.close();
  }

  acquire(request: OwnershipRequest): Promise<OwnershipAnswer> {
    return this.#ownership.acquire(request);
  }

  abandoned(clientId: string, epoch: number): void {
    this.#ownership.abandoned(clientId, epoch);
  }

  attached(session: ClientSession): void {
    this.#routes.refresh(session);
  }

  detached(session: ClientSession, will: WillMessage | null): void {
    this.#routes.refresh(session);
    this.#ownership.detached(session, will);
  }

  async subscribed(session: ClientSession, keys: readonly string[]): Promise<InterestOutcome> {
    if (keys.length === 0) return APPLIED;
    const routeKeys = this.#countRoutes(session, keys);
    let stored: number = NO_REVISION;
    if (session.durable && session.ownerEpoch > 0) {
      try {
        stored = await this.#subscriptions.subscribe(session, keys);
      } catch (error) {
        this.#edges.failed('storing subscriptions', error);
        return { outcome: 'refused', reason: 'the subscription could not be stored' };
      }
    }
    const written = await this.#within(this.#routes.written(routeKeys));
    const outcome = written === null ? 'late' : await this.#barrier.everywhere(written, stored);
    const isServed = outcome === 'late' || (await this.#areDealt(session, keys));
    if (isServed && outcome !== 'late') return { outcome };
    this.#toldLate(session);
    return { outcome: 'late' };
  }

  /** Every shared group among them has a dealer, which has a place for it. */
  async #areDealt(session: ClientSession, keys: readonly string[]): Promise<boolean> {
    const groups: string[] = [];
    for (const key of keys) {
      const subscription = session.subscriptions.get(key);
      if (!session.durable || subscription?.group == null || subscription.qos === 0) continue;
      groups.push(`${subscription.group.shareName}/${subscription.filter}`);
    }
    if (groups.length === 0) return true;
    const { context, settings } = this.#edges;
    const areDealt = await this.groups.areDealt(groups, settings.subackWaitMs);
    context.groups.roomAvailable(session);
    return areDealt;
  }

  async unsubscribed(session: ClientSession, keys: readonly string[]): Promise<InterestOutcome> {
    const { limits } = this.#edges.context.settings;
    for (const key of keys) {
      const route = routeOfKey(key, limits);
      if (route !== null) this.#routes.removed(session, route);
    }
    if (!session.durable || session.ownerEpoch === 0 || keys.length === 0) return APPLIED;
    try {
      await this.#subscriptions.unsubscribe(session, keys);
      return APPLIED;
    } catch (error) {
      this.#edges.failed('removing subscriptions', error);
      return { outcome: 'refused', reason: 'the subscription could not be removed' };
    }
  }

  get #call(): { readonly deadlineMs: number; readonly signal: null } {
    return { deadlineMs: this.#edges.settings.callDeadlineMs, signal: null };
  }

  #countRoutes(session: ClientSession, keys: readonly string[]): readonly string[] {
    const routes: string[] = [];
    for (const key of keys) {
      const subscription = session.subscriptions.get(key);
      if (subscription === undefined) continue;
      const route = this.#routes.added(session, subscription);
      if (route !== null) routes.push(route);
    }
    return routes;
  }

  #toldLate(session: ClientSession): void {
    const { context, settings } = this.#edges;
    context.counters.subscriptionsAcknowledgedLate += 1;
    log(context.logger, logEvents.clusterSubackLate, {
      clientId: session.clientId,
      waitMs: settings.subackWaitMs,
    });
  }

  /** null: not within the wait for SUBACK. */
  #within(written: Promise<number>): Promise<number | null> {
    const { timers, settings } = this.#edges;
    return new Promise((resolve) => {
      const late = timers.after(settings.subackWaitMs, () => resolve(null));
      void written.then((revision) => {
        late.cancel();
        resolve(revision);
      });
    });
  }

  #membershipOf(lifeChanged: (registration: Registration | null) => void): Membership {
    const { context, settings, registries, placement, clock, timers, random } = this.#edges;
    const { nodeId, nodeIp, innerAddress, leaseSeconds, callDeadlineMs } = settings;
    const clusterType = 'mqtt-broker' as const;
    return new Membership({
      node: { clusterType, nodeId, nodeIp, innerAddress },
      extendInfo: () => this.#notice(),
      nodes: registries.nodes,
      ...{ placement, leaseSeconds, callDeadlineMs, clock, timers, random },
      events: {
        begun: (registration) => {
          const { incarnation } = registration.node;
          log(context.logger, logEvents.clusterRegistered, { nodeId, incarnation });
          lifeChanged(registration);
          this.#routes.registered(registration);
        },
        over: ({ node }, reason) => {
          const { incarnation } = node;
          const err = reason instanceof Error ? reason : new Error(String(reason));
          log(context.logger, logEvents.clusterLeaseLost, { nodeId, incarnation, err });
          this.#routes.registered(null);
          this.groups.lifeOver();
          this.#ownership.lifeOver('this broker has lost its place in the cluster');
          lifeChanged(null);
        },
        failed: (error) => this.#edges.failed('registering', error),
      },
    });
  }

  #notice(): string {
    const { mqttAddress } = this.#edges.settings;
    return encodeNotice({ mqttAddress, draining: this.drain.isDraining });
  }

  /** Tells the others by the registration; between two lives the next one tells. */
  async #announce(): Promise<void> {
    const { registration } = this.#membership;
    if (registration === null) return;
    const { context, registries, settings } = this.#edges;
    await registries.nodes.describe(registration, this.#notice(), this.#call);
    const { draining, clients } = this.drain.progress;
    const { nodeId } = settings;
    log(context.logger, logEvents.clusterDrain, { nodeId, draining, clients });
  }

  #listen(): void {
    const { transport, context } = this.#edges;
    const receiver = new FrameReceiver(context, {
      request: (from, id, question) => this.#answers.answer(from, id, question.slice()),
      reply: (from, id, answer) => this.#peers.linkTo(from).answered(id, answer),
      malformed: (from, error) => this.#edges.failed(`reading a frame of broker ${from}`, error),
    });
    transport.listen({
      frame: (from, bytes) => receiver.frame(from, bytes),
      up: (peer) => this.#peers.linkTo(peer).wentUp(),
      down: (peer) => this.#peers.linkTo(peer).wentDown(),
      drained: (peer) => {
        this.#peers.linkTo(peer).drained();
        context.relievePublishers();
      },
    });
  }

  /** Each resolves when the whole list has been applied once. */
  #followNodes(): Promise<void> {
    const alive = new Map<number, NodeRecord>();
    const call = this.#call;
    const { nodes } = this.#edges.registries;
    return this.#follow<NodeRecord>(
      'the brokers',
      () => nodes.watch({ within: ['mqtt-broker'], call }),
      (batch, extent) => {
        if (extent === 'whole') alive.clear();
        for (const change of batch.changes) {
          if (change.kind === 'put') alive.set(change.stored.value.nodeId, change.stored.value);
          else alive.delete(Number(change.names.at(-1)));
        }
        this.#peers.setAlive(new Map(alive));
        this.#registrar.peersChanged();
        this.groups.peersChanged();
        this.#expiry.setElected(this.#peers.isElected);
      },
    );
  }

  #followRoutes(): Promise<void> {
    const call = this.#call;
    const { routes } = this.#edges.registries;
    return this.#follow<RouteRecord>(
      'the routes',
      () => routes.watch({ within: [], call }),
      (batch, extent) => {
        this.#interest.applyRoutes(batch, extent);
        this.#barrier.applied();
      },
    );
  }

  #followSubscriptions(): Promise<void> {
    const call = this.#call;
    const { subscriptions } = this.#edges.registries;
    return this.#follow<SubscriptionRecord>(
      'the subscriptions',
      () => subscriptions.watch({ within: [], call }),
      (batch, extent) => {
        this.#interest.applySubscriptions(batch, extent);
        this.groups.applySubscriptions(batch, extent);
        this.#barrier.applied();
      },
    );
  }

  #followLeaders(): Promise<void> {
    const call = this.#call;
    const { shareLeaders } = this.#edges.registries;
    return this.#follow<ShareLeader>(
      'the dealers of shared groups',
      () => shareLeaders.watch({ within: [], call }),
      (batch, extent) => this.groups.applyLeaders(batch, extent),
    );
  }

  #followSettings(): Promise<void> {
    const call = this.#call;
    const { settings } = this.#edges.registries;
    const clusterWide = new ClusterWideSettings(this.#edges);
    return this.#follow<ClusterSetting>(
      'the settings of the cluster',
      () => settings.watch({ within: [], call }),
      (batch, extent) => clusterWide.apply(batch, extent),
    );
  }

  #follow<Value>(
    what: string,
    watch: Parameters<typeof followRegistry<Value>>[0]['watch'],
    apply: (batch: RegistryBatch<Value>, extent: 'whole' | 'changes') => void,
  ): Promise<void> {
    return new Promise((resolve) => {
      const following = followRegistry<Value>(
        {
          watch,
          apply: (batch, extent) => {
            apply(batch, extent);
            resolve();
          },
          failed: (error) => this.#edges.failed(`watching ${what}`, error),
        },
        this.#edges,
        this.#stopped.signal,
      );
      this.#following.push(following.then(resolve));
    });
  }
}

/** Waits for `work`, but not longer than `deadlineMs`; what is late goes on without us. */
async function within(work: Promise<void>, deadlineMs: number, timers: Timers): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = timers.after(deadlineMs, resolve);
  await Promise.race([work, promise]);
  timer.cancel();
}
