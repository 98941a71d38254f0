import { type Router, type SharedGroup, Subscription } from '@robustmq/broker';
import type { Clock } from '@robustmq/environment';
import { NO_REVISION, type Revision } from '@robustmq/placement';
import type {
  RegistryBatch,
  RouteRecord,
  RouteWants,
  SubscriptionRecord,
} from '@robustmq/placement-registry';
import {
  parseSubscriptionFilter,
  type SubscriptionFilter,
  type TopicLimits,
} from '@robustmq/topic';
import { DurableInterest, PeerMember, type PeerNode } from './peer-node.ts';

const PEER_OPTIONS = {
  noLocal: false,
  retainAsPublished: true,
  retainHandling: 2,
  identifier: 0,
  since: 0,
} as const;

/**
 * What others are interested in, in the router of this broker: the routes of the other brokers, and the
 * subscriptions of durable sessions wherever they are.
 *
 * It only changes the router; watching and waiting are others' work.
 */
export class RemoteInterest {
  /** Every route up to here is in the router. */
  routesApplied: Revision = NO_REVISION;
  /** Every durable subscription up to here is in the router. */
  subscriptionsApplied: Revision = NO_REVISION;
  readonly #router: Router;
  readonly #limits: TopicLimits;
  readonly #self: number;
  readonly #clock: Clock;
  readonly #peerOf: (node: number) => PeerNode;
  readonly #joined: (group: SharedGroup) => void;
  /** By filter and node: what is in the router because of it. */
  readonly #routes = new Map<string, RoutedPeer>();
  readonly #durable = new DurableInterest();
  /** By bare filter. */
  readonly #interest = new Map<string, { count: number; readonly subscription: Subscription }>();
  readonly #subscribed = new Map<string, string>();

  constructor(parts: {
    readonly router: Router;
    readonly limits: TopicLimits;
    readonly self: number;
    readonly clock: Clock;
    readonly peerOf: (node: number) => PeerNode;
    /** A group has another member. */
    readonly joined: (group: SharedGroup) => void;
  }) {
    this.#router = parts.router;
    this.#limits = parts.limits;
    this.#self = parts.self;
    this.#clock = parts.clock;
    this.#peerOf = parts.peerOf;
    this.#joined = parts.joined;
  }

  get routeCount(): number {
    return this.#routes.size;
  }

  get durableFilterCount(): number {
    return this.#interest.size;
  }

  /** @returns keys of routes that could not be read */
  applyRoutes(batch: RegistryBatch<RouteRecord>, extent: 'whole' | 'changes'): void {
    const gone = new Set(extent === 'whole' ? this.#routes.keys() : []);
    for (const change of batch.changes) {
      const names = change.kind === 'put' ? change.stored.names : change.names;
      const [filter = '', node = ''] = names;
      if (Number(node) === this.#self) continue;
      const key = nameOf(filter, node);
      gone.delete(key);
      if (change.kind === 'put') this.#putRoute(key, filter, change.stored.value);
      else this.#dropRoute(key);
    }
    for (const key of gone) this.#dropRoute(key);
    this.routesApplied = batch.revision;
  }

  applySubscriptions(batch: RegistryBatch<SubscriptionRecord>, extent: 'whole' | 'changes'): void {
    const gone = new Set(extent === 'whole' ? this.#subscribed.keys() : []);
    for (const change of batch.changes) {
      const names = change.kind === 'put' ? change.stored.names : change.names;
      const [clientId = '', filter = ''] = names;
      const key = nameOf(clientId, filter);
      gone.delete(key);
      if (change.kind === 'put') {
        // QoS 0 is not kept for anybody.
        if (change.stored.value.qos > 0) this.#addInterest(key, filter);
        else this.#dropInterest(key);
      } else this.#dropInterest(key);
    }
    for (const key of gone) this.#dropInterest(key);
    this.subscriptionsApplied = batch.revision;
  }

  #putRoute(key: string, filter: string, route: RouteRecord): void {
    const known = this.#routes.get(key);
    if (known?.wants === route.wants && known.subscriptions.length === route.members) return;
    const parsed = parseSubscriptionFilter(filter, this.#limits);
    // Limits may differ between brokers; what this one would not grant, nobody here can publish to.
    if (!parsed.ok) return;
    const peer = this.#peerOf(route.nodeId);
    if (parsed.value.shareName === null) {
      // The new one first: at no time is there none.
      const added = this.#subscribePeer(parsed.value, peer, route.wants);
      this.#dropRoute(key);
      this.#routes.set(key, { wants: route.wants, subscriptions: [added] });
      return;
    }
    const subscriptions = [...(known?.subscriptions ?? [])];
    while (subscriptions.length > route.members) {
      this.#router.unsubscribe(subscriptions.pop() as Subscription);
    }
    while (subscriptions.length < route.members) {
      subscriptions.push(this.#addMember(parsed.value, peer, subscriptions.length));
    }
    this.#routes.set(key, { wants: route.wants, subscriptions });
  }

  #subscribePeer(parsed: SubscriptionFilter, peer: PeerNode, wants: RouteWants): Subscription {
    const qos = wants === 'everything' ? 2 : 0;
    const subscription = new Subscription(parsed.filter, peer, { ...PEER_OPTIONS, qos });
    this.#router.subscribe(subscription, null);
    return subscription;
  }

  #addMember(parsed: SubscriptionFilter, peer: PeerNode, slot: number): Subscription {
    const group = `${parsed.shareName}/${parsed.filter}`;
    const member = new PeerMember(peer.link, { group, slot, self: this.#self }, this.#clock);
    const subscription = new Subscription(parsed.filter, member, { ...PEER_OPTIONS, qos: 2 });
    this.#router.subscribe(subscription, parsed.shareName);
    if (subscription.group !== null) this.#joined(subscription.group);
    return subscription;
  }

  #dropRoute(key: string): void {
    const known = this.#routes.get(key);
    if (known === undefined) return;
    this.#routes.delete(key);
    for (const subscription of known.subscriptions) this.#router.unsubscribe(subscription);
  }

  #addInterest(key: string, filter: string): void {
    if (this.#subscribed.has(key)) return;
    const parsed = parseSubscriptionFilter(filter, this.#limits);
    if (!parsed.ok) return;
    // A group's messages are kept for it like those of a session.
    const bare = parsed.value.filter;
    this.#subscribed.set(key, bare);
    const known = this.#interest.get(bare);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    const subscription = new Subscription(bare, this.#durable, { ...PEER_OPTIONS, qos: 2 });
    this.#interest.set(bare, { count: 1, subscription });
    this.#router.subscribe(subscription, null);
  }

  #dropInterest(key: string): void {
    const bare = this.#subscribed.get(key);
    if (bare === undefined) return;
    this.#subscribed.delete(key);
    const known = this.#interest.get(bare);
    if (known === undefined) return;
    known.count -= 1;
    if (known.count > 0) return;
    this.#interest.delete(bare);
    this.#router.unsubscribe(known.subscription);
  }
}

interface RoutedPeer {
  readonly wants: RouteWants;
  readonly subscriptions: readonly Subscription[];
}

/** Neither filters nor client identifiers hold U+0000 (MQTT-5.0 [MQTT-1.5.4-2]). */
function nameOf(first: string, second: string): string {
  return `${first}\u0000${second}`;
}
