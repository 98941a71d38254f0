import { NO_REVISION, type Revision } from '@robustmq/placement';
import type { SubscriptionRecord } from '@robustmq/placement-registry';
import type { ClientSession } from '../session/client-session.ts';
import type { ClusterEdges } from './cluster-edges.ts';

/** As many as the registry takes in one step. */
const KEYS_PER_STEP = 100;

/** What one transaction changes. */
interface Step {
  readonly kind: 'subscribe' | 'unsubscribe';
  readonly keys: Set<string>;
  readonly outcome: PromiseWithResolvers<Revision>;
}

/**
 * Stores what durable sessions subscribe to. The changes of one session take effect in the order of the
 * calls, one transaction at a time: what is asked for while one is under way is in the next, so that a
 * client that sends many SUBSCRIBE packets costs a few transactions.
 */
export class SubscriptionWrites {
  readonly #edges: ClusterEdges;
  /** Steps that wait, by session; the one under way is not among them. */
  readonly #waiting = new Map<ClientSession, Step[]>();

  constructor(edges: ClusterEdges) {
    this.#edges = edges;
  }

  /**
   * Stores these subscriptions as they are when the transaction is made; one that is gone by then is left out.
   *
   * @returns a revision that holds them
   * @throws RegistryError REGISTRY_FENCED when somebody else owns the session; PlacementError
   */
  subscribe(session: ClientSession, keys: readonly string[]): Promise<Revision> {
    return this.#ask(session, 'subscribe', keys);
  }

  /** As `subscribe`; those that are not stored are left out. */
  unsubscribe(session: ClientSession, keys: readonly string[]): Promise<Revision> {
    return this.#ask(session, 'unsubscribe', keys);
  }

  async #ask(
    session: ClientSession,
    kind: Step['kind'],
    keys: readonly string[],
  ): Promise<Revision> {
    const outcomes = new Set<Promise<Revision>>();
    const isIdle = !this.#waiting.has(session);
    const waiting = this.#waiting.get(session) ?? [];
    this.#waiting.set(session, waiting);
    for (const key of keys) {
      let last = waiting.at(-1);
      if (last?.kind !== kind || last.keys.size >= KEYS_PER_STEP) {
        last = { kind, keys: new Set(), outcome: Promise.withResolvers() };
        waiting.push(last);
      }
      last.keys.add(key);
      outcomes.add(last.outcome.promise);
    }
    if (isIdle) void this.#writeAll(session, waiting);
    const revisions = await Promise.all(outcomes);
    return Math.max(NO_REVISION, ...revisions) as Revision;
  }

  /** Never rejects. */
  async #writeAll(session: ClientSession, waiting: Step[]): Promise<void> {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      await this.#write(session, step).then(step.outcome.resolve, step.outcome.reject);
    }
    this.#waiting.delete(session);
  }

  #write(session: ClientSession, { kind, keys }: Step): Promise<Revision> {
    const { registries, settings } = this.#edges;
    const owner = { clientId: session.clientId, epoch: session.ownerEpoch };
    const call = { deadlineMs: settings.callDeadlineMs, signal: null };
    if (kind === 'unsubscribe') {
      return registries.subscriptions.unsubscribe(owner, [...keys], call);
    }
    return registries.subscriptions.subscribe(owner, recordsOf(session, keys), call);
  }
}

function recordsOf(session: ClientSession, keys: Iterable<string>): readonly SubscriptionRecord[] {
  const records: SubscriptionRecord[] = [];
  for (const topicFilter of keys) {
    const subscription = session.subscriptions.get(topicFilter);
    if (subscription === undefined) continue;
    const { qos, noLocal, retainAsPublished, retainHandling, identifier } = subscription;
    const subscriptionIdentifier = identifier === 0 ? null : identifier;
    const terms = { qos, noLocal, retainAsPublished, retainHandling, subscriptionIdentifier };
    records.push({ topicFilter, ...terms });
  }
  return records;
}
