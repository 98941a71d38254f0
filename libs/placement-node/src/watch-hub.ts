/**
 * Passes applied changes to those who watch them.
 *
 * Cost of a change: one look-up per key, one push per watcher. Consumers are woken a few hundred per
 * turn of the event loop, so that a change ten thousand watch delays neither ticks nor sockets.
 */
import type { Clock, TimerHandle, Timers } from '@robustmq/environment';
import {
  type KeyEvent,
  PlacementError,
  type Revision,
  type Watch,
  type WatchRequest,
} from '@robustmq/placement';
import type { ChangeHistory, RevisionChanges } from './change-history.ts';
import { WatchIndex } from './watch-index.ts';
import { Watcher, type WatcherHost } from './watcher.ts';

const WOKEN_PER_TURN_MAX = 256;
const PROGRESS_CHECK_MS = 100;

/** LIMIT: watches-per-member */
export const WATCHES_MAX = 100_000;

export interface WatchHubEdges {
  readonly history: ChangeHistory;
  readonly clock: Clock;
  readonly timers: Timers;
}

export class WatchHub implements WatcherHost {
  readonly history: ChangeHistory;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #index = new WatchIndex<Watcher>();
  readonly #watchers = new Set<Watcher>();
  readonly #withProgress = new Set<Watcher>();
  #queued: Watcher[] = [];
  #wakeIsScheduled = false;
  #progressTimer: TimerHandle | null = null;
  #published: Revision;
  #isClosed = false;

  constructor(edges: WatchHubEdges) {
    this.history = edges.history;
    this.#clock = edges.clock;
    this.#timers = edges.timers;
    this.#published = edges.history.revision;
  }

  get published(): Revision {
    return this.#published;
  }

  get size(): number {
    return this.#watchers.size;
  }

  /** @throws PlacementError PLACEMENT_OVERLOADED, PLACEMENT_CLOSED */
  open(request: WatchRequest): Watch {
    if (this.#isClosed) throw new PlacementError({ code: 'PLACEMENT_CLOSED' });
    if (this.#watchers.size >= WATCHES_MAX) {
      const detail = `${String(WATCHES_MAX)} watches are open on this member`;
      throw new PlacementError({ code: 'PLACEMENT_OVERLOADED', detail });
    }
    const watcher = new Watcher(this, request);
    this.#watchers.add(watcher);
    this.#index.add(request.range, watcher);
    if (request.progressEveryMs !== null) this.#addProgress(watcher);
    return watcher;
  }

  /** Called once per applied batch, in order, before anyone hears of its results. */
  publish(changes: readonly RevisionChanges[]): void {
    for (const { revision, events } of changes) {
      if (revision <= this.#published) continue;
      for (const event of events) this.#offer(revision, event);
      this.#published = revision;
    }
  }

  /** The content was replaced as a whole and stands at `revision` now. */
  reset(revision: Revision): void {
    const before = this.#published;
    this.#published = revision;
    for (const watcher of this.#watchers) watcher.lose(before);
  }

  wakeSoon(watcher: Watcher): void {
    if (watcher.isQueued) return;
    watcher.isQueued = true;
    this.#queued.push(watcher);
    this.#scheduleWake();
  }

  forget(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    this.#index.remove(watcher.request.range, watcher);
    if (!this.#withProgress.delete(watcher) || this.#withProgress.size > 0) return;
    this.#progressTimer?.cancel();
    this.#progressTimer = null;
  }

  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  close(): void {
    this.#isClosed = true;
    for (const watcher of [...this.#watchers]) {
      watcher.fail(new PlacementError({ code: 'PLACEMENT_CLOSED' }));
    }
  }

  #offer(revision: Revision, event: KeyEvent): void {
    const key = event.kind === 'put' ? event.keyValue.key : event.key;
    this.#index.match(key, (watchers) => {
      for (const watcher of watchers) watcher.offer(revision, event);
    });
  }

  #scheduleWake(): void {
    if (this.#wakeIsScheduled) return;
    this.#wakeIsScheduled = true;
    this.#timers.soon(() => {
      this.#wakeIsScheduled = false;
      const now = this.#queued.splice(0, WOKEN_PER_TURN_MAX);
      for (const watcher of now) watcher.wake();
      if (this.#queued.length > 0) this.#scheduleWake();
    });
  }

  #addProgress(watcher: Watcher): void {
    this.#withProgress.add(watcher);
    this.#progressTimer ??= this.#timers.every(PROGRESS_CHECK_MS, () => {
      const nowMs = this.nowMs();
      for (const each of this.#withProgress) each.tellProgress(nowMs);
    });
  }
}
