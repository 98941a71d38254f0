import { willDelayMs } from '@robustmq/mqtt-session';
import {
  type OwnedSession,
  type RegistryBatch,
  RegistryError,
  type SessionRecord,
} from '@robustmq/placement-registry';
import type { ClusterEdges } from './cluster-edges.ts';
import { followRegistry } from './follow-registry.ts';
import type { StoredWills } from './stored-wills.ts';

/** MQTT-5.0 §3.1.2.11.2. */
const NEVER_EXPIRES = 0xffff_ffff;
const TICK_MS = 1_000;
/** Wills that dead brokers had taken are looked for with each so many ticks. */
const ADOPT_TICKS = 5;
/** Sessions that are ended at once: the placement center has others to serve. */
const ENDED_AT_ONCE = 64;

interface Away extends OwnedSession {
  /** Milliseconds since 1970; Infinity: it was published, or there is none. */
  willDueAtMs: number;
  readonly expiresAtMs: number;
}

/** When a session without an owner ends, in milliseconds since 1970; Infinity: never, or it has one. */
export function expiryOf(session: SessionRecord): number {
  if (session.disconnectedAtMs === null || session.owner !== null) return Number.POSITIVE_INFINITY;
  if (session.sessionExpirySeconds >= NEVER_EXPIRES) return Number.POSITIVE_INFINITY;
  return session.disconnectedAtMs + session.sessionExpirySeconds * 1000;
}

/**
 * What time does to sessions that no broker has: wills whose delay has passed are published, as are those
 * that dead brokers had taken, and sessions that have lasted their interval end. One broker does it for the cluster, the one with the lowest number
 * that is alive; two that think so do no harm, because each step is fenced by the session's epoch.
 *
 * It runs on the clock of that broker: what differs between clocks is off by as much.
 */
export class SessionExpiry {
  readonly #edges: ClusterEdges;
  readonly #wills: StoredWills;
  readonly #away = new Map<string, Away>();
  #elected: AbortController | null = null;
  #working = false;
  #ticks = 0;

  constructor(edges: ClusterEdges, wills: StoredWills) {
    this.#edges = edges;
    this.#wills = wills;
  }

  /** Sessions that are watched over here; 0 unless this broker is elected. */
  get count(): number {
    return this.#away.size;
  }

  setElected(isElected: boolean): void {
    if (isElected === (this.#elected !== null)) return;
    if (!isElected) {
      this.stop();
      return;
    }
    const elected = new AbortController();
    this.#elected = elected;
    const { registries, settings, timers } = this.#edges;
    const call = { deadlineMs: settings.callDeadlineMs, signal: null };
    const ticking = timers.every(TICK_MS, () => void this.#tick());
    elected.signal.addEventListener('abort', () => ticking.cancel(), { once: true });
    void followRegistry<SessionRecord>(
      {
        watch: () => registries.sessions.watch({ within: [], call }),
        apply: (batch, extent) => this.#apply(batch, extent),
        failed: (error) => this.#edges.failed('watching the sessions', error),
      },
      this.#edges,
      elected.signal,
    );
  }

  stop(): void {
    this.#elected?.abort();
    this.#elected = null;
    this.#away.clear();
  }

  #apply(batch: RegistryBatch<SessionRecord>, extent: 'whole' | 'changes'): void {
    if (extent === 'whole') this.#away.clear();
    for (const change of batch.changes) {
      if (change.kind !== 'put') {
        this.#away.delete(change.names[0] ?? '');
        continue;
      }
      const session = change.stored.value;
      const { clientId, epoch, disconnectedAtMs } = session;
      if (session.owner !== null || disconnectedAtMs === null) this.#away.delete(clientId);
      else {
        const delayMs = willDelayMs(session.willDelaySeconds, session.sessionExpirySeconds);
        const willDueAtMs = disconnectedAtMs + delayMs;
        this.#away.set(clientId, { clientId, epoch, willDueAtMs, expiresAtMs: expiryOf(session) });
      }
    }
  }

  /** Never rejects. */
  async #tick(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    this.#ticks += 1;
    if (this.#ticks % ADOPT_TICKS === 0) await this.#wills.adopt();
    const nowMs = this.#edges.clock.nowMs();
    const due: Away[] = [];
    for (const away of this.#away.values()) {
      if (away.willDueAtMs <= nowMs || away.expiresAtMs <= nowMs) due.push(away);
    }
    for (let first = 0; first < due.length && this.#elected !== null; first += ENDED_AT_ONCE) {
      const some = due.slice(first, first + ENDED_AT_ONCE);
      await Promise.all(some.map((away) => this.#actOn(away, nowMs)));
    }
    this.#working = false;
  }

  async #actOn(away: Away, nowMs: number): Promise<void> {
    try {
      if (away.willDueAtMs <= nowMs) {
        const taken = await this.#wills.take(away);
        away.willDueAtMs = Number.POSITIVE_INFINITY;
        if (taken !== null) this.#wills.publish(taken);
      }
      if (away.expiresAtMs <= nowMs) await this.#end(away);
    } catch (error) {
      const isFenced = error instanceof RegistryError && error.fault.code === 'REGISTRY_FENCED';
      // Its client is back, or somebody else was first: the watch tells what it has become.
      if (isFenced) this.#away.delete(away.clientId);
      else this.#edges.failed('ending a session', error);
    }
  }

  /** Taken for nobody first: then its record can be removed without a new owner reading it half gone. */
  async #end(away: Away): Promise<void> {
    const { registries, durable, settings, clock, context } = this.#edges;
    const call = { deadlineMs: settings.callDeadlineMs, signal: null };
    const { clientId } = away;
    const nowMs = Math.floor(clock.nowMs());
    const claim = { clientId, owner: null, sessionExpirySeconds: 0, willDelaySeconds: 0, nowMs };
    const taken = await registries.sessions.takeOver(away, claim, call);
    await durable.forget(clientId, taken.epoch, settings.stateDeadlineMs);
    await registries.sessions.delete(taken, call);
    context.counters.sessionsExpired += 1;
    this.#away.delete(clientId);
  }
}
