import { assert } from '@robustmq/errors';

/** Where one outbound QoS 1 or 2 exchange stands (MQTT-5.0 §4.3.2, §4.3.3). */
export const ExchangeState = {
  free: 0,
  /** Assigned, its PUBLISH not yet sent (waits for the journal). */
  assigned: 1,
  /** The PUBLISH is unacknowledged until then (MQTT-5.0 [MQTT-4.3.2-3]). */
  awaitingPuback: 2,
  /** As above (MQTT-5.0 [MQTT-4.3.3-3]). */
  awaitingPubrec: 3,
  /** PUBREC arrived, PUBREL not yet sent (waits for the journal). */
  received: 4,
  /** The PUBREL is unacknowledged until then (MQTT-5.0 [MQTT-4.3.3-5]). */
  awaitingPubcomp: 5,
} as const;
/** One of the states above. */
export type ExchangeState = (typeof ExchangeState)[keyof typeof ExchangeState];

const FIRST_CAPACITY = 16;
const PACKET_IDENTIFIER_MAX = 65535;

/**
 * The exchanges that are open towards one client: packet identifiers, their states, and for durable
 * sessions the journal offset behind each (MQTT-5.0 §2.2.1, §4.9).
 *
 * Free identifiers wait in a list, so that one is reused as late as possible: an acknowledgement that
 * comes late or twice then hits no newer message. Memory grows with the exchanges really open, from 16
 * up, never with the client's Receive Maximum. Cost: `take`, `release` and `restore` a few writes each.
 *
 * Invariants: `count` identifiers are not free; `count <= limit` except after the limit was lowered or
 * exchanges were restored; the offset of a free identifier is -1.
 */
export class OutboundWindow {
  #states: Uint8Array;
  #offsets: Float64Array | null = null;
  /**
   * The free identifiers, a circular list through 0, which is no identifier: `[id]` is the one after
   * it, `[capacity + 1 + id]` the one before.
   */
  #links: Uint16Array;
  #count = 0;
  #limit: number;
  /** Identifiers 1 to this one exist. */
  #capacity = 0;

  /** @param limit  the smaller of the client's Receive Maximum and ours, 1 to 65535 */
  constructor(limit: number) {
    this.#limit = limit;
    this.#states = new Uint8Array(1);
    this.#links = new Uint16Array(2);
    this.#grow(Math.min(FIRST_CAPACITY, Math.max(1, limit)));
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
   * Opens an exchange under an unused identifier (MQTT-5.0 [MQTT-2.2.1-4], [MQTT-4.3.2-1],
   * [MQTT-4.3.3-1]).
   *
   * @returns its packet identifier, or 0 when the quota is used up: hold the message, don't drop it
   */
  take(state: ExchangeState): number {
    // MQTT-5.0 [MQTT-3.3.4-9], [MQTT-4.9.0-1], [MQTT-4.9.0-2].
    if (this.#count >= this.#limit) return 0;
    if (this.#links[0] === 0 && !this.#grow(this.#capacity * 2)) return 0;
    const id = this.#links[0] as number;
    this.#unlink(id);
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
    if (this.#offsets !== null) this.#offsets[id] = -1;
    this.#count -= 1;
    this.#append(id);
    return true;
  }

  /** Journal offset of the message behind an open exchange; -1 when none was set. */
  offsetOf(id: number): number {
    return this.#offsets?.[id] ?? -1;
  }

  setOffset(id: number, offset: number): void {
    assert(this.stateOf(id) !== ExchangeState.free, `exchange ${id} is not open`);
    this.#offsets ??= new Float64Array(this.#capacity + 1).fill(-1);
    this.#offsets[id] = offset;
  }

  /** Opens a given exchange again after a restart. Idempotent. */
  restore(id: number, state: ExchangeState, offset: number): void {
    assert(id >= 1 && id <= PACKET_IDENTIFIER_MAX, `packet identifier ${id}`);
    if (id > this.#capacity) this.#grow(Math.max(id, this.#capacity * 2));
    if (this.#states[id] === ExchangeState.free) {
      this.#unlink(id);
      this.#count += 1;
    }
    this.#states[id] = state;
    this.setOffset(id, offset);
  }

  /**
   * Open exchanges by ascending offset, the order in which they are resent under their identifiers
   * (MQTT-5.0 §4.6, [MQTT-4.4.0-1]).
   */
  open(): { readonly id: number; readonly state: ExchangeState; readonly offset: number }[] {
    const found: { id: number; state: ExchangeState; offset: number }[] = [];
    for (let id = 1; id <= this.#capacity; id += 1) {
      const state = this.#states[id] as ExchangeState;
      if (state !== ExchangeState.free) found.push({ id, state, offset: this.offsetOf(id) });
    }
    return found.sort((a, b) => a.offset - b.offset);
  }

  /**
   * The lowest offset of a message that may have to be sent again, or `otherwise`: after PUBREC it is
   * PUBREL that is repeated (MQTT-5.0 [MQTT-4.3.3-6]).
   */
  oldestOffset(otherwise: number): number {
    if (this.#count === 0 || this.#offsets === null) return otherwise;
    let oldest = otherwise;
    for (let id = 1; id <= this.#capacity; id += 1) {
      const state = this.#states[id] as number;
      if (state === ExchangeState.free || state >= ExchangeState.received) continue;
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
    const links = new Uint16Array(2 * (capacity + 1));
    links.set(this.#links.subarray(0, this.#capacity + 1));
    links.set(this.#links.subarray(this.#capacity + 1), capacity + 1);
    const known = this.#capacity;
    this.#states = states;
    this.#links = links;
    this.#capacity = capacity;
    for (let id = known + 1; id <= capacity; id += 1) this.#append(id);
    return true;
  }

  /** Takes a free identifier out of the list, wherever it is. */
  #unlink(id: number): void {
    const links = this.#links;
    const half = this.#capacity + 1;
    const after = links[id] as number;
    const before = links[half + id] as number;
    links[before] = after;
    links[half + after] = before;
  }

  /** Puts a free identifier at the end of the list. */
  #append(id: number): void {
    const links = this.#links;
    const half = this.#capacity + 1;
    const last = links[half] as number;
    links[last] = id;
    links[half + id] = last;
    links[id] = 0;
    links[half] = id;
  }
}
