import { FilterTrie, hasWildcard } from '@robustmq/topic';
import type { MatchResult } from './match-result.ts';
import { SharedGroup, type ShareStrategy } from './shared-group.ts';
import { Delivery, type Subscriber, type Subscription } from './subscription.ts';
import { type Topic, TopicTable } from './topic-table.ts';

/** About 100 bytes each. LIMIT: deliveriesCachedMax */
const DELIVERIES_CACHED_MAX = 1_000_000;

/**
 * The router answers: who gets a message on this topic? The answer is cached in the {@link Topic}
 * and stays valid until a subscription that could change it comes or goes: an exact filter
 * invalidates its one topic, a filter with wildcards all of them.
 *
 * Cost of `match`: two comparisons on a hit. The answers are bounded by the deliveries in them
 * (`deliveriesCachedMax`), since a hundred subscribers of `#` are in the answer of every topic:
 * above it all answers are forgotten and computed anew when asked for.
 */
export class Router {
  readonly topics: TopicTable;
  readonly #trie = new FilterTrie<Subscription>();
  readonly #groups = new Map<string, SharedGroup>();
  readonly #strategy: ShareStrategy;
  readonly #encode: (name: string) => Uint8Array;
  #version = 0;
  #sharedCount = 0;
  /** Computed since the answers were last forgotten: an upper bound of what the cache holds. */
  #deliveriesCached = 0;
  readonly #deliveriesCachedMax: number;
  #seed = 0x2545f491;
  // Scratch of one `match`: allocated once, since matching never nests.
  readonly #matched: Subscription[] = [];
  readonly #collect = (subscription: Subscription): void => {
    this.#matched.push(subscription);
  };

  /** @param encode  a string to UTF-8 bytes (cores have no encoder of their own) */
  constructor(options: {
    readonly topicsCachedMax: number;
    readonly strategy: ShareStrategy;
    readonly encode: (name: string) => Uint8Array;
    readonly deliveriesCachedMax?: number;
  }) {
    this.topics = new TopicTable(options.topicsCachedMax);
    this.#strategy = options.strategy;
    this.#encode = options.encode;
    this.#deliveriesCachedMax = options.deliveriesCachedMax ?? DELIVERIES_CACHED_MAX;
  }

  get subscriptionCount(): number {
    return this.#trie.valueCount;
  }

  get sharedSubscriptionCount(): number {
    return this.#sharedCount;
  }

  get filterCount(): number {
    return this.#trie.filterCount;
  }

  /** The topic of this name, made if need be. The name has been validated. */
  topicOf(name: string): Topic {
    const bytes = this.#encode(name);
    return this.topics.find(bytes) ?? this.topics.add(name, bytes);
  }

  /** As `topicOf`, for one message: see `TopicTable.addIfRepeated`. */
  passingTopicOf(name: string): Topic {
    const bytes = this.#encode(name);
    return this.topics.find(bytes) ?? this.topics.addIfRepeated(bytes);
  }

  /** Adds a subscription that is not there yet. `shareName` null: an ordinary one. */
  subscribe(subscription: Subscription, shareName: string | null): void {
    if (shareName !== null) {
      const group = this.#groupOf(shareName, subscription.filter);
      subscription.group = group;
      group.add(subscription);
      this.#sharedCount += 1;
    }
    this.#trie.add(subscription.filter, subscription);
    this.changed(subscription.filter);
  }

  unsubscribe(subscription: Subscription): void {
    this.#trie.remove(subscription.filter, subscription);
    const group = subscription.group;
    if (group !== null) {
      group.remove(subscription.subscriber);
      this.#sharedCount -= 1;
      if (group.members.length === 0) this.#groups.delete(groupKey(group.shareName, group.filter));
    }
    this.changed(subscription.filter);
  }

  /** Call after a subscription's options or its subscriber's durability changed. */
  changed(filter: string): void {
    if (hasWildcard(filter)) {
      this.#version += 1;
      return;
    }
    const topic = this.topics.find(this.#encode(filter));
    if (topic !== null) topic.match = null;
  }

  /** Everything is computed anew, such as after a reload of access rules. */
  invalidateAll(): void {
    this.#version += 1;
  }

  match(topic: Topic): MatchResult {
    const known = topic.match;
    if (known !== null && topic.matchVersion === this.#version) return known;
    if (topic.passing) return this.#trie.valueCount === 0 ? NOBODY : this.#compute(topic);
    // One that the table forgot is not told of changes: its name's present topic answers for it.
    const current = topic.forgotten ? this.topics.recall(topic) : topic;
    return current === topic ? this.#matchAnew(topic) : this.match(current);
  }

  /** Subscriptions of exactly this filter, such as for administration. */
  subscriptionsOf(filter: string): readonly Subscription[] {
    return this.#trie.valuesOf(filter);
  }

  /** @param key  share name and filter, with a slash between them */
  groupNamed(key: string): SharedGroup | null {
    return this.#groups.get(key) ?? null;
  }

  groups(): IterableIterator<SharedGroup> {
    return this.#groups.values();
  }

  #matchAnew(topic: Topic): MatchResult {
    const result = this.#compute(topic);
    this.#deliveriesCached += result.live.length + result.durable.length;
    if (this.#deliveriesCached > this.#deliveriesCachedMax) {
      this.topics.clearMatches();
      this.#deliveriesCached = result.live.length + result.durable.length;
    }
    topic.match = result;
    topic.matchVersion = this.#version;
    return result;
  }

  /** Only those whose filter matches (MQTT-5.0 [MQTT-3.3.2-3]). */
  #compute(topic: Topic): MatchResult {
    const matched = this.#matched;
    matched.length = 0;
    this.#trie.match(topic.name, this.#collect);
    if (matched.length === 0) return NOBODY;
    const live: Delivery[] = [];
    const durable: Delivery[] = [];
    for (const delivery of mergeBySubscriber(matched)) {
      if (delivery.qos > 0 && delivery.subscriber.durable) durable.push(delivery);
      else live.push(delivery);
    }
    const shared = this.#sharedCount === 0 ? NO_GROUPS : groupsOf(matched);
    matched.length = 0;
    return { live, durable, shared, sharedDurable: shared.some((group) => group.durable) };
  }

  #groupOf(shareName: string, filter: string): SharedGroup {
    const key = groupKey(shareName, filter);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) | 0;
    const group = new SharedGroup(shareName, filter, {
      strategy: this.#strategy,
      seed: this.#seed,
    });
    this.#groups.set(key, group);
    return group;
  }
}

const NO_GROUPS: readonly SharedGroup[] = [];

/** One object for all topics that nobody subscribes to. */
const NOBODY: MatchResult = { live: [], durable: [], shared: [], sharedDurable: false };

/** Up to so many, looking through all deliveries costs less than a map of them. */
const MERGED_BY_SEARCH_MAX = 8;

/** A share name holds no slash (MQTT-5.0 [MQTT-4.8.2-1]), so the key is unambiguous. */
function groupKey(shareName: string, filter: string): string {
  return `${shareName}/${filter}`;
}

function mergeBySubscriber(matched: readonly Subscription[]): Delivery[] {
  const deliveries: Delivery[] = [];
  const known: Map<Subscriber, Delivery> | null =
    matched.length > MERGED_BY_SEARCH_MAX ? new Map() : null;
  for (const subscription of matched) {
    if (subscription.group !== null) continue;
    const subscriber = subscription.subscriber;
    const earlier =
      known === null
        ? deliveries.find((delivery) => delivery.subscriber === subscriber)
        : known.get(subscriber);
    if (earlier !== undefined) {
      earlier.include(subscription);
      continue;
    }
    const delivery = new Delivery(subscription);
    deliveries.push(delivery);
    known?.set(subscriber, delivery);
  }
  return deliveries;
}

function groupsOf(matched: readonly Subscription[]): SharedGroup[] {
  const groups = new Set<SharedGroup>();
  for (const subscription of matched) {
    if (subscription.group !== null) groups.add(subscription.group);
  }
  return [...groups];
}
