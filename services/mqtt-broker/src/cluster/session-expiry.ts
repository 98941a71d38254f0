import { willDelayMs } from '@robustmq/mqtt-session';
import {
  type OwnedSession,
  type RegistryBatch,
  RegistryError,
  type SessionRecord,
} from '@robustmq/placement-registry';
import type { ClusterEdges } from './cluster-edges.ts';
import { ClusterTime } from './cluster-time.ts';
import { followRegistry } from './follow-registry.ts';
import type { StoredWills } from './stored-wills.ts';

/** MQTT-5.0 §3.1.2.11.2. */
const NEVER_EXPIRES = 0xffff_ffff;
const TICK_MS = 1_000;
/** Wills that dead brokers had taken are looked for with each so many ticks. */
const ADOPT_TICKS = 5;
/** Sessions that are ended at once: the placement center has others to serve. */
const ENDED_AT_ONCE = 64;
/** How often the time is stored while sessions are away. */
const TICKS_PER_SAVE = 10;

interface Away extends OwnedSession {
  /** As are all times here, of {@link ClusterTime}. Infinity: it was published, or there is none. */
  willDueAtMs: number;
  readonly expiresAtMs: number;
}

/**
 * What time does to sessions that no broker has: wills whose delay has passed are published, as are those
 * that dead brokers had taken, and sessions that have lasted their interval end. One broker does it for
 * the cluster, the one with the lowest number that is alive; two that think so do no harm, because each step is fenced by the session's epoch.
 *
 * When a session was left is told by the revision of its record: wall clocks are not asked, see
 * {@link ClusterTime}. So nothing ends early, and after an election it may be some seconds late.
 */
export class SessionExpiry {
  readonly #edges: ClusterEdges;
  readonly #wills: StoredWills;
  readonly #away = new Map<string, Away>();
  readonly #time: ClusterTime;
  #elected: AbortController | null = null;
  #working = false;
  /** Every change up to here is applied. */
  #applied = 0;
  #ticks = 0;

  constructor(edges: ClusterEdges, wills: StoredWills) {
    this.#edges = edges;
    this.#wills = wills;
    this.#time = new ClusterTime(edges);
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
    void this.#watchOver(elected.signal);
  }

  stop(): void {
    this.#elected?.abort();
    this.#elected = null;
    this.#away.clear();
  }

  /** Never rejects. */
  async #watchOver(elected: AbortSignal): Promise<void> {
    await this.#time.load(elected);
    if (elected.aborted) return;
    const { registries, settings, timers } = this.#edges;
    const call = { deadlineMs: settings.callDeadlineMs, signal: null };
    const ticking = timers.every(TICK_MS, () => void this.#tick());
    elected.addEventListener('abort', () => ticking.cancel(), { once: true });
    await followRegistry<SessionRecord>(
      {
        watch: () => registries.sessions.watch({ within: [], call }),
        apply: (batch, extent) => this.#apply(batch, extent),
        failed: (error) => this.#edges.failed('watching the sessions', error),
      },
      this.#edges,
      elected,
    );
  }

  #apply(batch: RegistryBatch<SessionRecord>, extent: 'whole' | 'changes'): void {
    if (extent === 'whole') this.#away.clear();
    for (const change of batch.changes) {
      if (change.kind !== 'put') {
        this.#away.delete(change.names[0] ?? '');
        continue;
      }
      const { value: session, modRevision } = change.stored;
      if (session.owner !== null || session.disconnectedAtMs === null) {
        this.#away.delete(session.clientId);
        continue;
      }
      const { clientId } = session;
      const leftAtMs = extent === 'whole' ? this.#time.writtenAtMs(modRevision) : this.#time.nowMs;
      this.#away.set(clientId, awayFrom(session, leftAtMs));
    }
    this.#applied = batch.revision;
  }

  /** Never rejects. */
  async #tick(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    this.#ticks += 1;
    if (this.#ticks % ADOPT_TICKS === 0) await this.#wills.adopt();
    if (this.#ticks % TICKS_PER_SAVE === 1 && this.#away.size > 0) {
      await this.#time.save(this.#applied);
    }
    const { nowMs } = this.#time;
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

function awayFrom(session: SessionRecord, leftAtMs: number): Away {
  const { clientId, epoch, sessionExpirySeconds, willDelaySeconds } = session;
  const expires = sessionExpirySeconds < NEVER_EXPIRES;
  return {
    clientId,
    epoch,
    willDueAtMs: leftAtMs + willDelayMs(willDelaySeconds, sessionExpirySeconds),
    expiresAtMs: expires ? leftAtMs + sessionExpirySeconds * 1000 : Number.POSITIVE_INFINITY,
  };
}
