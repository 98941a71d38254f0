/** Above it a bitmap of all identifiers (8 KiB) is smaller than a set. */
const SET_MAX = 256;
const BITMAP_BYTES = 8192;

/**
 * Packet identifiers of QoS 2 messages that this client has sent and not yet released: a repeated
 * PUBLISH with one of them is acknowledged, not delivered again (MQTT-5.0 [MQTT-4.3.3-10]).
 *
 * LIMIT: receiveMaximum for a 5.0 client; for a 3.x one the 65,535 identifiers that there are, at
 * 8 KiB for all of them.
 */
export class InboundReceipts {
  #few: Set<number> | null = new Set();
  #many: Uint8Array | null = null;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  has(identifier: number): boolean {
    if (this.#few !== null) return this.#few.has(identifier);
    return (this.#byteOf(identifier) & bitOf(identifier)) !== 0;
  }

  add(identifier: number): void {
    if (this.has(identifier)) return;
    this.#count += 1;
    if (this.#few !== null && this.#count <= SET_MAX) this.#few.add(identifier);
    else this.#mark(identifier);
  }

  /**
   * The next PUBLISH with this identifier is a new message (MQTT-5.0 [MQTT-4.3.3-12]).
   *
   * @returns false when it was not there: PUBCOMP carries 0x92
   */
  release(identifier: number): boolean {
    if (!this.has(identifier)) return false;
    this.#count -= 1;
    if (this.#few !== null) this.#few.delete(identifier);
    else if (this.#many !== null)
      this.#many[identifier >> 3] = this.#byteOf(identifier) ^ bitOf(identifier);
    if (this.#count === 0 && this.#many !== null) {
      this.#many = null;
      this.#few = new Set();
    }
    return true;
  }

  identifiers(): readonly number[] {
    if (this.#few !== null) return [...this.#few];
    const found: number[] = [];
    for (let identifier = 1; identifier < BITMAP_BYTES * 8; identifier += 1) {
      if (this.has(identifier)) found.push(identifier);
    }
    return found;
  }

  #mark(identifier: number): void {
    if (this.#many === null) {
      this.#many = new Uint8Array(BITMAP_BYTES);
      for (const known of this.#few ?? [])
        this.#many[known >> 3] = this.#byteOf(known) | bitOf(known);
      this.#few = null;
    }
    this.#many[identifier >> 3] = this.#byteOf(identifier) | bitOf(identifier);
  }

  #byteOf(identifier: number): number {
    return this.#many?.[identifier >> 3] ?? 0;
  }
}

function bitOf(identifier: number): number {
  return 1 << (identifier & 7);
}
