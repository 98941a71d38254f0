import { assert } from '@robustmq/errors';

/** Where one outbound QoS 1 or 2 exchange stands (MQTT-5.0 §4.3.2, §4.3.3). */
export const ExchangeState = {
  free: 0,
  /** Assigned, its PUBLISH not yet sent (waits for the journal). */
  assigned: 1,
  awaitingPuback: 2,
  awaitingPubrec: 3,
  /** PUBREC arrived, PUBREL not yet sent (waits for the journal). */
  received: 4,
  awaitingPubcomp: 5,
} as const;
export type ExchangeState = (typeof ExchangeState)[keyof typeof ExchangeState];

const FIRST_CAPACITY = 16;
const PACKET_IDENTIFIER_MAX = 65535;

/**
 * The exchanges that are open towards one client: packet identifiers, their states, and for durable
 * sessions the journal offset behind each (MQTT-5.0 §2.2.1, §4.9).
 *
 * Identifiers are handed out from a ring of free ones, so that one is reused as late as possible.
 * Memory grows with the exchanges really open, from 16 up, never with the client's Receive Maximum.
 *
 * Invariant: `count` identifiers are not free; `count <= limit` except after the limit was lowered.
 */
export class OutboundWindow {
  #states: Uint8Array;
  #offsets: Float64Array | null = null;
  /** Ring of free identifiers. */
  #free: Uint16Array;
  #freeHead = 0;
  #freeCount = 0;
  #count = 0;
  #limit: number;
  /** Identifiers 1 to this one exist. */
  #capacity: number;

  /** @param limit  the smaller of the client's Receive Maximum and ours, 1 to 65535 */
  constructor(limit: number) {
    this.#limit = limit;
    this.#capacity = Math.min(FIRST_CAPACITY, limit);
    this.#states = new Uint8Array(this.#capacity + 1);
    this.#free = new Uint16Array(this.#capacity);
    for (let id = 1; id <= this.#capacity; id += 1) this.#free[id - 1] = id;
    this.#freeCount = this.#capacity;
  }

  /** Open exchanges. */
  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count >= this.#limit;
  }

  /** A reconnected client may allow more or fewer; open exchanges stay open (MQTT-5.0 §4.9). */
  setLimit(limit: number): void {
    this.#limit = limit;
  }

  /**
   * Opens an exchange.
   *
   * @returns its packet identifier, or 0 when the quota is used up: hold the message, don't drop it
   */
  take(state: ExchangeState): number {
    if (this.#count >= this.#limit) return 0;
    if (this.#freeCount === 0 && !this.#grow(this.#capacity * 2)) return 0;
    const id = this.#free[this.#freeHead] as number;
    this.#freeHead = this.#freeHead + 1 === this.#free.length ? 0 : this.#freeHead + 1;
    this.#freeCount -= 1;
    this.#count += 1;
    this.#states[id] = state;
    return id;
  }

  stateOf(id: number): ExchangeState {
    return id <= this.#capacity ? (this.#states[id] as ExchangeState) : ExchangeState.free;
  }

  setState(id: number, state: ExchangeState): void {
    assert(this.stateOf(id) !== ExchangeState.free, `exchange ${id} is not open`);
    this.#states[id] = state;
  }

  /** Closes an exchange. @returns false when it was not open: answer 0x92 */
  release(id: number): boolean {
    if (id < 1 || id > this.#capacity || this.#states[id] === ExchangeState.free) return false;
    this.#states[id] = ExchangeState.free;
    this.#count -= 1;
    const tail = this.#freeHead + this.#freeCount;
    this.#free[tail >= this.#free.length ? tail - this.#free.length : tail] = id;
    this.#freeCount += 1;
    return true;
  }

  /** Journal offset of the message behind an open exchange; -1 when none was set. */
  offsetOf(id: number): number {
    return this.#offsets === null ? -1 : (this.#offsets[id] as number);
  }

  setOffset(id: number, offset: number): void {
    this.#offsets ??= new Float64Array(this.#capacity + 1).fill(-1);
    this.#offsets[id] = offset;
  }

  /** Opens a given exchange again after a restart. Idempotent. */
  restore(id: number, state: ExchangeState, offset: number): void {
    assert(id >= 1 && id <= PACKET_IDENTIFIER_MAX, `packet identifier ${id}`);
    if (id > this.#capacity) this.#grow(Math.max(id, this.#capacity * 2));
    if (this.#states[id] === ExchangeState.free) {
      this.#removeFree(id);
      this.#count += 1;
    }
    this.#states[id] = state;
    this.setOffset(id, offset);
  }

  /** Open exchanges by ascending offset, the order in which they are resent (MQTT-5.0 [MQTT-4.6.0-1]). */
  open(): { readonly id: number; readonly state: ExchangeState; readonly offset: number }[] {
    const found: { id: number; state: ExchangeState; offset: number }[] = [];
    for (let id = 1; id <= this.#capacity; id += 1) {
      const state = this.#states[id] as ExchangeState;
      if (state !== ExchangeState.free) found.push({ id, state, offset: this.offsetOf(id) });
    }
    return found.sort((a, b) => a.offset - b.offset);
  }

  /** The lowest offset behind an open exchange, or `otherwise`. */
  oldestOffset(otherwise: number): number {
    if (this.#count === 0 || this.#offsets === null) return otherwise;
    let oldest = otherwise;
    for (let id = 1; id <= this.#capacity; id += 1) {
      if (this.#states[id] === ExchangeState.free) continue;
      const offset = this.#offsets[id] as number;
      if (offset >= 0 && offset < oldest) oldest = offset;
    }
    return oldest;
  }

  #grow(wanted: number): boolean {
    const capacity = Math.min(wanted, PACKET_IDENTIFIER_MAX);
    if (capacity <= this.#capacity) return false;
    const states = new Uint8Array(capacity + 1);
    states.set(this.#states);
    if (this.#offsets !== null) {
      const offsets = new Float64Array(capacity + 1).fill(-1);
      offsets.set(this.#offsets);
      this.#offsets = offsets;
    }
    const free = new Uint16Array(capacity);
    for (let index = 0; index < this.#freeCount; index += 1) {
      free[index] = this.#free[(this.#freeHead + index) % this.#free.length] as number;
    }
    for (let id = this.#capacity + 1; id <= capacity; id += 1) {
      free[this.#freeCount] = id;
      this.#freeCount += 1;
    }
    this.#states = states;
    this.#free = free;
    this.#freeHead = 0;
    this.#capacity = capacity;
    return true;
  }

  #removeFree(id: number): void {
    const kept: number[] = [];
    for (let index = 0; index < this.#freeCount; index += 1) {
      const free = this.#free[(this.#freeHead + index) % this.#free.length] as number;
      if (free !== id) kept.push(free);
    }
    this.#free.set(kept);
    this.#freeHead = 0;
    this.#freeCount = kept.length;
  }
}
