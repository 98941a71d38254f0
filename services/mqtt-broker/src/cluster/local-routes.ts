import type { Subscription } from '@robustmq/broker';
import type { RandomSource, Timers } from '@robustmq/environment';
import type { Revision } from '@robustmq/placement';
import {
  pause,
  type Registration,
  type Route,
  type RouteChange,
  type RouteWants,
} from '@robustmq/placement-registry';
import { Backoff } from '@robustmq/rpc';
import { parseSubscriptionFilter, type TopicLimits } from '@robustmq/topic';
import type { ClientSession } from '../session/client-session.ts';

const ROUTES_PER_CHANGE = 100;
const RETRY = { firstMs: 20, longestMs: 2_000 };

/** Online sessions here that want a filter. */
interface Wanted {
  members: number;
  /** Of them, those that need QoS 1 and 2 forwarded: they read no journal, or not for this filter. */
  everything: number;
}

interface Written {
  readonly members: number;
  readonly wants: RouteWants;
  readonly revision: Revision;
}

/** Writes one change; rejects when it is not known to be written. */
export type WriteRoutes = (registration: Registration, change: RouteChange) => Promise<Revision>;

/**
 * The routes to this broker: which filters its online sessions have. One writer brings the registry in
 * step with what is wanted, up to 100 routes in one transaction, and one transaction at a time: a filter
 * that comes and goes while one is under way costs one more, not one each.
 */
export class LocalRoutes {
  readonly #write: WriteRoutes;
  readonly #edges: { readonly timers: Timers; readonly random: RandomSource };
  readonly #failed: (error: unknown) => void;
  readonly #wanted = new Map<string, Wanted>();
  readonly #written = new Map<string, Written>();
  readonly #dirty = new Set<string>();
  readonly #waiting = new Map<string, ((revision: Revision) => void)[]>();
  /** What each session counts for, by route. */
  readonly #counted = new WeakMap<ClientSession, Map<string, RouteWants>>();
  #registration: Registration | null = null;
  #writing = false;
  #stopped = new AbortController();

  constructor(parts: {
    readonly write: WriteRoutes;
    readonly timers: Timers;
    readonly random: RandomSource;
    readonly failed: (error: unknown) => void;
  }) {
    this.#write = parts.write;
    this.#edges = parts;
    this.#failed = parts.failed;
  }

  /** Filters with a route to this broker, wanted or written. */
  get count(): number {
    return this.#wanted.size;
  }

  /** A new life of this broker: nothing is written yet. null: it has none now. */
  registered(registration: Registration | null): void {
    this.#registration = registration;
    this.#written.clear();
    this.#stopped.abort();
    this.#stopped = new AbortController();
    for (const key of this.#wanted.keys()) this.#dirty.add(key);
    this.#start();
  }

  stop(): void {
    this.#registration = null;
    this.#stopped.abort();
  }

  /** Brings what the session counts for in step with its subscriptions; offline it counts for nothing. */
  refresh(session: ClientSession): readonly string[] {
    const before = this.#counted.get(session) ?? new Map<string, RouteWants>();
    const after = new Map<string, RouteWants>();
    if (session.online) {
      for (const subscription of session.subscriptions.values()) {
        const key = routeOf(subscription);
        if (key !== null) after.set(key, wantsOf(session, subscription, after.get(key)));
      }
    }
    for (const [key, wants] of before) if (after.get(key) !== wants) this.#count(key, wants, -1);
    for (const [key, wants] of after) if (before.get(key) !== wants) this.#count(key, wants, 1);
    if (after.size === 0) this.#counted.delete(session);
    else this.#counted.set(session, after);
    return [...after.keys()];
  }

  /** As `refresh`, for one subscription that came or has other options: the cost is that of one. */
  added(session: ClientSession, subscription: Subscription): string | null {
    const key = routeOf(subscription);
    if (key === null || !session.online) return null;
    const counted = this.#counted.get(session) ?? new Map<string, RouteWants>();
    const before = counted.get(key);
    const wants = wantsOf(session, subscription, undefined);
    if (before === wants) return key;
    if (before !== undefined) this.#count(key, before, -1);
    this.#count(key, wants, 1);
    counted.set(key, wants);
    this.#counted.set(session, counted);
    return key;
  }

  /** A subscription of the session is gone, by the route it had. */
  removed(session: ClientSession, key: string): void {
    const counted = this.#counted.get(session);
    const wants = counted?.get(key);
    if (counted === undefined || wants === undefined) return;
    counted.delete(key);
    this.#count(key, wants, -1);
  }

  /** The revision at which every one of these routes is in the registry. */
  async written(keys: readonly string[]): Promise<Revision> {
    let newest = 0;
    for (const key of keys) newest = Math.max(newest, await this.#writtenOne(key));
    return newest as Revision;
  }

  #writtenOne(key: string): Promise<Revision> | Revision {
    const written = this.#written.get(key);
    if (written !== undefined && !this.#dirty.has(key)) return written.revision;
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(key);
      if (waiting === undefined) this.#waiting.set(key, [resolve]);
      else waiting.push(resolve);
    });
  }

  #count(key: string, wants: RouteWants, by: 1 | -1): void {
    const wanted = this.#wanted.get(key) ?? { members: 0, everything: 0 };
    wanted.members += by;
    if (wants === 'everything') wanted.everything += by;
    if (wanted.members === 0) this.#wanted.delete(key);
    else this.#wanted.set(key, wanted);
    this.#dirty.add(key);
    this.#start();
  }

  #start(): void {
    if (this.#writing || this.#registration === null || this.#dirty.size === 0) return;
    this.#writing = true;
    this.#edges.timers.soon(() => void this.#writeAll());
  }

  /** Never rejects. */
  async #writeAll(): Promise<void> {
    const backoff = new Backoff(RETRY, this.#edges.random);
    for (;;) {
      const registration = this.#registration;
      if (registration === null || this.#dirty.size === 0) break;
      const step = this.#nextStep();
      try {
        if (step.put.length + step.remove.length > 0) {
          const revision = await this.#write(registration, step);
          if (registration === this.#registration) this.#wrote(step, revision);
        }
        backoff.reset();
      } catch (error) {
        for (const { topicFilter } of step.put) this.#dirty.add(topicFilter);
        for (const key of step.remove) this.#dirty.add(key);
        this.#failed(error);
        await pause(this.#edges.timers, backoff.nextMs(), this.#stopped.signal);
      }
    }
    this.#writing = false;
    this.#start();
  }

  #nextStep(): RouteChange {
    const put: Route[] = [];
    const remove: string[] = [];
    for (const topicFilter of this.#dirty) {
      if (put.length + remove.length >= ROUTES_PER_CHANGE) break;
      this.#dirty.delete(topicFilter);
      const wanted = this.#wanted.get(topicFilter);
      const written = this.#written.get(topicFilter);
      if (wanted === undefined) {
        if (written !== undefined) remove.push(topicFilter);
        else this.#tell(topicFilter, 0 as Revision);
        continue;
      }
      const members = isShared(topicFilter) ? wanted.members : 1;
      const wants = wanted.everything > 0 ? 'everything' : 'atMostOnce';
      if (written?.members === members && written.wants === wants) {
        this.#tell(topicFilter, written.revision);
      } else put.push({ topicFilter, members, wants });
    }
    return { put, remove };
  }

  #wrote(step: RouteChange, revision: Revision): void {
    for (const { topicFilter, members, wants } of step.put) {
      this.#written.set(topicFilter, { members, wants, revision });
      this.#tell(topicFilter, revision);
    }
    for (const key of step.remove) {
      this.#written.delete(key);
      // Nobody needs to know when a route is gone.
      this.#tell(key, 0 as Revision);
    }
  }

  #tell(key: string, revision: Revision): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined || this.#dirty.has(key)) return;
    this.#waiting.delete(key);
    for (const resolve of waiting) resolve(revision);
  }
}

/** The route of a subscription by its key, `$share/…` prefix included; null: it has none. */
export function routeOfKey(key: string, limits: TopicLimits): string | null {
  const parsed = parseSubscriptionFilter(key, limits);
  if (!parsed.ok || parsed.value.filter.startsWith('$SYS/')) return null;
  const { shareName, filter } = parsed.value;
  return shareName === null ? filter : `$share/${shareName}/${filter}`;
}

/** As the registry spells it: `$queue/…` is a share name like any other. null: it is served from here alone. */
function routeOf(subscription: Subscription): string | null {
  const { filter, group } = subscription;
  // Each broker has a `$SYS` of its own.
  if (filter.startsWith('$SYS/')) return null;
  return group === null ? filter : `$share/${group.shareName}/${filter}`;
}

function isShared(key: string): boolean {
  return key.startsWith('$share/');
}

function wantsOf(
  session: ClientSession,
  subscription: Subscription,
  known: RouteWants | undefined,
): RouteWants {
  if (known === 'everything' || subscription.group !== null) return 'everything';
  return session.durable && subscription.qos > 0 ? 'atMostOnce' : 'everything';
}
