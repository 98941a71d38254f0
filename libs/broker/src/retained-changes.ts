/**
 * Which retained messages changed since the last time they were taken: slots, each listed once, and the
 * topics of those that are gone. As many slots as there are, at most; as many topics as were removed.
 */
export class RetainedChanges {
  #slots: number[] = [];
  /** By slot: 1 while it is listed. One that is freed stays listed, or the list could grow forever. */
  #listed: Uint8Array = new Uint8Array(64);
  #removed = new Map<string, Uint8Array>();

  get isEmpty(): boolean {
    return this.#slots.length === 0 && this.#removed.size === 0;
  }

  add(slot: number): void {
    if (slot >= this.#listed.length) this.#grow(slot + 1);
    if (this.#listed[slot] === 1) return;
    this.#listed[slot] = 1;
    this.#slots.push(slot);
  }

  /** @param topic  the name in UTF-8; kept */
  addRemoved(name: string, topic: Uint8Array): void {
    this.#removed.set(name, topic);
  }

  /** Forgets what it returns. A slot may be free by now, and a topic may be there again. */
  take(): {
    readonly slots: readonly number[];
    readonly removed: ReadonlyMap<string, Uint8Array>;
  } {
    const taken = { slots: this.#slots, removed: this.#removed };
    for (const slot of this.#slots) this.#listed[slot] = 0;
    this.#slots = [];
    this.#removed = new Map();
    return taken;
  }

  #grow(count: number): void {
    const larger = new Uint8Array(Math.max(count, this.#listed.length * 2));
    larger.set(this.#listed);
    this.#listed = larger;
  }
}
