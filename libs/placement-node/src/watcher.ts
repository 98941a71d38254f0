/**
 * One watch, seen from both ends: the hub offers changes, the consumer asks for batches.
 *
 *     live     changes are kept in a small buffer until the consumer asks
 *     behind   the buffer was full, or the watch begins in the past: the consumer is fed from the
 *              history, page by page and only as fast as it asks, until it has caught up
 *
 * Invariant: every event up to `#through` was delivered or is in the buffer; a live watch's
 * `#through` is the hub's revision, as far as its range is concerned.
 */
import type { KeyEvent, Revision, Watch, WatchBatch, WatchRequest } from '@robustmq/placement';
import { type ChangeHistory, eventBytes } from './change-history.ts';

/** LIMIT: watch-buffer-events */
export const WATCH_BUFFER_EVENTS_MAX = 1024;
/** LIMIT: watch-buffer-bytes */
export const WATCH_BUFFER_BYTES_MAX: number = 4 * 1024 * 1024;

/** What a watcher asks of its hub. */
export interface WatcherHost {
  readonly history: ChangeHistory;
  /** Changes up to here were offered to live watchers. */
  readonly published: Revision;
  /** Asks for `wake` in one of the next turns: at most so many per turn are woken. */
  wakeSoon(watcher: Watcher): void;
  forget(watcher: Watcher): void;
  nowMs(): number;
}

interface Waiting {
  readonly resolve: (result: IteratorResult<WatchBatch>) => void;
  readonly reject: (error: unknown) => void;
}

export class Watcher implements Watch {
  readonly request: WatchRequest;
  readonly #host: WatcherHost;
  #through: Revision;
  #mode: 'live' | 'behind';
  #buffer: KeyEvent[] = [];
  #bufferBytes = 0;
  #waiting: Waiting | null = null;
  #ended: 'no' | 'cancelled' | Error = 'no';
  #toldAtMs: number;
  /** The hub's mark that this watcher is in its list of those to wake. */
  isQueued = false;

  constructor(host: WatcherHost, request: WatchRequest) {
    this.#host = host;
    this.request = request;
    this.#through = request.from === null ? host.published : ((request.from - 1) as Revision);
    this.#mode = this.#through >= host.published ? 'live' : 'behind';
    this.#toldAtMs = host.nowMs();
  }

  /** A change of one revision; called for live and behind watchers alike, in order. */
  offer(revision: Revision, event: KeyEvent): void {
    // At or before `#through` it was read from the history, or lies before `from`.
    if (this.#mode === 'behind' || revision <= this.#through) return;
    const bytes = this.#bufferBytes + eventBytes(event);
    if (this.#buffer.length >= WATCH_BUFFER_EVENTS_MAX || bytes > WATCH_BUFFER_BYTES_MAX) {
      this.#dropFrom(revision);
      return;
    }
    this.#buffer.push(event);
    this.#bufferBytes = bytes;
    this.#host.wakeSoon(this);
  }

  /** The hub has offered everything of `revision`; only told to watchers that got something. */
  wake(): void {
    this.isQueued = false;
    const waiting = this.#waiting;
    if (waiting === null) return;
    this.#waiting = null;
    this.#answer(waiting);
  }

  /** Tells how far the watch has come, if its consumer waits and the time for it has come. */
  tellProgress(nowMs: number): void {
    const { progressEveryMs } = this.request;
    if (progressEveryMs === null || nowMs - this.#toldAtMs < progressEveryMs) return;
    if (this.#waiting === null || this.#mode === 'behind' || this.#buffer.length > 0) return;
    if (this.#host.published < this.#through) return;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting.resolve(this.#batch([], this.#host.published));
  }

  /**
   * The content was replaced by a snapshot: what came after `published`, the last revision offered, is
   * read from the history, or gone.
   */
  lose(published: Revision): void {
    if (this.#mode === 'behind') return;
    this.#mode = 'behind';
    this.#through = Math.max(this.#through, published) as Revision;
    this.#host.wakeSoon(this);
  }

  fail(error: Error): void {
    if (this.#ended !== 'no') return;
    this.#ended = error;
    this.#release();
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(error);
  }

  cancel(): void {
    if (this.#ended !== 'no') return;
    this.#ended = 'cancelled';
    this.#release();
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): AsyncIterator<WatchBatch> {
    return {
      next: () => this.#next(),
      return: () => {
        this.cancel();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  #next(): Promise<IteratorResult<WatchBatch>> {
    if (this.#waiting !== null) {
      return Promise.reject(new TypeError('a watch has one consumer, which asks for one batch'));
    }
    return new Promise((resolve, reject) => this.#answer({ resolve, reject }));
  }

  #answer(waiting: Waiting): void {
    if (this.#ended === 'cancelled') {
      waiting.resolve({ done: true, value: undefined });
    } else if (this.#ended !== 'no') {
      waiting.reject(this.#ended);
    } else if (this.#buffer.length > 0) {
      const events = this.#buffer;
      this.#buffer = [];
      this.#bufferBytes = 0;
      if (this.#mode === 'live') this.#through = this.#host.published;
      waiting.resolve(this.#batch(events, this.#through));
    } else if (this.#mode === 'live') {
      this.#waiting = waiting;
    } else {
      this.#catchUp(waiting).catch((error: unknown) => {
        this.fail(error instanceof Error ? error : new Error(String(error)));
        this.#answer(waiting);
      });
    }
  }

  async #catchUp(waiting: Waiting): Promise<void> {
    const { history } = this.#host;
    this.#bufferBytes = 0;
    while (this.#ended === 'no') {
      const page = await history.read(this.request.range, (this.#through + 1) as Revision);
      this.#through = Math.max(this.#through, page.through) as Revision;
      // Nothing is published between this comparison and the end of the turn.
      if (this.#through >= this.#host.published) this.#mode = 'live';
      if (page.events.length > 0) {
        this.#answerNow(waiting, page.events);
        return;
      }
      if (this.#mode === 'live') break;
    }
    this.#answer(waiting);
  }

  #answerNow(waiting: Waiting, events: readonly KeyEvent[]): void {
    if (this.#ended === 'no') waiting.resolve(this.#batch(events, this.#through));
    else this.#answer(waiting);
  }

  #batch(events: readonly KeyEvent[], revision: Revision): IteratorResult<WatchBatch> {
    this.#toldAtMs = this.#host.nowMs();
    return { done: false, value: { revision, events } };
  }

  /** The buffer keeps what came before `revision`; from there on the history is read. */
  #dropFrom(revision: Revision): void {
    this.#mode = 'behind';
    this.#through = (revision - 1) as Revision;
    this.#host.wakeSoon(this);
    // A revision whose first events are in the buffer is not split: it is read again, whole.
    while (this.#buffer.length > 0 && revisionOf(this.#buffer.at(-1) as KeyEvent) >= revision) {
      this.#buffer.pop();
    }
  }

  #release(): void {
    this.#buffer = [];
    this.#host.forget(this);
  }
}

function revisionOf(event: KeyEvent): number {
  return event.kind === 'put' ? event.keyValue.modRevision : event.modRevision;
}
