import { pause, type Registries } from '@robustmq/placement-registry';
import { Backoff } from '@robustmq/rpc';
import type { ClusterEdges } from './cluster-edges.ts';
import { WrittenTimes } from './written-times.ts';

const RETRY = { firstMs: 50, longestMs: 2_000 };
const DOCUMENT = { kind: 'mqtt-broker', name: 'session-times' } as const;

/**
 * The time that session expiry counts in. The elected broker counts it with its monotonic clock and
 * stores it every few seconds; the next one goes on from there. No wall clock is asked, so neither a host
 * that is an hour ahead nor a clock that jumps ends anything early.
 *
 * Two brokers that think they are elected each store what they count: either record is whole by itself.
 */
export class ClusterTime {
  readonly #edges: Pick<ClusterEdges, 'clock' | 'timers' | 'random' | 'settings' | 'failed'> & {
    readonly registries: Pick<Registries, 'documents'>;
  };
  readonly #written = new WrittenTimes();
  /** What the monotonic clock of this process lacks. */
  #aheadMs = 0;

  constructor(edges: ClusterEdges) {
    this.#edges = edges;
  }

  /** Milliseconds that were counted since the cluster began. */
  get nowMs(): number {
    return this.#edges.clock.monotonicMs() + this.#aheadMs;
  }

  /** The latest time at which a record of this revision can have been written. */
  writtenAtMs(revision: number): number {
    return this.#written.latestOf(revision) ?? this.nowMs;
  }

  /** Goes on from what was stored last; tried until it is read, or the signal is aborted. Never rejects. */
  async load(signal: AbortSignal): Promise<void> {
    const { registries, clock, timers, random, failed } = this.#edges;
    const backoff = new Backoff(RETRY, random);
    while (!signal.aborted) {
      try {
        const names = [DOCUMENT.kind, DOCUMENT.name];
        const stored = await registries.documents.read(names, this.#call);
        const nowMs = this.#written.load(stored?.value.content ?? new Uint8Array());
        this.#aheadMs = nowMs - clock.monotonicMs();
        return;
      } catch (error) {
        failed('reading the time of sessions', error);
        await pause(timers, backoff.nextMs(), signal);
      }
    }
  }

  /** Everything up to `revision` is written by now. Never rejects: what fails is stored with the next. */
  async save(revision: number): Promise<void> {
    const { nowMs } = this;
    this.#written.mark(revision, nowMs);
    const document = { ...DOCUMENT, content: this.#written.store(nowMs) };
    try {
      await this.#edges.registries.documents.save(document, null, this.#call);
    } catch (error) {
      this.#edges.failed('storing the time of sessions', error);
    }
  }

  get #call(): { readonly deadlineMs: number; readonly signal: null } {
    return { deadlineMs: this.#edges.settings.callDeadlineMs, signal: null };
  }
}
