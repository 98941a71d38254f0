const PAGE_NAMES = 256;

/** What the cursor asks of the store that it walks through. */
interface SlotsByName {
  readonly removals: number;
  slotOf(name: string): number;
}

interface NamePages {
  next(max: number): readonly (readonly [name: string, slot: number])[];
}

/** A walk through the retained messages that match a filter; the store may change meanwhile. */
export class RetainedCursor {
  /** Of the message that `next` returned last. */
  name = '';
  readonly #store: SlotsByName;
  readonly #names: NamePages;
  #page: readonly (readonly [name: string, slot: number])[] = [];
  #at = 0;
  #removals = 0;

  /** Use `RetainedStore.cursor`. */
  constructor(store: SlotsByName, names: NamePages) {
    this.#store = store;
    this.#names = names;
  }

  /** The slot of the next message that matches and is there; -1: the end. */
  next(): number {
    for (;;) {
      if (this.#at === this.#page.length) this.#turnPage();
      const pair = this.#page[this.#at];
      if (pair === undefined) return -1;
      this.#at += 1;
      this.name = pair[0];
      // A slot that was freed may have another message by now.
      const known = this.#removals === this.#store.removals;
      const slot = known ? pair[1] : this.#store.slotOf(this.name);
      if (slot >= 0) return slot;
    }
  }

  #turnPage(): void {
    this.#page = this.#names.next(PAGE_NAMES);
    this.#at = 0;
    this.#removals = this.#store.removals;
  }
}
