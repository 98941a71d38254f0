import { copyRange, type Delivery, Message, type Topic } from '@robustmq/broker';

const ARENA_BYTES_FIRST = 16 * 1024;

/**
 * Copies of the shared-group messages that a live member has under way, by packet identifier: given
 * to another member if this one goes (MQTT-5.0 §4.8.2).
 *
 * The bytes lie one after the other in one arena, since an allocation per message would cost more
 * than its delivery. Members acknowledge nearly in order, so the arena is empty, and begins anew,
 * very often; a full one is compacted or doubled.
 *
 * LIMIT: inflightMessagesMax
 */
export class SharedInflight {
  #arena: Uint8Array = new Uint8Array(ARENA_BYTES_FIRST);
  #used = 0;
  #count = 0;
  readonly #topics: (Topic | null)[] = [];
  readonly #deliveries: (Delivery | null)[] = [];
  readonly #starts: number[] = [];
  readonly #headersLengths: number[] = [];
  readonly #payloadLengths: number[] = [];
  readonly #flags: number[] = [];
  readonly #expiries: number[] = [];

  /** Bytes held, those of forgotten messages that are not reclaimed yet included. */
  get bytes(): number {
    return this.#used;
  }

  remember(identifier: number, message: Message, delivery: Delivery): void {
    const headersLength = message.headersEnd - message.headersStart;
    const payloadLength = message.payloadEnd - message.payloadStart;
    const length = headersLength + payloadLength;
    if (this.#used + length > this.#arena.length) this.#makeRoom(length);
    while (this.#topics.length <= identifier) this.#addSlot();
    const start = this.#used;
    copyRange(this.#arena, start, message.headerBytes, message.headersStart, headersLength);
    copyRange(
      this.#arena,
      start + headersLength,
      message.payloadBytes,
      message.payloadStart,
      payloadLength,
    );
    this.#used = start + length;
    this.#count += 1;
    this.#topics[identifier] = message.topic;
    this.#deliveries[identifier] = delivery;
    this.#starts[identifier] = start;
    this.#headersLengths[identifier] = headersLength;
    this.#payloadLengths[identifier] = payloadLength;
    this.#flags[identifier] = message.qos | (message.retain ? 4 : 0);
    this.#expiries[identifier] = message.expiresAtMs;
  }

  forget(identifier: number): void {
    if (identifier >= this.#topics.length || this.#topics[identifier] === null) return;
    this.#topics[identifier] = null;
    this.#deliveries[identifier] = null;
    this.#count -= 1;
    if (this.#count === 0) this.#used = 0;
  }

  /** Every message that is remembered, with bytes of its own. */
  entries(): {
    readonly identifier: number;
    readonly message: Message;
    readonly delivery: Delivery;
  }[] {
    const found: { identifier: number; message: Message; delivery: Delivery }[] = [];
    for (const [identifier, topic] of this.#topics.entries()) {
      const delivery = this.#deliveries[identifier];
      if (topic === null || delivery == null) continue;
      found.push({ identifier, message: this.#messageOf(identifier, topic), delivery });
    }
    return found;
  }

  #messageOf(identifier: number, topic: Topic): Message {
    const start = this.#starts[identifier] as number;
    const headersLength = this.#headersLengths[identifier] as number;
    const length = headersLength + (this.#payloadLengths[identifier] as number);
    const message = new Message(topic);
    const flags = this.#flags[identifier] as number;
    message.qos = flags & 3;
    message.retain = (flags & 4) !== 0;
    message.expiresAtMs = this.#expiries[identifier] as number;
    message.headerBytes = this.#arena.slice(start, start + length);
    message.headersEnd = headersLength;
    message.payloadBytes = message.headerBytes;
    message.payloadStart = headersLength;
    message.payloadEnd = length;
    return message;
  }

  #addSlot(): void {
    this.#topics.push(null);
    this.#deliveries.push(null);
    this.#starts.push(0);
    this.#headersLengths.push(0);
    this.#payloadLengths.push(0);
    this.#flags.push(0);
    this.#expiries.push(0);
  }

  /** Moves what is still needed to the front of an arena with room for `length` more. */
  #makeRoom(length: number): void {
    let live = 0;
    for (const [identifier, topic] of this.#topics.entries()) {
      if (topic === null) continue;
      live +=
        (this.#headersLengths[identifier] as number) + (this.#payloadLengths[identifier] as number);
    }
    const needed = (live + length) * 2;
    const arena = new Uint8Array(Math.max(needed, this.#arena.length));
    let at = 0;
    for (const [identifier, topic] of this.#topics.entries()) {
      if (topic === null) continue;
      const start = this.#starts[identifier] as number;
      const size =
        (this.#headersLengths[identifier] as number) + (this.#payloadLengths[identifier] as number);
      arena.set(this.#arena.subarray(start, start + size), at);
      this.#starts[identifier] = at;
      at += size;
    }
    this.#arena = arena;
    this.#used = at;
  }
}
