import type { RetainedHome } from './retained-home.ts';
import type { WalkStage } from './retained-names.ts';

const PAGE_HOMES = 64;
const SLASH = 0x2f;
const DOLLAR = 0x24;

/** What the cursor asks of the store that it walks through. */
interface WalkedStore {
  slotOf(topic: Uint8Array): number;
  firstByteOf(slot: number): number;
}

/**
 * A walk through the retained messages that match a filter, while the store changes: a message that is
 * there from its beginning to its end is met exactly once; one that comes meanwhile once or not at all.
 */
export class RetainedCursor {
  readonly #store: WalkedStore;
  /** What is still to do; the last of them first. */
  readonly #stages: WalkStage[];
  /** The one topic, for a filter without wildcards; null once it was asked for. */
  #topic: Uint8Array | null;
  #homes: readonly (readonly [name: string, home: RetainedHome])[] = [];
  #homeAt = 0;
  #home: RetainedHome | null = null;
  #place = 0;
  #renewals = 0;
  #serial = -1;

  /** Use `RetainedStore.cursor`. */
  constructor(store: WalkedStore, topic: Uint8Array | null, stages: WalkStage[]) {
    this.#store = store;
    this.#topic = topic;
    this.#stages = stages.reverse();
  }

  /** The slot of the next message that matches; -1: the end. Valid until something is deleted. */
  next(): number {
    if (this.#topic !== null) {
      const slot = this.#store.slotOf(this.#topic);
      this.#topic = null;
      return slot;
    }
    for (let stage = this.#stages.at(-1); stage !== undefined; stage = this.#stages.at(-1)) {
      const slot = this.#nextOf(stage);
      if (slot >= 0) return slot;
      this.#stages.pop();
      this.#homes = [];
      this.#homeAt = 0;
    }
    return -1;
  }

  #nextOf(stage: WalkStage): number {
    for (;;) {
      if (this.#home !== null) {
        const slot = this.#nextAtHome(this.#home, stage);
        if (slot >= 0) return slot;
        this.#home = null;
      }
      const home = this.#nextHome(stage);
      if (home === null) return -1;
      if (stage.lastLevel === null) this.#enter(home);
      else {
        const slot = this.#store.slotOf(nameAt(home, stage.lastLevel));
        if (slot >= 0) return slot;
      }
    }
  }

  #enter(home: RetainedHome): void {
    this.#home = home;
    this.#place = 0;
    this.#serial = -1;
    this.#renewals = home.renewals;
  }

  #nextAtHome(home: RetainedHome, stage: WalkStage): number {
    if (this.#renewals !== home.renewals) {
      this.#place = home.placeAfter(this.#serial);
      this.#renewals = home.renewals;
    }
    while (this.#place < home.length) {
      const place = this.#place;
      this.#place += 1;
      const slot = home.slotAt(place);
      if (slot < 0) continue;
      this.#serial = home.serialAt(place);
      if (!stage.sparesDollar || this.#store.firstByteOf(slot) !== DOLLAR) return slot;
    }
    return -1;
  }

  #nextHome(stage: WalkStage): RetainedHome | null {
    if (this.#homeAt === this.#homes.length) {
      this.#homes = stage.homes.next(PAGE_HOMES);
      this.#homeAt = 0;
    }
    const pair = this.#homes[this.#homeAt];
    this.#homeAt += 1;
    return pair === undefined ? null : pair[1];
  }
}

/** The root has no name before the slash, and no slash. */
function nameAt(home: RetainedHome, lastLevel: Uint8Array): Uint8Array {
  if (home.isRoot) return lastLevel;
  const name = new Uint8Array(home.bytes.length + 1 + lastLevel.length);
  name.set(home.bytes);
  name[home.bytes.length] = SLASH;
  name.set(lastLevel, home.bytes.length + 1);
  return name;
}
