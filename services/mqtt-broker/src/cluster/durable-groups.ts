import type { RegistryBatch, SubscriptionRecord } from '@robustmq/placement-registry';
import { parseSubscriptionFilter, type TopicLimits } from '@robustmq/topic';
import type { GroupMember } from './contract.ts';

/** One shared group with durable members. */
export interface DurableGroupEntry {
  readonly shareName: string;
  readonly filter: string;
  /** By client identifier, wherever the client is. */
  readonly members: ReadonlyMap<string, GroupMember>;
}

interface Entry extends DurableGroupEntry {
  readonly members: Map<string, GroupMember>;
}

/** Which shared groups have durable members, and whom: by the subscriptions of the placement center. */
export class DurableGroups {
  readonly #limits: TopicLimits;
  readonly #groups = new Map<string, Entry>();
  /** Keys of groups by client identifier and topic filter. */
  readonly #byClient = new Map<string, Map<string, string>>();

  constructor(limits: TopicLimits) {
    this.#limits = limits;
  }

  /** By key: share name, slash, filter. */
  get(key: string): DurableGroupEntry | undefined {
    return this.#groups.get(key);
  }

  keys(): IterableIterator<string> {
    return this.#groups.keys();
  }

  groupsOf(clientId: string): readonly string[] {
    return [...(this.#byClient.get(clientId)?.values() ?? [])];
  }

  /** @returns keys of groups whose members changed */
  apply(
    batch: RegistryBatch<SubscriptionRecord>,
    extent: 'whole' | 'changes',
  ): ReadonlySet<string> {
    const changed = new Set<string>();
    if (extent === 'whole') {
      for (const key of this.#groups.keys()) changed.add(key);
      this.#groups.clear();
      this.#byClient.clear();
    }
    for (const change of batch.changes) {
      const names = change.kind === 'put' ? change.stored.names : change.names;
      const [clientId = '', topicFilter = ''] = names;
      const record =
        change.kind === 'put' && change.stored.value.qos > 0 ? change.stored.value : null;
      const key =
        record === null
          ? this.#remove(clientId, topicFilter)
          : this.#put(clientId, topicFilter, record);
      if (key !== null) changed.add(key);
    }
    return changed;
  }

  #put(clientId: string, topicFilter: string, record: SubscriptionRecord): string | null {
    const parsed = parseSubscriptionFilter(topicFilter, this.#limits);
    if (!parsed.ok || parsed.value.shareName === null) return null;
    const { shareName, filter } = parsed.value;
    const key = `${shareName}/${filter}`;
    const entry = this.#groups.get(key) ?? { shareName, filter, members: new Map() };
    this.#groups.set(key, entry);
    const { qos, retainAsPublished } = record;
    entry.members.set(clientId, { clientId, qos, retainAsPublished });
    const own = this.#byClient.get(clientId) ?? new Map<string, string>();
    this.#byClient.set(clientId, own.set(topicFilter, key));
    return key;
  }

  #remove(clientId: string, topicFilter: string): string | null {
    const own = this.#byClient.get(clientId);
    const key = own?.get(topicFilter);
    if (own === undefined || key === undefined) return null;
    own.delete(topicFilter);
    if (own.size === 0) this.#byClient.delete(clientId);
    const entry = this.#groups.get(key);
    // Two spellings of one group may be subscribed to.
    if (entry === undefined || [...own.values()].includes(key)) return key;
    entry.members.delete(clientId);
    if (entry.members.size === 0) this.#groups.delete(key);
    return key;
  }
}
