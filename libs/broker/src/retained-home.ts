const GONE = -1;
const GAPS_MAX = 16;

/**
 * The retained messages whose names agree up to the last `/`, in the order in which they came. One that
 * goes leaves a gap; when gaps are more than half, the list is made anew, in the same order, so that a
 * walk finds its place again.
 */
export class RetainedHome {
  /** What stands before the last `/`; empty for the root. */
  readonly text: string;
  /** `text` in UTF-8. */
  readonly bytes: Uint8Array;
  readonly hash: number;
  readonly isRoot: boolean;
  nextOfHash: RetainedHome | null = null;
  /** How many times the list was made anew. */
  renewals = 0;
  #slots: number[] = [];
  /** Beside `#slots`: ascending numbers, never used twice. */
  #serials: number[] = [];
  #nextSerial = 0;
  #count = 0;

  /** @param bytes  null: the root, for names without a `/` */
  constructor(text: string, bytes: Uint8Array | null, hash: number) {
    this.text = text;
    this.bytes = bytes ?? new Uint8Array(0);
    this.isRoot = bytes === null;
    this.hash = hash;
  }

  get count(): number {
    return this.#count;
  }

  /** Places in the list, gaps included. */
  get length(): number {
    return this.#slots.length;
  }

  isPrefix(name: Uint8Array, length: number): boolean {
    if (this.bytes.length !== length) return false;
    for (let at = 0; at < length; at += 1) if (this.bytes[at] !== name[at]) return false;
    return true;
  }

  /** @returns its serial, which `remove` wants to know */
  add(slot: number): number {
    const serial = this.#nextSerial;
    if (this.#slots.length === 0) {
      // An array that grows by one makes room for 17; most homes of one message stay so.
      this.#slots = [slot];
      this.#serials = [serial];
    } else {
      this.#slots.push(slot);
      this.#serials.push(serial);
    }
    this.#nextSerial += 1;
    this.#count += 1;
    return serial;
  }

  remove(serial: number): void {
    this.#slots[this.placeAfter(serial) - 1] = GONE;
    this.#count -= 1;
    if (this.#slots.length > 2 * this.#count + GAPS_MAX) this.#renew();
  }

  /** The slot at a place; -1: a gap. */
  slotAt(place: number): number {
    return this.#slots[place] as number;
  }

  serialAt(place: number): number {
    return this.#serials[place] as number;
  }

  /** The first place with a serial above this one. */
  placeAfter(serial: number): number {
    let low = 0;
    let high = this.#serials.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#serials[middle] as number) > serial) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #renew(): void {
    const slots: number[] = [];
    const serials: number[] = [];
    for (const [place, slot] of this.#slots.entries()) {
      if (slot === GONE) continue;
      slots.push(slot);
      serials.push(this.#serials[place] as number);
    }
    this.#slots = slots;
    this.#serials = serials;
    this.renewals += 1;
  }
}
