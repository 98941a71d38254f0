/**
 * The history that watches are fed from: the newest revisions from memory, older ones from the store.
 *
 * Consumers that fall a little behind are many and read the same; they cost no disk. More would be kept
 * than dies young: every collection of garbage would copy it.
 */
import {
  type KeyEvent,
  type KeyRange,
  matchesRange,
  type Revision,
  type RevisionEvents,
} from '@robustmq/placement';
import type { PlacementStore } from '@robustmq/placement-store';
import { type ChangeHistory, type ChangePage, eventBytes } from './change-history.ts';

const PAGE_REVISIONS_MAX = 512;
const PAGE_BYTES_MAX = 1024 * 1024;
/** LIMIT: recent-revisions */
const RECENT_REVISIONS_MAX = 512;
/** LIMIT: recent-bytes */
const RECENT_BYTES_MAX = 32 * 1024 * 1024;

export class StoreHistory implements ChangeHistory {
  readonly #store: PlacementStore;
  /** The newest revisions that changed keys, without a gap. */
  #recent: RevisionEvents[] = [];
  #recentBytes = 0;

  constructor(store: PlacementStore) {
    this.#store = store;
  }

  get revision(): Revision {
    return this.#store.revision;
  }

  /** Remembers what was applied. */
  applied(revisions: readonly RevisionEvents[]): void {
    for (const each of revisions) {
      this.#recent.push(each);
      this.#recentBytes += bytesOf(each);
    }
    // Half is dropped at once, so that it happens rarely.
    if (this.#recent.length > RECENT_REVISIONS_MAX || this.#recentBytes > RECENT_BYTES_MAX) {
      this.#recent = this.#recent.slice(Math.ceil(this.#recent.length / 2));
      this.#recentBytes = this.#recent.reduce((sum, each) => sum + bytesOf(each), 0);
    }
  }

  /** The content was replaced: what is remembered does not lead up to it. */
  forget(): void {
    this.#recent = [];
    this.#recentBytes = 0;
  }

  async read(range: KeyRange, from: Revision): Promise<ChangePage> {
    const newestBefore = this.#store.revision;
    const page = this.#fromMemory(from) ?? (await this.#store.history(from, PAGE_BYTES_MAX));
    const through = page.at(-1)?.revision ?? Math.max(newestBefore, from - 1);
    return { events: eventsIn(range, page), through: through as Revision };
  }

  /** null when it reaches further back than memory does, or to what was compacted. */
  #fromMemory(from: Revision): readonly RevisionEvents[] | null {
    const [oldest] = this.#recent;
    if (oldest === undefined || from < oldest.revision) return null;
    if (from <= this.#store.compactedRevision) return null;
    let low = 0;
    let high = this.#recent.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#recent[middle] as RevisionEvents).revision < from) low = middle + 1;
      else high = middle;
    }
    return this.#recent.slice(low, low + PAGE_REVISIONS_MAX);
  }
}

function bytesOf({ events }: RevisionEvents): number {
  return events.reduce((sum, event) => sum + eventBytes(event), 0);
}

function eventsIn(range: KeyRange, page: readonly RevisionEvents[]): readonly KeyEvent[] {
  const found: KeyEvent[] = [];
  for (const { events } of page) {
    for (const event of events) {
      const key = event.kind === 'put' ? event.keyValue.key : event.key;
      if (matchesRange(range, key)) found.push(event);
    }
  }
  return found;
}
