/**
 * Where the live value of each key stands.
 *
 * A key costs its string, one map entry and 12 bytes of typed arrays; values stay on the disk.
 */
const INITIAL_SLOTS = 1024;

export class CheckpointIndex {
  readonly #slots = new Map<string, number>();
  readonly #free: number[] = [];
  #segments: Uint32Array = new Uint32Array(INITIAL_SLOTS);
  #positions: Uint32Array = new Uint32Array(INITIAL_SLOTS);
  #lengths: Uint32Array = new Uint32Array(INITIAL_SLOTS);
  readonly #liveCounts = new Map<number, number>();
  #liveBytes = 0;

  get keyCount(): number {
    return this.#slots.size;
  }

  /** Bytes of the live entries. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** How many live entries a segment holds. */
  liveCountOf(segment: number): number {
    return this.#liveCounts.get(segment) ?? 0;
  }

  has(key: string): boolean {
    return this.#slots.has(key);
  }

  /** Whether the entry at this place is the key's live one. */
  isLive(key: string, segment: number, position: number): boolean {
    const slot = this.#slots.get(key);
    if (slot === undefined) return false;
    return this.#segments[slot] === segment && this.#positions[slot] === position;
  }

  set(
    key: string,
    place: { readonly segment: number; readonly position: number; readonly length: number },
  ): void {
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = this.#free.pop() ?? this.#slots.size;
      this.#slots.set(key, slot);
      if (slot >= this.#segments.length) this.#grow();
    } else this.#leave(slot);
    this.#segments[slot] = place.segment;
    this.#positions[slot] = place.position;
    this.#lengths[slot] = place.length;
    this.#liveBytes += place.length;
    this.#liveCounts.set(place.segment, this.liveCountOf(place.segment) + 1);
  }

  delete(key: string): void {
    const slot = this.#slots.get(key);
    if (slot === undefined) return;
    this.#slots.delete(key);
    this.#free.push(slot);
    this.#leave(slot);
  }

  /** Forgets what a segment that is gone still held; returns how many keys that were. */
  deleteSegment(segment: number): number {
    const lost = this.liveCountOf(segment);
    if (lost > 0) {
      for (const [key, slot] of this.#slots) {
        if (this.#segments[slot] === segment) this.delete(key);
      }
    }
    this.#liveCounts.delete(segment);
    return lost;
  }

  #leave(slot: number): void {
    const segment = this.#segments[slot] as number;
    this.#liveBytes -= this.#lengths[slot] as number;
    this.#liveCounts.set(segment, this.liveCountOf(segment) - 1);
  }

  #grow(): void {
    this.#segments = doubled(this.#segments);
    this.#positions = doubled(this.#positions);
    this.#lengths = doubled(this.#lengths);
  }
}

function doubled(array: Uint32Array): Uint32Array {
  const grown = new Uint32Array(array.length * 2);
  grown.set(array);
  return grown;
}
