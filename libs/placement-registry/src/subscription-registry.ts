/**
 * What durable sessions are subscribed to.
 *
 * Key: `subscriptions/{clientId}/{topic filter}`. Value: {@link SubscriptionRecord}.
 * Invariant: only the owner of the session changes them. Each write compares the session as it was read
 * with the epoch that the writer names, so subscriptions never outlive the session they belong to.
 */

import { type CallOptions, NO_REVISION, type Operation, type Revision } from '@robustmq/placement';
import { assertEpoch } from './epoch.ts';
import { changeRecordAt } from './record-change.ts';
import { count, fields, flag, orNull, text } from './record-shape.ts';
import { type Page, type PageRequest, type Reading, RecordTable } from './record-table.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistryStore } from './registry-store.ts';
import { type RegistryWatch, type RegistryWatchOptions, watchRegistry } from './registry-watch.ts';
import type { OwnedSession, SessionRecord, SessionRegistry } from './session-registry.ts';

/** One subscription with its options (MQTT-5.0 §3.8.3.1). */
export interface SubscriptionRecord {
  /** With its `$share/{group}/`, if it is shared. */
  readonly topicFilter: string;
  readonly qos: number;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: number;
  /** MQTT-5.0 §3.8.2.1.2; null: none. */
  readonly subscriptionIdentifier: number | null;
}

const SUBSCRIPTION = fields<SubscriptionRecord>({
  topicFilter: text,
  qos: count,
  noLocal: flag,
  retainAsPublished: flag,
  retainHandling: count,
  subscriptionIdentifier: orNull(count),
});

/** LIMIT: subscriptionsPerChangeMax */
const subscriptionsPerChangeMax = 100;
/** LIMIT: subscribersKnownMax */
const subscribersKnownMax = 10_000;

/** The subscriptions of one cluster. */
export class SubscriptionRegistry {
  readonly #table: RecordTable<SubscriptionRecord>;
  readonly #sessions: SessionRegistry;
  /** Sessions as they were read last, by client identifier: an owner that changes more need not read again. */
  readonly #known = new Map<string, Reading<SessionRecord>>();

  constructor(store: RegistryStore, sessions: SessionRegistry) {
    this.#table = subscriptionTable(store);
    this.#sessions = sessions;
  }

  /**
   * Adds or replaces all of them in one step.
   *
   * @returns the revision that holds them
   * @throws REGISTRY_FENCED @throws REGISTRY_INVALID
   */
  async subscribe(
    owner: OwnedSession,
    subscriptions: readonly SubscriptionRecord[],
    options: CallOptions,
  ): Promise<Revision> {
    const newest = new Map(subscriptions.map((each) => [each.topicFilter, each]));
    const operations = [...newest.values()].map((each) =>
      this.#table.put([owner.clientId, each.topicFilter], each, null),
    );
    return this.#change(owner, operations, options);
  }

  /** Those that do not exist are left out. @throws REGISTRY_FENCED @throws REGISTRY_INVALID */
  async unsubscribe(
    owner: OwnedSession,
    topicFilters: readonly string[],
    options: CallOptions,
  ): Promise<Revision> {
    const operations = [...new Set(topicFilters)].map((filter) =>
      this.#table.remove([owner.clientId, filter]),
    );
    return this.#change(owner, operations, options);
  }

  /** Of one client, or of all; ascending by client identifier, then filter. */
  list(
    clientId: string | null,
    page: PageRequest,
    options: CallOptions,
  ): Promise<Page<SubscriptionRecord>> {
    return this.#table.list(clientId === null ? [] : [clientId], page, options);
  }

  /** The names of a change are client identifier and topic filter. */
  watch(options: RegistryWatchOptions): RegistryWatch<SubscriptionRecord> {
    return watchRegistry(this.#table, options);
  }

  async #change(
    owner: OwnedSession,
    operations: readonly Operation[],
    options: CallOptions,
  ): Promise<Revision> {
    if (operations.length === 0) return NO_REVISION;
    if (operations.length > subscriptionsPerChangeMax) {
      const detail = `${operations.length} filters in one step exceed ${subscriptionsPerChangeMax}`;
      throw new RegistryError({ code: 'REGISTRY_INVALID', detail });
    }
    const { table } = this.#sessions;
    const names = [owner.clientId];
    const last = this.#known.get(owner.clientId);
    const known = last?.stored?.value.epoch === owner.epoch ? last : null;
    const { revision } = await changeRecordAt(
      { table, names, known },
      (reading) => {
        assertEpoch(reading, { key: table.keyOf(names), epoch: owner.epoch });
        if (reading !== known) this.#remember(owner.clientId, reading);
        return { kind: 'write', operations, fences: [], compare: [], answer: null };
      },
      options,
    );
    return revision;
  }

  #remember(clientId: string, reading: Reading<SessionRecord>): void {
    this.#known.delete(clientId);
    this.#known.set(clientId, reading);
    if (this.#known.size <= subscribersKnownMax) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}

/** Where the subscriptions are, for the registry of sessions that deletes them. */
export function subscriptionTable(store: RegistryStore): RecordTable<SubscriptionRecord> {
  return new RecordTable(store, 'subscriptions', SUBSCRIPTION);
}
